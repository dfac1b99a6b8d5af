//! A stock, a decision and a portfolio's risk as a whole: over REST and on their pages, each account's own.

use serde_json::{Value, json};

use crate::support::{Visitor, two_accounts};

/// Starts a run and waits for its end.
async fn run(visitor: &Visitor, flow: &str, workflow: Value) -> String {
    let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let request = json!({ "workflow": workflow, "model": model, "flow": flow });
    let started = visitor.post("/api/v1/runs", request).await;
    let run = started["run"].as_str().unwrap().to_owned();
    visitor.wait_for_the_end(&run).await;
    let summary = visitor.get(&format!("/api/v1/runs/{run}")).await["summary"].clone();
    assert_eq!(summary["status"], "succeeded", "{summary}");
    run
}

fn pipeline(ticker: &str, date: &str) -> Value {
    json!({ "type": "pipeline", "ticker": ticker, "date": date, "analysts": ["market"] })
}

#[tokio::test]
async fn a_stock_is_shown_with_its_analyses_orders_and_lessons() {
    let (_server, anna, bert) = two_accounts().await;
    run(&anna, "first", pipeline("KO", "2022-06-30")).await;
    run(&anna, "second", json!({ "type": "reflect", "date": "2022-08-01" })).await;
    let second = run(&anna, "second", pipeline("KO", "2022-09-01")).await;
    let last = run(&anna, "third", pipeline("KO", "2022-12-20")).await;

    let stock = anna.get("/api/v1/stocks/ko").await;
    assert_eq!((&stock["ticker"], &stock["span"]), (&json!("KO"), &json!("1y")));
    let course = &stock["prices"]["known"];
    let (drawn, days) = (course["closes"].as_array().unwrap().len(), course["days"].as_u64().unwrap());
    assert_eq!(drawn as u64, days, "a year has no more closes than a chart can show");
    let analyses = stock["analyses"].as_array().unwrap();
    let of = |field: &str| analyses.iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("date"), ["2022-06-30", "2022-09-01", "2022-12-20"], "oldest first");
    assert_eq!((&analyses[1]["run"], &analyses[2]["run"]), (&json!(second), &json!(last)));
    // No analysis knew what became known after its day.
    let told = of("lessons");
    assert_eq!(told[0], json!({ "known": { "on_stock": [], "on_others": 0 } }));
    assert_eq!(told[1], json!({ "known": { "on_stock": ["2022-06-30"], "on_others": 0 } }));
    // The outcome is the one that the lesson rests on; the last one's month is not over by the end of the prices.
    let lesson = &stock["lessons"][0]["lesson"];
    assert_eq!(analyses[0]["outcome"]["score"], lesson["score"]);
    assert_eq!(analyses[0]["outcome"]["verdict"], lesson["verdict"]);
    assert_eq!(analyses[2]["outcome"], json!({ "state": "open", "known_from": "2023-01-20" }));
    let prices = &analyses[0]["saw"][0];
    assert_eq!((&prices["kind"], &prices["to"]), (&json!("prices"), &json!("2022-06-30")));

    let all = anna.get("/api/v1/stocks/KO?span=all").await;
    let course = &all["prices"]["known"];
    assert!(course["closes"].as_array().unwrap().len() <= 502, "thinned");
    assert!(course["days"].as_u64().unwrap() > 1000, "and it says of how many");
    assert_eq!(anna.answer("GET", "/api/v1/stocks/KO?span=ever", None).await.0, 422);

    let (status, page) = anna.answer("GET", "/tickers/KO", None).await;
    assert_eq!(status, 200);
    for words in ["Coca-Cola", "Past analyses side by side", "A3", "known from 20 Jan 2023 on", "L1"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // What is another's is not shown; what nobody knows does not exist.
    let others = bert.get("/api/v1/stocks/KO").await;
    for list in ["analyses", "lessons", "positions"] {
        assert_eq!(others[list], json!([]), "{list}");
    }
    assert_eq!(bert.answer("GET", "/api/v1/stocks/ZZZZ", None).await.0, 404);
    for path in ["/tickers/ZZZZ", "/tickers/KO%20KO"] {
        let (status, page) = bert.answer("GET", path, None).await;
        assert_eq!(status, 404, "{path}");
        assert!(page.contains("This does not exist"), "{page}");
    }
}

