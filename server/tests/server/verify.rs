//! `pitwall verify`: what a run decided and booked is derived again from its log, and what was tampered with is named.

use std::path::Path;

use protocol::{RunId, RunStatus, RunView};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::{
    own_prices,
    support::{Home, Server},
    upkeep::change,
};

const FLOW: &str = "verified";

fn home() -> Home {
    Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())])
}

/// What `pitwall verify` says of a run, and its exit code.
async fn verify(home: &Home, run: &str) -> (String, i32) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pitwall"));
    let output = command.arg("verify").arg("--data").arg(home.data()).arg(run).output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (said, output.status.code().unwrap())
}

async fn verified(home: &Home, run: RunId) -> (String, i32) {
    verify(home, &run.to_string()).await
}

async fn finished(server: &Server, workflow: Value) -> RunId {
    let run = server.start_run(json!({ "workflow": workflow, "flow": FLOW })).await;
    let log = server.events_to_end(run, 0).await;
    assert_eq!(RunView::fold(&log).unwrap().summary.status, RunStatus::Succeeded);
    run
}

async fn pipeline(server: &Server) -> RunId {
    finished(server, json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" })).await
}

async fn decision(server: &Server, portfolio: &str, date: &str) -> RunId {
    finished(server, json!({ "type": "portfolio", "portfolio": portfolio, "date": date })).await
}

/// A server on which `main_portfolio` has bought LLY at the close of its decision, and the run that decided it.
async fn bought() -> (Home, RunId) {
    let home = home();
    let server = home.start().await;
    pipeline(&server).await;
    let run = decision(&server, "main_portfolio", "2022-06-30").await;
    server.terminate().await;
    (home, run)
}

fn database(home: &Home) -> std::path::PathBuf {
    home.data().join("pitwall.db")
}

async fn openings(database: &Path) -> i64 {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
    let openings =
        sqlx::query_scalar("select count(*) from opening").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    openings
}

#[tokio::test]
async fn every_decision_and_trade_is_derived_again_from_its_log_while_the_server_works() {
    let home = home();
    let server = home.start().await;
    // Orders of this one wait for the first price after the decision; those of `main_portfolio` do not.
    server.post("/api/v1/portfolios", json!({ "id": "growth", "name": "Growth", "cash": "100000" })).await;
    let rating = pipeline(&server).await;
    let at_the_close = decision(&server, "main_portfolio", "2022-06-30").await;
    let next_price = decision(&server, "growth", "2022-06-30").await;
    let after_the_fill = decision(&server, "growth", "2022-08-15").await;
    let auto =
        json!({ "type": "auto", "portfolio": "main_portfolio", "date": "2022-07-29", "max_tickers": 1 });
    let auto = finished(&server, auto).await;
    let backtest = json!({
        "type": "backtest", "tickers": ["LLY"], "from": "2022-03-01", "to": "2022-04-29", "rhythm": "monthly",
        "analysts": ["market"],
    });
    let backtest = finished(&server, backtest).await;
    let trades = server.get("/api/v1/portfolios/growth").await["trades"].as_array().unwrap().len();
    assert!(trades > 0, "an order that waited was filled, so that there is something to verify");

    let before = openings(&database(&home)).await;
    let runs = [
        (rating, "the rating, from the portfolio manager's last answer", 1),
        (at_the_close, "the ledger's entry of the decision", 1),
        (next_price, "what the market did before the decision, and to its orders", 1),
        (after_the_fill, "the portfolio that was decided on", 1),
        // Itself, a scan, two analyses or more, and the portfolio's run.
        (auto, "what the portfolio decided and traded, from its run", 4),
        // Itself, and for each of two decisions the day's run with an analysis.
        (backtest, "what was booked of the decision of 2022-04-01", 5),
    ];
    for (run, checked, least) in runs {
        let (said, code) = verified(&home, run).await;
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&format!("holds    {checked}")), "{said}");
        assert!(
            said.ends_with("All that was decided and booked equals what is derived from the log.\n"),
            "{said}"
        );
        let count = said.lines().last().unwrap().split_whitespace().next().unwrap();
        assert!(count.parse::<u32>().unwrap() >= least, "{said}");
    }
    assert_eq!(openings(&database(&home)).await, before, "the data are read, and nothing is written");
    assert_eq!(server.text("/healthz").await, "ok");
}

#[tokio::test]
async fn an_automatic_run_at_own_prices_hands_them_to_its_runs_and_is_verified_by_them() {
    let home = home();
    let server = home.start().await;
    let content = json!({ "adjustment": "raw", "csv": own_prices::table() });
    let document = json!({ "kind": "prices", "title": "Mine", "content": content });
    let (_, made) = server.post("/api/v1/documents", document).await;
    let table = made["summary"]["id"].as_str().unwrap_or_else(|| panic!("{made}"));
    // The day lies after the shared prices end, so that there are prices of the table's one stock alone. It rises.
    let auto = json!({
        "type": "auto", "portfolio": "main_portfolio", "date": "2023-02-23", "prices": table, "analysts": ["market"],
    });
    let auto = finished(&server, auto).await;
    let runs = server.get(&format!("/api/v1/runs?flow={FLOW}")).await;
    let named: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| &run["request"]["workflow"]).collect();
    assert_eq!(named.len(), 4, "itself, the scan, an analysis and the portfolio's run: {named:?}");
    for workflow in named {
        assert_eq!(workflow["prices"], format!("{table}@1"), "{workflow}");
    }
    let portfolio = server.get("/api/v1/portfolios/main_portfolio").await;
    assert_eq!(portfolio["price_table"], format!("{table}@1"));
    assert!(server.text("/portfolios/main_portfolio").await.contains("at own prices"));
    let holding = &portfolio["holdings"][0];
    // 100 + 0.2 * 298.
    assert_eq!((&holding["ticker"], &holding["price"]), (&json!("ACME"), &json!("159.6")), "{portfolio}");

    let (said, code) = verified(&home, auto).await;
    assert_eq!(code, 0, "{said}");
    for checked in ["the ledger's entry of the decision", "what the market did before the decision"] {
        assert!(said.contains(&format!("holds    {checked}")), "{said}");
    }

    // Its log names the version, whatever stands in the table now.
    let change = json!({ "base": 1, "content": { "csv": "ticker,date,close\nACME,2022-01-03,1\n" } });
    let answer = server.ask("PUT", &format!("/api/v1/documents/{table}")).json(&change).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let (said, code) = verified(&home, auto).await;
    assert_eq!(code, 0, "{said}");
}

