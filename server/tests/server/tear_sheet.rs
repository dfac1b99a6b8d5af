//! The tear sheet of a backtest: one file that opens without a server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Home;

#[tokio::test]
async fn a_tear_sheet_has_verdict_chart_figures_and_trades_and_names_no_address() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let workflow = json!({
        "type": "backtest", "tickers": ["KO", "LLY"], "from": "2022-03-01", "to": "2022-04-29", "rhythm": "monthly",
        "cash": "100000", "analysts": ["market"],
    });
    let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let started = anna.post("/api/v1/runs", json!({ "workflow": workflow, "model": model })).await;
    let run = started["run"].as_str().unwrap();
    let path = format!("/api/v1/backtests/{run}/tear-sheet.html");
    loop {
        let summary = anna.get(&format!("/api/v1/runs/{run}")).await["summary"].clone();
        if !summary["finished_at"].is_null() {
            assert_eq!(summary["status"], "succeeded", "{summary}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let report = anna.get(&format!("/api/v1/backtests/{run}")).await;
    let result: &Value = &report["result"];
    let (status, sheet) = anna.answer("GET", &path, None).await;
    assert_eq!(status, 200);
    let sentence = result["verdict"]["sentence"].as_str().unwrap();
    for words in [
        sentence,
        "Key figures",
        "Max drawdown",
        "Months",
        "Buy and hold",
        "class=\"line run\"",
        "KO, LLY, monthly",
    ] {
        assert!(sheet.contains(words), "{words}: {sheet}");
    }
    let trades = result["trades"].as_array().unwrap();
    let rows = sheet.matches("<td>BUY").count() + sheet.matches("<td>SELL").count();
    assert_eq!(rows, trades.len(), "each trade has its row");
    for loaded in ["<script", "href=", "src=", "url(", "http://", "https://"] {
        assert!(!sheet.contains(loaded), "{loaded}");
    }
    assert_eq!(bert.answer("GET", &path, None).await.0, 404);
    let analysis =
        json!({ "type": "pipeline", "ticker": "KO", "date": "2022-06-30", "analysts": ["market"] });
    let other = anna.post("/api/v1/runs", json!({ "workflow": analysis, "model": model })).await;
    let other = other["run"].as_str().unwrap();
    assert_eq!(anna.answer("GET", &format!("/api/v1/backtests/{other}/tear-sheet.html"), None).await.0, 404);
}
