//! A person's own prices: looked at, kept as a document, and chosen in runs.

use protocol::{Body, Frame, RunId, RunStatus, RunView};
use serde_json::{Value, json};

use crate::support::{Home, Server, Visitor, next_frame, two_accounts};

/// A table of a stock that no other prices know, on every weekday of 300, and until after the shared prices end.
pub fn table() -> String {
    let (mut table, mut day) =
        ("ticker,date,close,dividend,currency\n".to_owned(), "2022-01-03".parse::<protocol::Date>().unwrap());
    for number in 0..300 {
        while day.weekday().to_monday_zero_offset() > 4 {
            day = day.tomorrow().unwrap();
        }
        // It rises by 0.2 a day, with a dent each fifth day.
        let close = 1000 + 2 * number - if number % 5 == 4 { 6 } else { 0 };
        let dividend = if number == 100 { "0.25" } else { "" };
        table.push_str(&format!("ACME,{day},{}.{},{dividend},USD\n", close / 10, close % 10));
        day = day.tomorrow().unwrap();
    }
    table
}

async fn refusal(visitor: &Visitor, path: &str, body: Value) -> (u16, String) {
    let (status, answer) = visitor.answer("POST", path, Some(&body)).await;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    (status, answer["detail"].as_str().unwrap_or_default().to_owned())
}

