//! What is read of a workflow's JSON, and what older logs say of workflows and results.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{
    Body, Event, Heading, ProductData, ProductTone, RunSummary, Standing, Workflow,
    trading::{Analyst, Decision, PortfolioView, Rating, RejectedOrder, Task, Trade, TradingPrices},
};
use serde_json::{Value, json};

#[test]
fn a_workflow_of_any_kind_is_kept_as_it_is() {
    for json in [
        r#"{"type":"council","blueprint":"essay","rounds":3,"deep":{"a":[1,null,"x"]}}"#,
        r#"{"type":"pipeline","ticker":"AAPL","date":"2022-99-30"}"#,
        r#"{"type":"bare"}"#,
    ] {
        let read: Workflow = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}

#[test]
fn what_is_no_workflow_or_too_large_for_one_is_refused() {
    let deep = format!(r#"{{"type":"a","x":{}1{}}}"#, "[".repeat(17), "]".repeat(17));
    let large = format!(r#"{{"type":"a","x":"{}"}}"#, "x".repeat(40_000));
    let wide = format!(r#"{{"type":"a","x":[{}0]}}"#, "0,".repeat(10_000));
    for wrong in [
        r#"{"ticker":"AAPL"}"#,
        r#"{"type":"Council"}"#,
        r#"{"type":"../etc"}"#,
        r#"{"type":"a","type":"b"}"#,
        r#"["a"]"#,
        &deep,
        &large,
        &wide,
    ] {
        assert!(serde_json::from_str::<Workflow>(wrong).is_err(), "{wrong:.60}");
    }
    assert!(serde_json::from_str::<Workflow>(&deep.replacen("[[", "[", 1).replacen("]]", "]", 1)).is_ok());
    let nested = [("type".to_owned(), json!("b"))].into_iter().collect();
    assert!(Workflow::new("a".parse().unwrap(), nested).is_err(), "its JSON would name two kinds");
}

#[test]
fn a_task_survives_the_general_form() {
    let date = "2022-06-30".parse().unwrap();
    let analysts = vec![Analyst::Market, Analyst::News];
    let table = "0197a1b2-0000-7000-8000-000000000000@3".parse().unwrap();
    for task in [
        Task::Pipeline {
            ticker: "AAPL".parse().unwrap(),
            date,
            analysts: analysts.clone(),
            portfolio: None,
            prices: None,
        },
        Task::Pipeline {
            ticker: "KO".parse().unwrap(),
            date,
            analysts: analysts.clone(),
            portfolio: "main".parse().ok(),
            prices: "0197a1b2-0000-7000-8000-000000000000@3".parse().ok(),
        },
        Task::Portfolio { portfolio: "main".parse().unwrap(), date, prices: Some(TradingPrices::Shared) },
        Task::Scan { date, max_tickers: 3, prices: Some(table) },
        Task::Auto {
            portfolio: "main".parse().unwrap(),
            date,
            max_tickers: 3,
            max_concurrent_pipelines: 1,
            analysts,
            force: true,
            prices: Some(TradingPrices::Own(table)),
        },
        Task::Reflect { date, max_lessons: 5 },
    ] {
        let workflow = Workflow::from(task.clone());
        assert_eq!(serde_json::to_value(&workflow).unwrap(), serde_json::to_value(&task).unwrap());
        assert_eq!(Task::of(&workflow), Some(task));
    }
    let wrong: Workflow =
        serde_json::from_str(r#"{"type":"pipeline","ticker":"A B","date":"2022-06-30"}"#).unwrap();
    assert!(Task::read(&wrong).unwrap().unwrap_err().to_string().contains("ticker"));
    let short: Workflow = serde_json::from_str(r#"{"type":"scan","date":"2022-06-30"}"#).unwrap();
    assert_eq!(Task::of(&short), Some(Task::Scan { date, max_tickers: 10, prices: None }));
    let short: Workflow = serde_json::from_str(r#"{"type":"reflect","date":"2022-06-30"}"#).unwrap();
    assert_eq!(Task::of(&short), Some(Task::Reflect { date, max_lessons: 20 }));
    assert!(Task::read(&Workflow::bare("council".parse().unwrap())).is_none());
}

fn event(body: Value) -> Event {
    let run = "0197a1b2-0000-7000-8000-000000000000";
    serde_json::from_value(json!({ "run": run, "seq": 1, "at": 5, "body": body })).unwrap()
}

fn started(workflow: Value) -> Event {
    let request = json!({ "workflow": workflow, "flow": "f" });
    event(json!({ "kind": "run_started", "data": { "request": request } }))
}

#[test]
fn a_start_without_a_heading_gets_one() {
    let heading = |event: Event| match event.body {
        Body::RunStarted(started) => started.heading,
        other => panic!("{other:?}"),
    };
    let pipeline =
        started(json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": [] }));
    let summary = RunSummary::begin(&pipeline).unwrap();
    assert_eq!(
        (summary.title.as_str(), summary.subject.as_deref()),
        ("Pipeline · AAPL · 2022-06-30", Some("AAPL"))
    );
    assert_eq!(summary.as_of, Some("2022-06-30".parse().unwrap()));
    assert_eq!(
        heading(started(json!({ "type": "council" }))),
        Heading::new("council · made by another version")
    );
    // One that says what it is called is called so.
    let mut said = serde_json::to_value(pipeline).unwrap();
    said["body"]["data"]["heading"] = json!({ "title": "Mine", "badge": "draft" });
    assert_eq!(heading(serde_json::from_value(said).unwrap()).badge.as_deref(), Some("draft"));
}

#[test]
fn a_summary_without_a_subject_gets_that_of_its_title() {
    let pipeline =
        started(json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": [] }));
    let summary = RunSummary::begin(&pipeline).unwrap();
    let mut stored = serde_json::to_value(&summary).unwrap();
    for later in ["subject", "as_of"] {
        stored.as_object_mut().unwrap().remove(later);
    }
    assert_eq!(serde_json::from_value::<RunSummary>(stored).unwrap(), summary);
}

#[test]
fn bodies_of_earlier_versions_are_products() {
    let order = json!({ "side": "BUY", "ticker": "LLY", "quantity": "15", "rationale": "r" });
    let cases = [
        (
            "rated",
            Rating::KIND,
            json!({ "grade": "underweight", "confidence": "low" }),
            "Underweight, low confidence",
            ProductTone::Bad,
            Standing::Result,
        ),
        (
            "decision_made",
            Decision::KIND,
            json!({ "orders": [order] }),
            "0 sells, 1 buy",
            ProductTone::Neutral,
            Standing::Result,
        ),
        (
            "trade_executed",
            Trade::KIND,
            json!({ "side": "SELL", "ticker": "LLY", "quantity": "15", "price": "320.403" }),
            "SELL 15 LLY at 320.403",
            ProductTone::Good,
            Standing::Step,
        ),
        (
            "trade_rejected",
            RejectedOrder::KIND,
            json!({ "order": order, "reasons": ["a", "b"] }),
            "BUY 15 LLY: a; b",
            ProductTone::Bad,
            Standing::Step,
        ),
        (
            "portfolio_valued",
            PortfolioView::KIND,
            json!({ "name": "Main" }),
            "Main",
            ProductTone::Neutral,
            Standing::Data,
        ),
    ];
    for (earlier, kind, data, headline, tone, standing) in cases {
        let Body::Produced(product) = event(json!({ "kind": earlier, "data": data })).body else {
            panic!("{earlier}")
        };
        assert_eq!((product.kind.as_str(), product.headline.as_str()), (kind, headline));
        assert_eq!((product.tone, product.standing), (tone, standing));
        assert_eq!(serde_json::from_str::<Value>(product.data.shown()).unwrap(), data);
        // Written anew, it is read as the same.
        let written = serde_json::to_value(Body::Produced(product.clone())).unwrap();
        assert_eq!(serde_json::from_value::<Body>(written).unwrap(), Body::Produced(product));
    }
    // Data that the kind never had are kept as they are.
    assert!(matches!(event(json!({ "kind": "rated", "data": { "grade": 7 } })).body, Body::Unknown(_)));
}
