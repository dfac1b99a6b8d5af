//! The result: the figures, beside simple ways to invest and agents that know nothing.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, State, Work};
use portfolio::{
    Entry, PortfolioError,
    references::{
        Course, MarketDay, Reference, average_cross, buy_and_hold, equal_weight, index, random_band,
    },
    statistics::{Evidence, Judged, statistics, verdict},
};
use protocol::{
    Decimal, RunId, Totals, grouped, percent, signed,
    trading::{
        BacktestPlan, BacktestReference, BacktestResult, Figure, NotAvailable, PortfolioView, PriceLine,
        RandomBand, ReferenceKind, ReferencePoint, Statistics,
    },
};
use serde_json::json;

use super::{
    assignment::{Backtest, benchmark},
    book::{Book, unbookable},
    decide::{Failures, refused_of},
    schedule::Schedule,
    state,
};
use crate::{
    node::{needed, product, report},
    trading::measured::{Found, measure},
};

/// The tool by which code counts what models cost.
pub(super) const COUNT: &str = "count_usage";
/// Agents that trade at random.
const SEEDS: u32 = 200;

/// Says what came of the backtest.
pub(super) struct Conclude(pub(super) Backtest);

#[async_trait]
impl Work for Conclude {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let used: Totals = measure(node, COUNT, &json!({}), async {
            Ok(Found { value: node.used(), vendor: "Pitwall".to_owned(), is_degraded: false })
        })
        .await?;
        let result = self.0.result(node.run(), node.state(), &used).await?;
        let written = written(&result);
        node.emit(vec![product(result.product())?, report(state::RESULT, "Backtest", &written, Vec::new())])
            .await?;
        Ok(Outcome::default())
    }
}

impl Backtest {
    /// What the run comes to whose nodes have left this state, and whose models have used so much.
    ///
    /// # Errors
    /// The state is not as they leave it, or an amount is too large.
    pub(in crate::trading) async fn result(
        &self,
        run: RunId,
        state: &State,
        used: &Totals,
    ) -> Result<BacktestResult, NodeError> {
        let schedule: Schedule = needed(state, state::SCHEDULE)?;
        let last = schedule.last().ok_or_else(|| NodeError::failed("The backtest has no days."))?;
        let model_cost = match used.calls_of_unknown_cost {
            0 => Figure::Known(used.cost),
            _ => Figure::NotAvailable(NotAvailable::NoModelPrice),
        };
        let book = Book::read(self, state)?;
        let view = book.view(last)?;
        let trades = book.portfolio().trades().to_vec();
        let evidence =
            Evidence { curve: &view.history, trades: &trades, paid_in: self.plan.cash, model_cost };
        let figures = statistics(&evidence);
        let days = market_days(state)?;
        let compared =
            self.compare(days.clone(), schedule.days.first().copied().unwrap_or(last), figures.trades);
        let (references, random) = compared.await.map_err(unbookable)?;
        let judged = Judged {
            curve: &view.history,
            figures: &figures,
            random: random.as_ref(),
            // No provider says it in a form that can be relied on.
            cut_off: None,
        };
        let verdict = verdict(&judged);
        let entries: Vec<Vec<Entry>> = state.get(state::ENTRIES)?.unwrap_or_default();
        let failures: Vec<Failures> = state.get(state::FAILURES)?.unwrap_or_default();
        let BacktestPlan { tickers, rhythm, cash, .. } = &self.plan;
        Ok(BacktestResult {
            run,
            tickers: tickers.clone(),
            rhythm: *rhythm,
            cash: *cash,
            settings: self.plan.settings(),
            decisions: count(schedule.decisions.len()),
            failed_decisions: count(failures.iter().filter(|it| it.decision).count()),
            failed_analyses: failures.iter().map(|it| it.analyses).sum(),
            refused: count(entries.iter().flatten().flat_map(refused_of).count()),
            prices: self.prices(&days, &view),
            curve: view.history,
            trades,
            figures,
            references,
            random,
            verdict,
        })
    }