async fn keep(visitor: &Visitor, csv: &str) -> String {
    let content = json!({ "adjustment": "raw", "csv": csv });
    let made = visitor
        .post("/api/v1/documents", json!({ "kind": "prices", "title": "Mine", "content": content }))
        .await;
    made["summary"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn run(workflow: Value) -> Value {
    json!({ "workflow": workflow, "model": { "type": "rehearsal", "characters_per_second": 0 } })
}

async fn end(visitor: &Visitor, workflow: Value) -> RunView {
    let started = visitor.post("/api/v1/runs", run(workflow)).await;
    let id = started["run"].as_str().unwrap_or_else(|| panic!("{started}"));
    visitor.wait_for_the_end(id).await;
    serde_json::from_value(visitor.get(&format!("/api/v1/runs/{id}")).await).unwrap()
}

#[tokio::test]
async fn a_table_of_own_prices_is_previewed_and_its_errors_are_told_by_line() {
    let (_server, anna, _) = two_accounts().await;
    let seen = anna.post("/api/v1/prices/preview", json!({ "csv": table() })).await;
    assert_eq!(
        seen,
        json!({
            "instruments": [
                { "ticker": "ACME", "days": 300, "from": "2022-01-03", "to": "2023-02-24", "dividends": 1, "splits": 0 },
            ],
            "errors": [],
            "more_errors": 0,
        })
    );
    let bad = "ticker,date,close\nACME,2022-01-03,ten\nACME,03.01.2022,10\n";
    let seen = anna.post("/api/v1/prices/preview", json!({ "csv": bad })).await;
    let lines: Vec<_> =
        seen["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64()).collect();
    assert_eq!(lines, [Some(2), Some(3)], "{seen}");

    let content = json!({ "adjustment": "raw", "csv": bad });
    let made = json!({ "kind": "prices", "title": "Bad", "content": content });
    let (status, why) = refusal(&anna, "/api/v1/documents", made).await;
    assert_eq!(status, 422);
    assert!(why.contains("Line 2: “ten” is no close") && why.contains("Line 3:"), "{why}");
    let unknown =
        json!({ "kind": "prices", "title": "Bad", "content": { "csv": table(), "adjustment": "magic" } });
    assert_eq!(refusal(&anna, "/api/v1/documents", unknown).await.0, 422);
    let large = json!({ "csv": format!("ticker,date,close\n{}", "ACME,2022-01-03,1\n".repeat(40_000)) });
    let (status, _) =
        refusal(&anna, "/api/v1/documents", json!({ "kind": "prices", "title": "Large", "content": large }))
            .await;
    assert!(matches!(status, 413 | 422), "{status}");
}

#[tokio::test]
async fn an_analysis_and_a_backtest_take_the_own_prices_that_they_name_and_nobody_elses() {
    let (_server, anna, bert) = two_accounts().await;
    let analysis = |prices: Option<&str>, ticker: &str, date: &str| {
        let mut workflow =
            json!({ "type": "pipeline", "ticker": ticker, "date": date, "analysts": ["market"] });
        if let Some(prices) = prices {
            workflow["prices"] = prices.into();
        }
        workflow
    };
    let field = async |visitor: &Visitor| {
        let options = visitor.get("/api/v1/start-options").await;
        let kinds = options["kinds"].as_array().unwrap_or_else(|| panic!("{options}")).clone();
        let pipeline = kinds.into_iter().find(|kind| kind["spec"]["kind"] == "pipeline").unwrap();
        pipeline["parameters"]["properties"]["prices"].clone()
    };
    assert_eq!(field(&anna).await, Value::Null, "there is nothing to choose from");
    let prices = keep(&anna, &table()).await;
    assert_eq!(field(&anna).await["oneOf"], json!([{ "const": prices, "title": "Mine" }]));
    assert_eq!(field(&bert).await, Value::Null);

    // The last day of the table lies after the shared prices end.
    let view = end(&anna, analysis(Some(&prices), "acme", "2023-02-24")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let workflow = serde_json::to_value(&view.summary.request.workflow).unwrap();
    assert_eq!(workflow["prices"], format!("{prices}@1"), "the log names the version");
    let report = view.reports.iter().find(|report| report.name == "market_report").unwrap();
    let close = report.figures.iter().find(|figure| figure.label == "Close").unwrap();
    // 100 + 0.2 * 299, less the dent of 0.6.
    assert_eq!(close.value, "159.20");
    assert!(close.source.starts_with("Own data, as of 2023-02-24"), "{}", close.source);
    // What the table does not have comes from the shared prices.
    let view = end(&anna, analysis(Some(&prices), "KO", "2022-06-30")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);

    for (visitor, workflow, words) in [
        (&anna, analysis(None, "ACME", "2022-06-30"), "no prices of ACME"),
        (&anna, analysis(Some(&prices), "ACMEE", "2022-06-30"), "no prices of ACMEE as of 2022-06-30"),
        (&anna, analysis(Some(&prices), "ACME", "2021-12-31"), "no prices of ACME as of 2021-12-31"),
        (&anna, analysis(Some(&prices), "ACME", "2023-02-25"), "2016-01-04 to 2023-02-24"),
        (&bert, analysis(Some(&prices), "ACME", "2022-06-30"), "There is no document"),
    ] {
        let (status, why) = refusal(visitor, "/api/v1/runs", run(workflow)).await;
        assert_eq!(status, 422, "{why}");
        assert!(why.contains(words), "{why}");
    }

    let backtest = json!({
        "type": "backtest", "tickers": ["ACME"], "from": "2022-12-01", "to": "2023-02-24", "rhythm": "monthly",
        "analysts": ["market"], "prices": prices,
    });
    let view = end(&anna, backtest).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let report = anna.get(&format!("/api/v1/backtests/{}", view.summary.run)).await;
    let trades = report["result"]["trades"].as_array().unwrap_or_else(|| panic!("{report}"));
    assert!(trades.iter().any(|trade| trade["ticker"] == "ACME" && trade["side"] == "BUY"), "{trades:?}");
}

#[tokio::test]
async fn a_scan_an_automatic_run_and_a_portfolio_take_own_prices_and_nobody_elses() {
    let (_server, anna, bert) = two_accounts().await;
    let prices = keep(&anna, &table()).await;
    for visitor in [&anna, &bert] {
        let portfolio = json!({ "id": "book", "name": "Book", "cash": "100000" });
        visitor.post("/api/v1/portfolios", portfolio).await;
    }
    let options = anna.get("/api/v1/start-options").await;
    let field = |kind: &str| {
        let kinds = options["kinds"].as_array().unwrap_or_else(|| panic!("{options}"));
        let found = kinds.iter().find(|found| found["spec"]["kind"] == kind).unwrap();
        found["parameters"]["properties"]["prices"]["oneOf"].clone()
    };
    let mine = json!({ "const": prices, "title": "Mine" });
    assert_eq!(field("scan"), json!([mine]));
    for kind in ["auto", "portfolio"] {
        assert_eq!(field(kind), json!([{ "const": "shared", "title": "Shared prices" }, mine]), "{kind}");
    }

    let scan = json!({ "type": "scan", "date": "2023-02-24", "prices": prices });
    let view = end(&anna, scan.clone()).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let workflow = serde_json::to_value(&view.summary.request.workflow).unwrap();
    assert_eq!(workflow["prices"], format!("{prices}@1"), "the log names the version");
    let report = view.reports.iter().find(|report| report.name == "market_movers_report").unwrap();
    let advancers = report.figures.iter().find(|figure| figure.label == "Advancers").unwrap();
    assert_eq!(advancers.value, "0 of 1", "its one stock fell by 0.4 on the day");

    let auto = json!({ "type": "auto", "portfolio": "book", "date": "2023-02-24", "prices": prices });
    let portfolio =
        json!({ "type": "portfolio", "portfolio": "book", "date": "2023-02-24", "prices": prices });
    for workflow in [scan, auto, portfolio] {
        let (status, why) = refusal(&bert, "/api/v1/runs", run(workflow.clone())).await;
        assert_eq!(status, 422, "{why}");
        assert!(why.contains("There is no document") && !why.contains("Mine"), "{why}");
        let mut shared = workflow;
        shared["prices"] = Value::Null;
        let (status, why) = refusal(&anna, "/api/v1/runs", run(shared)).await;
        assert_eq!(status, 422, "the shared prices end before the day");
        assert!(why.contains("2016-01-04 to 2022-12-28"), "{why}");
    }
}

/// The version of a table that a run names, and that its portfolio's ledger names last.
async fn named(server: &Server, run: RunId) -> [Value; 2] {
    let view = RunView::fold(&server.events_to_end(run, 0).await).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let portfolio = server.get("/api/v1/portfolios/main_portfolio").await;
    let workflow = serde_json::to_value(&view.summary.request.workflow).unwrap();
    [workflow["prices"].clone(), portfolio["price_table"].clone()]
}

/// A run that continues this one from a point.
async fn continued(server: &Server, run: RunId, point: Value) -> RunId {
    let (status, accepted) =
        server.post(&format!("/api/v1/runs/{run}/forks"), json!({ "point": point })).await;
    assert_eq!(status, 201, "{accepted}");
    accepted["run"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_run_at_own_prices_keeps_their_version_when_it_is_continued_made_again_or_killed() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let content = json!({ "adjustment": "raw", "csv": table() });
    let document = json!({ "kind": "prices", "title": "Mine", "content": content });
    let (_, made) = server.post("/api/v1/documents", document).await;
    let table = made["summary"]["id"].as_str().unwrap_or_else(|| panic!("{made}"));
    let first = json!(format!("{table}@1"));
    let start = async |workflow: Value, pace: u32| {
        let model = json!({ "type": "rehearsal", "characters_per_second": pace });
        server.start_run(json!({ "workflow": workflow, "model": model, "flow": "mine" })).await
    };
    let analysis = json!({
        "type": "pipeline", "ticker": "ACME", "date": "2023-02-23", "analysts": ["market"], "prices": table,
    });
    let analysis = start(analysis, 0).await;
    assert_eq!(named(&server, analysis).await, [first.clone(), Value::Null], "nothing has traded yet");
    // From here on the table's newest version says something else.
    let change = json!({ "base": 1, "content": { "csv": "ticker,date,close\nACME,2022-01-03,1\n" } });
    let answer = server.ask("PUT", &format!("/api/v1/documents/{table}")).json(&change).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());

    let again = continued(&server, analysis, json!({ "type": "phase", "phase": "Analysts" })).await;
    assert_eq!(named(&server, again).await[0], first);
    let view = RunView::fold(&server.events_to_end(again, 0).await).unwrap();
    let report = view.reports.iter().find(|report| report.name == "market_report").unwrap();
    let close = report.figures.iter().find(|figure| figure.label == "Close").unwrap();
    // 100 + 0.2 * 298.
    assert_eq!(close.value, "159.60");

    let decided =
        start(json!({ "type": "portfolio", "portfolio": "main_portfolio", "date": "2023-02-23" }), 1000)
            .await;
    let mut socket = server.connect(&format!("/ws/v1/runs/{decided}")).await;
    loop {
        if let Some(Frame::Event(event)) = next_frame(&mut socket).await
            && matches!(event.body, Body::CallStarted(_))
        {
            break;
        }
    }
    server.kill().await;
    let server = home.start().await;
    assert_eq!(named(&server, decided).await, [first.clone(), first.clone()]);
    let portfolio = server.get("/api/v1/portfolios/main_portfolio").await;
    let holding = &portfolio["holdings"][0];
    assert_eq!((&holding["ticker"], &holding["price"]), (&json!("ACME"), &json!("159.6")), "{portfolio}");
    let entries = portfolio["entries"].as_u64().unwrap();

    let other = continued(&server, decided, json!({ "type": "before", "node": "make_decision" })).await;
    assert_eq!(named(&server, other).await, [first.clone(), first]);
    let portfolio = server.get("/api/v1/portfolios/main_portfolio").await;
    assert!(portfolio["entries"].as_u64().unwrap() > entries, "it has decided once more");
    assert_eq!(portfolio["holdings"][0]["price"], "159.6");
}

#[tokio::test]
async fn a_ticker_without_prices_is_said_before_the_start_with_what_there_is() {
    let (_server, anna, bert) = two_accounts().await;
    let said = async |visitor: &Visitor, workflow: Value| {
        let remarks = visitor.post("/api/v1/start-remarks", workflow).await;
        let remarks = remarks.as_array().unwrap_or_else(|| panic!("{remarks}")).clone();
        let word = |remark: &Value, name: &str| remark[name].as_str().unwrap().to_owned();
        remarks.iter().map(|remark| (word(remark, "parameter"), word(remark, "detail"))).collect::<Vec<_>>()
    };
    let pipeline = |ticker: &str| json!({ "type": "pipeline", "ticker": ticker, "date": "2022-06-30" });
    assert_eq!(said(&anna, pipeline("KO")).await, []);
    let unknown = said(&anna, pipeline(" zzzz ")).await;
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(unknown[0].0, "ticker");
    for words in [
        "no prices of ZZZZ as of 2022-06-30",
        "There are prices of AAPL, ",
        " and 20 more",
        "import your own prices",
    ] {
        assert!(unknown[0].1.contains(words), "{words}: {unknown:?}");
    }
    // What is missing or no ticker at all is said by the form itself.
    for incomplete in [
        json!({ "type": "pipeline" }),
        pipeline("no ticker"),
        json!({ "type": "backtest", "tickers": "[\"A" }),
    ] {
        assert_eq!(said(&anna, incomplete).await, []);
    }
    let backtest = json!({ "type": "backtest", "tickers": ["KO", "ACME", "ZZZZ"], "to": "2022-06-30" });
    let first = said(&anna, backtest.clone()).await;
    assert!(
        first.len() == 1 && first[0].0 == "tickers" && first[0].1.contains("no prices of ACME"),
        "{first:?}"
    );

    let prices = keep(&anna, &table()).await;
    let mut own = pipeline("ACME");
    own["prices"] = json!(prices);
    assert_eq!(said(&anna, own.clone()).await, []);
    own["date"] = json!("2021-12-31");
    let early = said(&anna, own.clone()).await;
    assert!(
        early[0].1.contains("no prices of ACME as of 2021-12-31")
            && early[0].1.contains("Choose a later day"),
        "{early:?}"
    );
    own["ticker"] = json!("ACMEE");
    assert!(said(&anna, own.clone()).await[0].1.contains("There are prices of ACME, AAPL, "));
    let (status, why) = refusal(&bert, "/api/v1/start-remarks", own).await;
    assert!(status == 422 && why.contains("There is no document"), "{why}");
    let mut named = backtest;
    named["prices"] = json!(prices);
    let said = said(&anna, named).await;
    assert!(said[0].1.contains("no prices of ZZZZ"), "what the table has is not said: {said:?}");
}

#[tokio::test]
async fn the_page_of_own_prices_lists_tables_and_says_what_a_file_has() {
    let (_server, anna, bert) = two_accounts().await;
    let (status, page) = anna.answer("GET", "/prices", None).await;
    assert_eq!(status, 200);
    for words in ["Own prices", "Choose a file", "There is no table yet"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let prices = keep(&anna, &table()).await;
    let (_, page) = anna.answer("GET", "/prices", None).await;
    for words in ["Mine", &format!("/start?type=backtest&amp;prices={prices}"), "Delete Mine"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!bert.answer("GET", "/prices", None).await.1.contains("Mine"));
}