#[tokio::test]
async fn a_decision_tells_what_the_manager_saw_and_what_became_of_each_order() {
    let (_server, anna, bert) = two_accounts().await;
    // Orders wait for the next price by the rules of a new portfolio.
    anna.post("/api/v1/portfolios", json!({ "id": "growth", "name": "Growth", "cash": "100000" })).await;
    for ticker in ["KO", "LLY", "MRK"] {
        run(&anna, "shared", pipeline(ticker, "2022-06-30")).await;
    }
    let workflow = json!({ "type": "portfolio", "portfolio": "growth", "date": "2022-06-30" });
    let decision = run(&anna, "shared", workflow).await;

    let report = anna.get(&format!("/api/v1/decisions/{decision}")).await;
    assert_eq!(report["before"]["cash"], "100000");
    let candidates: Vec<&str> =
        report["candidates"].as_array().unwrap().iter().map(|it| it["ticker"].as_str().unwrap()).collect();
    assert_eq!(candidates.len(), 3, "{candidates:?}");
    assert!(!report["macro_brief"].as_str().unwrap().is_empty());
    let orders = report["orders"].as_array().unwrap();
    let decided = report["decision"]["orders"].as_array().unwrap();
    assert!(!decided.is_empty(), "the rehearsal buys: {report}");
    // The ledger fills at the next price what the run itself left waiting.
    let trades = anna.get("/api/v1/portfolios/growth").await["trades"].clone();
    for order in orders {
        let (ticker, end) = (&order["order"]["ticker"], &order["end"]);
        if end["state"] == "filled" {
            assert_eq!(end["trade"]["date"], "2022-07-01", "{order}");
            let trade = trades.as_array().unwrap().iter().find(|trade| trade["ticker"] == *ticker).unwrap();
            for field in ["key", "price", "quantity"] {
                assert_eq!(end["trade"][field], trade[field], "{order}");
            }
        } else {
            assert!(!end["reasons"].as_array().unwrap().is_empty(), "{order}");
        }
    }
    assert!(orders.iter().any(|order| order["end"]["state"] == "filled"), "{report}");

    let (status, page) = anna.answer("GET", &format!("/decisions/{decision}"), None).await;
    assert_eq!(status, 200);
    for words in ["What the manager was told", "What became of each order", "On 1 Jul 2022", "Rated stocks"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // A stock that it bought tells of the order, and leads here.
    let bought = orders.iter().find(|order| order["end"]["state"] == "filled").unwrap();
    let ticker = bought["order"]["ticker"].as_str().unwrap();
    let position = anna.get(&format!("/api/v1/stocks/{ticker}")).await["positions"][0].clone();
    assert_eq!(position["portfolio"], "anna--growth");
    assert_eq!(position["held"], json!([{ "date": "2022-07-01", "quantity": bought["order"]["quantity"] }]));
    assert_eq!(position["orders"][0]["flow"], "shared");
    let (_, page) = anna.answer("GET", &format!("/tickers/{ticker}"), None).await;
    assert!(page.contains(&format!("/decisions/{decision}")), "{page}");
    // A run of another kind decides nothing, and another's run does not exist.
    let analysis = run(&anna, "shared", pipeline("XOM", "2022-06-30")).await;
    assert_eq!(anna.answer("GET", &format!("/api/v1/decisions/{analysis}"), None).await.0, 404);
    for path in ["/api/v1/decisions/", "/decisions/"] {
        assert_eq!(bert.answer("GET", &format!("{path}{decision}"), None).await.0, 404, "{path}");
    }
}

/// AgentOS 6.A 19, 6.A 20.
#[tokio::test]
async fn the_risk_of_a_portfolio_is_told_with_what_is_not_known() {
    let (_server, anna, bert) = two_accounts().await;
    anna.post("/api/v1/portfolios", json!({ "id": "growth", "name": "Growth", "cash": "100000" })).await;
    let risk = anna.get("/api/v1/portfolios/growth/risk").await;
    assert_eq!((&risk["returns"], &risk["underwater"]), (&json!(0), &json!([])));
    assert!(risk["value_at_risk"]["not_available"].is_object(), "{risk}");
    assert_eq!(bert.answer("GET", "/api/v1/portfolios/anna--growth/risk", None).await.0, 404);

    let (status, page) = anna.answer("GET", "/portfolios/growth", None).await;
    assert_eq!(status, 200);
    for words in ["VaR 95 %, a day", "not enough history", "Max drawdown"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
