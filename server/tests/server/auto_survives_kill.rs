//! An automatic run from the scan to the trades, whose server dies again and again: it comes to what a calculation in
//! another language comes to, and asks nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Body, Event, Frame, RunId, RunStatus, RunView,
    trading::{AutoResult, PortfolioView, Trade},
};
use serde_json::{Value, json};

use crate::support::{Home, Moments, Server, next_frame};

/// Kills that the run lives through at least.
const KILLS: u32 = 12;
/// More messages than this on its socket are never between two of them.
const LONGEST_LIFE: u64 = 10;

fn auto(day: &str) -> Value {
    let workflow = json!({ "type": "auto", "portfolio": "main_portfolio", "date": day, "max_tickers": 3 });
    json!({ "workflow": workflow, "flow": day })
}

/// Reads so many messages of the run, or to its end; whether it has ended.
async fn watch(server: &Server, run: RunId, log: &mut Vec<Event>, messages: u64) -> bool {
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}?after={}", log.len())).await;
    for _ in 0..messages {
        match next_frame(&mut socket).await {
            Some(Frame::Event(event)) => log.push(*event),
            Some(Frame::Control(_)) => {}
            None => break,
        }
    }
    log.last().is_some_and(|event| event.body.ends_run())
}

/// The rows of a table below its header.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

/// Whether each call of a log was answered once, and none was begun again after its answer.
fn assert_asked_once(log: &[Event]) {
    let mut answered = BTreeSet::new();
    for event in log {
        match &event.body {
            Body::CallStarted(call) => {
                assert!(!answered.contains(&call.call), "{} was asked again", call.call)
            }
            Body::CallFinished(call) => assert!(answered.insert(call.call.clone()), "{} twice", call.call),
            _ => {}
        }
    }
    assert!(!answered.is_empty() || log.iter().any(|event| matches!(event.body, Body::SubRunStarted(_))));
}