    /// What simple ways to invest, and random agents with as many trades, come to.
    async fn compare(
        &self,
        days: Vec<MarketDay>,
        start: protocol::Date,
        trades: u32,
    ) -> Result<(Vec<BacktestReference>, Option<RandomBand>), PortfolioError> {
        let plan = self.plan.clone();
        let comparing = move || {
            let Some(benchmark) = benchmark() else { return Ok((Vec::new(), None)) };
            let settings = plan.settings();
            let course = Course {
                days: &days,
                start,
                tickers: &plan.tickers.iter().cloned().collect(),
                cash: plan.cash,
                settings: &settings,
                benchmark: &benchmark,
            };
            let references = [
                (ReferenceKind::BuyAndHold, buy_and_hold(&course)?),
                (ReferenceKind::EqualWeight, equal_weight(&course)?),
                (ReferenceKind::Index, index(&course)),
                (ReferenceKind::AverageCross, average_cross(&course)?),
            ];
            let references = references.into_iter().filter(|(_, followed)| !followed.curve.is_empty());
            let references = references.map(|(kind, followed)| reference(kind, &followed, plan.cash));
            let random = (trades > 0).then(|| random_band(&course, trades, SEEDS)).transpose()?;
            Ok((references.collect(), random))
        };
        // Some hundred thousand days are played, which must not keep other runs from their work.
        tokio::task::spawn_blocking(comparing)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// The closes of the stocks over the time of the portfolio.
    fn prices(&self, days: &[MarketDay], view: &PortfolioView) -> Vec<PriceLine> {
        let first = view.history.first().map(|point| point.date);
        let played = || days.iter().filter(|day| first.is_some_and(|first| day.date >= first));
        let line = |ticker: &protocol::trading::Ticker| PriceLine {
            ticker: ticker.clone(),
            closes: played()
                .filter_map(|day| Some(ReferencePoint { date: day.date, value: day.bars.get(ticker)?.close }))
                .collect(),
        };
        self.plan.tickers.iter().map(line).collect()
    }
}

/// The market's days, with those before the first one.
fn market_days(state: &State) -> Result<Vec<MarketDay>, NodeError> {
    let mut days: Vec<MarketDay> = needed(state, state::LOOK_BACK)?;
    let passed: Vec<Vec<MarketDay>> = needed(state, state::DAYS)?;
    days.extend(passed.into_iter().flatten());
    Ok(days)
}

fn reference(kind: ReferenceKind, followed: &Reference, cash: Decimal) -> BacktestReference {
    let Reference { curve, trades } = followed;
    let model_cost = Figure::Known(Decimal::ZERO);
    let figures = statistics(&Evidence { curve, trades, paid_in: cash, model_cost });
    BacktestReference {
        kind,
        curve: curve.iter().map(|point| ReferencePoint { date: point.date, value: point.total }).collect(),
        figures: Statistics { underwater: Vec::new(), ..figures },
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn written(result: &BacktestResult) -> String {
    let mut text = format!("**{}**\n\n", result.verdict.sentence);
    let failed = result.failed_decisions + result.failed_analyses;
    if failed > 0 {
        text.push_str(&format!(
            "Of {} decisions {} came to nothing, and {} analyses.\n\n",
            result.decisions, result.failed_decisions, result.failed_analyses
        ));
    }
    text.push_str(
        "| | return | CAGR | volatility | Sharpe ratio | max drawdown |\n|---|---|---|---|---|---|\n",
    );
    let own = ("This run", &result.figures);
    let others = result.references.iter().map(|reference| (reference.kind.label(), &reference.figures));
    for (name, figures) in [own].into_iter().chain(others) {
        let shown = |figure: &Figure<Decimal>, show: &dyn Fn(Decimal) -> String| match figure {
            Figure::Known(value) => show(*value),
            Figure::NotAvailable(reason) => format!("n/a: {reason}"),
        };
        let gain = |value: Decimal| signed(percent(value, 1), value);
        let depth: Figure<Decimal> = match &figures.max_drawdown {
            Figure::Known(fall) => Figure::Known(fall.depth),
            Figure::NotAvailable(reason) => Figure::NotAvailable(*reason),
        };
        let cells = [
            shown(&figures.total_return, &gain),
            shown(&figures.cagr, &gain),
            shown(&figures.volatility, &|value| percent(value, 1)),
            shown(&figures.sharpe, &|value| grouped(value, 2)),
            shown(&depth, &gain),
        ];
        text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    text
}
