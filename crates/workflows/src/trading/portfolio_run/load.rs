//! Loads the portfolio with its risk figures, the scan and the ratings of the flow, and the lessons that fit them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{
    Decimal, Figure, LogLevel, grouped, percent,
    trading::{Measured, PortfolioMetrics, PortfolioView, Ticker},
};
use serde_json::json;

use super::{book::Book, graph::begin, ratings::ratings_of_flow, scan::scan_of_flow, state};
use crate::{
    node::{log, product, report, required},
    trading::{
        desk::BENCHMARK,
        memory::{Case, recall},
        seen::with_data,
    },
};

/// Loads the portfolio at the day's prices, and the scan and the ratings of the flow.
pub(super) struct Load(pub(super) Book);

#[async_trait]
impl Work for Load {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Book { portfolio: id, date, desk, journal, flow, prices, .. } = &self.0;
        let last = desk.load(id).await?.last_date();
        if let Some(last) = last.filter(|last| date < last) {
            return Err(NodeError::failed(format!(
                "{date} lies before the last decision of {id} on {last}. Choose {last} or a later day."
            )));
        }
        let view = desk.view_at(id, *date, prices).await?;
        let found = ratings_of_flow(journal, node.owner(), flow, prices.table, *date).await?;
        let scanned = scan_of_flow(journal, node.owner(), flow, prices.table, *date).await?;
        let held = view.holdings.iter().map(|holding| &holding.ticker);
        let tickers: BTreeSet<Ticker> =
            held.chain(found.ratings.iter().map(|rating| &rating.ticker)).cloned().collect();
        let situation: Vec<&str> = found.ratings.iter().map(|rating| rating.summary.as_str()).collect();
        let case = Case {
            day: *date,
            tickers: &tickers.into_iter().collect::<Vec<_>>(),
            situation: &situation.join("\n"),
        };
        let lessons = recall(node, &self.0.lessons, &json!({ "portfolio": id, "date": date }), &case).await?;
        let mut bodies = vec![product(view.product())?];
        let remarks = scanned.remarks.into_iter().chain(found.remarks);
        bodies.extend(remarks.map(|remark| log(LogLevel::Warning, remark)));
        bodies.push(log(
            LogLevel::Info,
            match &scanned.scan {
                Some(scan) => format!("The flow's scan as of {} is taken into account.", scan.date),
                None => {
                    format!("The flow {flow} has no scan up to {date}; the decision goes on without one.")
                }
            },
        ));
        if found.ratings.is_empty() {
            let message =
                format!("The flow {flow} has no ratings up to {date}, so there is nothing new to buy.");
            bodies.push(log(LogLevel::Info, message));
        }
        node.emit(bodies).await?;
        let outcome = begin(Outcome::default(), view, &found.ratings)?.set(state::LESSONS, lessons)?;
        match scanned.scan {
            Some(scan) => outcome.set(state::SCAN, scan),
            None => Ok(outcome),
        }
    }
}

/// Reports the risk figures.
pub(super) struct Risk(pub(super) Book);

#[async_trait]
impl Work for Risk {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let figures = risk_figures(&view);
        let mut markdown =
            String::from("Losses are negative in all figures.\n\n| figure | value |\n|---|---|\n");
        for figure in &figures {
            markdown.push_str(&format!("| {} | {} |\n", figure.label, figure.value));
        }
        let held = view.holdings.iter().map(|holding| holding.ticker.clone());
        let mut seen = Vec::new();
        for ticker in held.chain(BENCHMARK.parse::<Ticker>().ok()) {
            seen.push(self.0.seen("Risk", &ticker).await);
        }
        let markdown = with_data(&markdown, &seen);
        node.emit(vec![report(state::RISK_METRICS, "Risk figures", &markdown, figures)]).await?;
        Outcome::default().set(state::RISK_METRICS, view.metrics)
    }
}

fn risk_figures(view: &PortfolioView) -> Vec<Figure> {
    let number = |value: &Decimal| grouped(*value, 2);
    let fraction = |value: &Decimal| percent(*value, 2);
    let money = |value: &Decimal| grouped(*value, 2);
    let source = format!("the portfolio's ledger and {} daily returns", view.metrics.days);
    let figure =
        |label: &str, value: String| Figure { label: label.to_owned(), value, source: source.clone() };
    let PortfolioMetrics { sharpe, sortino, value_at_risk, max_drawdown, beta, .. } = &view.metrics;
    let mut figures = vec![
        figure("Total value, US dollars", shown(&view.total, money)),
        figure("Cash, US dollars", grouped(view.cash, 2)),
        figure("Unrealised profit, US dollars", shown(&view.unrealised_profit, money)),
        figure("Sharpe ratio", shown(sharpe, number)),
        figure("Sortino ratio", shown(sortino, number)),
        figure("Value at risk, 1 day at 5 %", shown(value_at_risk, fraction)),
        figure("Max drawdown", shown(max_drawdown, fraction)),
        figure("Beta", shown(beta, number)),
    ];
    let weights = view.allocation.iter();
    figures.extend(
        weights.map(|sector| figure(&format!("Weight of {}", sector.sector), percent(sector.weight, 2))),
    );
    figures
}

fn shown<T>(measured: &Measured<T>, show: impl Fn(&T) -> String) -> String {
    match measured {
        Measured::Known(value) => show(value),
        Measured::Unknown(reason) => format!("unknown: {reason}"),
    }
}