#[tokio::test]
async fn a_changed_price_in_the_ledger_is_named_with_what_is_derived_and_what_is_recorded() {
    let (home, run) = bought().await;
    assert_eq!(verified(&home, run).await.1, 0);
    let price = "update ledger_entry set body = json_replace(body, '$.decided.trades[0].price', '310.403') \
                 where portfolio = 'main_portfolio' and json_extract(body, '$.decided.trades[0].ticker') = 'LLY'";
    change(&database(&home), price).await;
    let (said, code) = verified(&home, run).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("DIFFERS  the ledger's entry of the decision"), "{said}");
    // The close of 2022-06-30, as the sample has it.
    let difference = r#"decided/trades/0/price: "320.403" is derived, "310.403" is recorded"#;
    assert!(said.contains(difference), "{said}");
    assert!(said.ends_with("Something recorded is not what is derived from the log.\n"), "{said}");
}

#[tokio::test]
async fn a_changed_quantity_of_a_trade_in_the_log_is_named() {
    let (home, run) = bought().await;
    // The trade as the run shows it, and the entry that its state holds.
    let shown = "update block set lines = json_replace(lines, '$.body.data.data', \
                 replace(json_extract(lines, '$.body.data.data'), '\"quantity\":\"15\"', '\"quantity\":\"16\"')) \
                 where json_extract(lines, '$.body.data.kind') = 'trading.trade'";
    change(&database(&home), shown).await;
    let (said, code) = verified(&home, run).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("DIFFERS  the trades, the waiting and the refused orders that the run shows"),
        "{said}"
    );
    assert!(said.contains(r#"0/0/quantity: "15" is derived, "16" is recorded"#), "{said}");
}

#[tokio::test]
async fn a_ledger_without_the_decision_and_one_with_other_cash_at_its_beginning_are_found() {
    let (home, run) = bought().await;
    let cash = "update ledger_entry set body = json_replace(body, '$.opened.cash', '100001') where number = 1 \
                and portfolio = 'main_portfolio'";
    change(&database(&home), cash).await;
    let (said, code) = verified(&home, run).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("DIFFERS  the portfolio that was decided on"), "{said}");
    assert!(said.contains(r#"cash: "100001" is derived, "100000" is recorded"#), "{said}");

    change(&database(&home), "delete from ledger_entry where json_extract(body, '$.decided') is not null")
        .await;
    let (said, code) = verified(&home, run).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("DIFFERS  the ledger's entry of the decision"), "{said}");
    assert!(said.contains("none is recorded"), "{said}");
}

#[tokio::test]
async fn a_rating_that_is_not_what_the_model_answered_is_found_also_below_other_runs() {
    let home = home();
    let server = home.start().await;
    let auto =
        json!({ "type": "auto", "portfolio": "main_portfolio", "date": "2022-07-29", "max_tickers": 1 });
    let auto = finished(&server, auto).await;
    server.terminate().await;
    let rating = "update block set lines = json_replace(lines, '$.body.data.data', \
                  json_replace(json_extract(lines, '$.body.data.data'), '$.thesis', 'It will double.') || '') \
                  where json_extract(lines, '$.body.data.kind') = 'trading.rating'";
    change(&database(&home), rating).await;
    let (said, code) = verified(&home, auto).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("DIFFERS  the rating, from the portfolio manager's last answer"), "{said}");
    assert!(said.contains(r#""It will double." is recorded"#), "{said}");
}

#[tokio::test]
async fn what_cannot_be_verified_is_said_with_its_reason() {
    let home = home();
    let server = home.start().await;
    let scan = finished(&server, json!({ "type": "scan", "date": "2022-06-30" })).await;
    let (said, code) = verified(&home, scan).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the run decided and booked nothing that follows by rules"), "{said}");

    let slow = json!({ "type": "rehearsal", "characters_per_second": 1 });
    let workflow = json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" });
    let working = server.start_run(json!({ "workflow": workflow, "flow": FLOW, "model": slow })).await;
    let (said, code) = verified(&home, working).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("The run is still at work."), "{said}");

    pipeline(&server).await;
    let decided = decision(&server, "main_portfolio", "2022-06-30").await;
    let export = server.text(&format!("/api/v1/runs/{decided}/export.jsonl")).await;
    let (status, imported) = server.post_text("/api/v1/runs/import", export).await;
    assert_eq!(status, 201, "{imported}");
    let (said, code) = verify(&home, imported["run"].as_str().unwrap()).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("holds    the decision, from the decision maker's last answer"), "{said}");
    assert!(said.contains("The run was imported"), "{said}");

    let (said, code) = verify(&home, "01a221a4-3994-76db-9230-cffb8ee439a4").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("There is no run 01a221a4-3994-76db-9230-cffb8ee439a4"), "{said}");
    let (said, code) = verify(&Home::new(&[]), "01a221a4-3994-76db-9230-cffb8ee439a4").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("There is no file"), "{said}");
}
