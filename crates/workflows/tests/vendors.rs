//! Runs on data of a vendor over a network, which is a server on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../market/tests/support/mod.rs"]
mod local;
mod stage;

use std::sync::Arc;

use jiff::ToSpan;
use local::{LocalVendor, SetClock, network};
use market::{DataKind, Market, Vendor, Yahoo, YahooAddresses};
use protocol::{AccountId, Body, Date, RunStatus, RunView, ToolStatus};
use serde_json::json;
use stage::{Stage, pipeline};

/// A chart with a close on each day from 300 days before 2022-06-30 to some days after it.
fn chart() -> String {
    let first: Date = "2021-09-03".parse().unwrap();
    let days = (0..310).map(|index| first.checked_add(index.days()).unwrap());
    let stamps: Vec<i64> = days
        .map(|day| day.at(4, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second())
        .collect();
    let closes: Vec<f64> = (0..310).map(|index| 400.0 + f64::from(index) / 4.0).collect();
    let meta = json!({ "currency": "INR", "exchangeTimezoneName": "Asia/Kolkata" });
    let quote = json!({ "open": closes, "high": closes, "low": closes, "close": closes, "volume": closes });
    let result = json!({ "meta": meta, "timestamp": stamps, "indicators": { "quote": [quote] } });
    json!({ "chart": { "result": [result], "error": null } }).to_string()
}

/// A stage whose prices come from the server first, and from the sample where `with_sample`.
async fn stage(server: &LocalVendor, with_sample: bool) -> Stage {
    let clock = SetClock::at("2025-11-03T12:00:00Z");
    let market = Market::sample().unwrap();
    let mut vendors: Vec<Arc<dyn Vendor>> =
        vec![Arc::new(Yahoo::new(network(&clock), YahooAddresses::at(&server.base)))];
    if with_sample {
        vendors.push(market.built_in().clone());
    }
    Stage::with_market(market.with_order(DataKind::Prices, vendors).with_live_prices(clock)).await
}

/// Status and vendor of each call of a tool.
async fn served(stage: &Stage, view: &RunView, tool: &str) -> Vec<(ToolStatus, Option<String>)> {
    let events = stage.events(view.summary.run).await;
    let calls: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::ToolInvoked(invoked) if invoked.tool == tool => Some(invoked.call.clone()),
            _ => None,
        })
        .collect();
    let returned = events.iter().filter_map(|event| match &event.body {
        Body::ToolReturned(returned) if calls.contains(&returned.call) => {
            Some((returned.status, returned.vendor.clone()))
        }
        _ => None,
    });
    returned.collect()
}

async fn report(stage: &Stage, view: &RunView, name: &str) -> String {
    let report = view.reports.iter().find(|report| report.name == name).unwrap();
    stage.journal.resolve(&report.markdown).await.unwrap()
}

#[tokio::test]
async fn an_analyst_is_served_by_the_vendor_and_every_report_ends_with_its_data() {
    let server = LocalVendor::start().await;
    server.set("/v8/finance/chart/TATAMOTORS.NS", 200, chart());
    let stage = stage(&server, false).await;
    let view = stage.pipeline("TATAMOTORS.NS", "2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    for tool in ["measure_figures", "get_stock_data"] {
        let served = served(&stage, &view, tool).await;
        assert_eq!(served, [(ToolStatus::Success, Some("Yahoo Finance".to_owned()))], "{tool}");
    }
    let news = served(&stage, &view, "get_news").await;
    assert!(
        news.iter().all(|(status, vendor)| *status == ToolStatus::Degraded && vendor.is_some()),
        "{news:?}"
    );

    assert!(view.reports.len() >= 7, "{}", view.reports.len());
    for written in &view.reports {
        let markdown = report(&stage, &view, &written.name).await;
        let (_, data) =
            markdown.split_once("\n## Data\n").unwrap_or_else(|| panic!("{}: {markdown}", written.name));
        assert!(!data.contains("2022-07"), "nothing after the day: {data}");
    }
    let market = report(&stage, &view, "market_report").await;
    // 301 days from 2021-09-03 to 2022-06-30.
    let measured = "| Market analyst | measure_figures TATAMOTORS.NS | Yahoo Finance | 2021-09-03 to 2022-06-30 | 301 | 2022-06-30 | INR, adjusted for splits |";
    assert!(market.contains(measured), "{market}");
    let decision = report(&stage, &view, "final_trade_decision").await;
    assert!(decision.contains(measured), "{decision}");
    assert!(
        decision
            .contains("| News analyst | get_news TATAMOTORS.NS | — | — | 0 | — | missing: Not available:"),
        "{decision}"
    );
}

/// AgentOS 6.A 17.
#[tokio::test]
async fn the_next_vendor_serves_where_the_first_one_cannot_and_both_are_named() {
    let server = LocalVendor::start().await;
    server.set("/v8/", 429, "Too Many Requests\n");
    let stage = stage(&server, true).await;
    let view = stage.pipeline("AAPL", "2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let served = served(&stage, &view, "get_stock_data").await;
    assert_eq!(served, [(ToolStatus::Success, Some("The sample data".to_owned()))]);
    let market = report(&stage, &view, "market_report").await;
    assert!(
        market.contains("Yahoo Finance cannot answer for about") && market.contains("Too Many Requests"),
        "{market}"
    );
}

#[tokio::test]
async fn a_ticker_without_data_is_refused_before_a_run_is_made_of_it() {
    let server = LocalVendor::start().await;
    let words = "No data found, symbol may be delisted";
    let unknown =
        json!({ "chart": { "result": null, "error": { "code": "Not Found", "description": words } } });
    server.set("/v8/", 404, unknown.to_string());
    server.set("/chart/YOUNG?", 200, chart());
    let stage = stage(&server, false).await;
    for (ticker, day, parts) in [
        ("ATVI", "2022-06-30", ["There are no prices of ATVI as of 2022-06-30", words]),
        ("YOUNG", "2020-06-30", ["There are no prices of YOUNG as of 2020-06-30", "Choose a later day"]),
    ] {
        let refused = stage
            .engine
            .start(pipeline(ticker, day, "flow"), AccountId::local())
            .await
            .unwrap_err()
            .to_string();
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
}

#[tokio::test]
async fn an_outage_is_no_reason_to_refuse_a_run_and_its_failure_says_so() {
    let server = LocalVendor::start().await;
    server.set("/v8/", 503, "down");
    let stage = stage(&server, false).await;
    let view = stage.pipeline("AAPL", "2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.as_deref().unwrap_or_default();
    assert!(error.contains("Yahoo Finance cannot answer for about"), "{error}");
}

#[tokio::test]
async fn every_report_of_a_portfolio_run_ends_with_its_data() {
    let stage = Stage::new().await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    stage.portfolio("2022-06-29", "other").await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert!(view.reports.len() >= 4, "{}", view.reports.len());
    for written in &view.reports {
        let markdown = report(&stage, &view, &written.name).await;
        assert!(markdown.contains("\n## Data\n"), "{}: {markdown}", written.name);
    }
    let candidates = report(&stage, &view, "prioritised_candidates").await;
    // Trading days from the sample's first one to the day.
    let row = "| Prioritiser | prices LLY | The sample data | 2016-01-04 to 2022-06-30 | 1635 | 2022-06-30 | USD, adjusted for splits and dividends |";
    assert!(candidates.contains(row), "{candidates}");
    let risk = report(&stage, &view, "risk_metrics").await;
    assert!(risk.contains("| Risk | prices ^GSPC | The sample data |"), "{risk}");
}