/// AgentOS 6.C 13, 6.C 17, E 2.
#[tokio::test(flavor = "multi_thread")]
async fn an_automatic_run_that_is_killed_again_and_again_trades_as_a_calculation_in_another_language() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "20000".to_owned())]);
    let mut server = home.start().await;
    let first = server.start_run(auto("2022-06-30")).await;
    server.events_to_end(first, 0).await;

    let (mut moments, mut killed, mut log) = (Moments::new(0x1234_5678_9ABC_DEF1), 0, Vec::new());
    let run = server.start_run(auto("2022-12-28")).await;
    while !watch(&server, run, &mut log, 1 + moments.next(LONGEST_LIFE)).await {
        server.kill().await;
        killed += 1;
        server = home.start().await;
    }
    assert!(killed >= KILLS, "it was killed {killed} times only");
    let view = RunView::fold(&log).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_asked_once(&log);
    let below: Vec<RunId> = view.sub_runs.iter().map(|below| below.run).collect();
    assert_eq!(below.len(), 6, "a scan, three stocks of it, the holding, and the portfolio, each begun once");
    let mut used = view.summary.totals.clone();
    for run in below {
        let log = server.events_to_end(run, 0).await;
        assert_asked_once(&log);
        used.add(&RunView::fold(&log).unwrap().summary.totals);
    }
    assert!(used.tokens() > 10_000, "{used:?}");
    assert_eq!(view.summary.used(), used, "what all of them used adds up at the run that started them");
    let analysed: Vec<String> = view
        .documents::<AutoResult>()
        .last()
        .unwrap()
        .analyses
        .iter()
        .map(|analysis| analysis.ticker.to_string())
        .collect();
    assert_eq!(analysed, ["MRK", "PG", "PFE", "LLY"]);

    let portfolio = server.get("/api/v1/portfolios/main_portfolio?as_of=2022-12-28").await;
    let portfolio: PortfolioView = serde_json::from_value(portfolio).unwrap();
    let shown = |trade: &Trade| {
        let optional = |price: Option<protocol::Decimal>| {
            price.map(|price| price.normalize().to_string()).unwrap_or_default()
        };
        let [side, ticker] = [trade.side.to_string(), trade.ticker.to_string()];
        let [quantity, price] = [trade.quantity, trade.price].map(|amount| amount.normalize().to_string());
        vec![
            trade.date.to_string(),
            side.to_uppercase(),
            ticker,
            quantity,
            price,
            optional(trade.stop_loss),
            optional(trade.take_profit),
        ]
    };
    let traded: Vec<Vec<String>> = portfolio.trades.iter().rev().map(shown).collect();
    assert_eq!(traded, rows(include_str!("../independent/trades.csv")));

    let figures: BTreeMap<&str, &str> =
        rows(include_str!("../independent/figures.csv")).iter().map(|row| (row[0], row[1])).collect();
    let metrics = &portfolio.metrics;
    for (name, value) in [
        ("cash", Some(portfolio.cash)),
        ("total", portfolio.total.known().copied()),
        ("sharpe", metrics.sharpe.known().copied()),
        ("sortino", metrics.sortino.known().copied()),
        ("value_at_risk", metrics.value_at_risk.known().copied()),
        ("max_drawdown", metrics.max_drawdown.known().copied()),
        ("beta", metrics.beta.known().copied()),
        ("days", Some(metrics.days.into())),
    ] {
        assert_eq!(
            value.map(|value| value.normalize().to_string()).as_deref(),
            Some(figures[name]),
            "{name}"
        );
    }

    // 6.C 17 of AgentOS's specification: its page is shown these figures, and the regime of the last decision.
    let summary = server.get("/api/portfolios/main_portfolio/summary").await;
    let number = |name: &str| figures[name].parse::<f64>().unwrap();
    assert_eq!(summary["sharpe_ratio"], number("sharpe"), "{summary}");
    assert_eq!(summary["drawdown"], (number("max_drawdown") * 1e6).round() / 1e4, "{summary}");
    assert_eq!(summary["beta"], number("beta"), "{summary}");
    assert_eq!(summary["market_regime"], figures["regime"].to_uppercase(), "{summary}");
    // 1.6: as of the day of the first decision there is no history yet.
    let early = server.get("/api/portfolios/main_portfolio/summary?date=2022-06-30").await;
    assert!(early["unknown"]["sharpe_ratio"].is_string(), "{early}");

    // 6.C 13 and 15: there, holdings had no price, and purchases no reason, day, stop loss or take profit.
    let latest = server.get("/api/portfolios/main_portfolio/latest").await;
    let holdings = latest["holdings"].as_array().unwrap();
    assert_eq!(holdings.len(), portfolio.holdings.len());
    for holding in holdings {
        let [quantity, price, value] =
            ["quantity", "current_price", "market_value"].map(|name| holding[name].as_f64().unwrap());
        assert!(value > 0.0 && (value - quantity * price).abs() < 0.005, "{holding}");
    }
    let mut recorded = rows(include_str!("../independent/trades.csv"));
    recorded.reverse();
    let trades = latest["recent_trades"].as_array().unwrap();
    assert_eq!(trades.len(), recorded.len().min(10));
    for (trade, row) in trades.iter().zip(recorded) {
        let number = |text: &str| text.parse::<f64>().ok();
        assert_eq!((trade["executed_at"].as_str(), trade["action"].as_str()), (Some(row[0]), Some(row[1])));
        assert_eq!((trade["ticker"].as_str(), trade["quantity"].as_f64()), (Some(row[2]), number(row[3])));
        let triggers = (trade["stop_loss"].as_f64(), trade["take_profit"].as_f64());
        assert_eq!(triggers, (number(row[5]), number(row[6])), "{trade}");
        assert!(trade["rationale"].as_str().is_some_and(|reason| !reason.trim().is_empty()), "{trade}");
    }
}
