//! What AgentOS's clients may ask for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use protocol::{
    Date, ForkPoint, ModelChoice, Problem, RunAccepted, StartRun,
    trading::{Analyst, Task},
};
use serde_json::{Value, json};
use wire::agentos::{
    InvalidRequest, PortfolioStage, PortfolioStageResponse, RerunNode, RerunPhase, RerunResponse, Trigger,
    TriggerResponse, start_run,
};

fn today() -> Date {
    "2022-06-30".parse().unwrap()
}

fn start(trigger: Trigger, body: &Value) -> Result<StartRun, InvalidRequest> {
    start_run(trigger, body.to_string().as_bytes(), today())
}

fn refusal(trigger: Trigger, body: &Value) -> String {
    start(trigger, body).unwrap_err().to_string()
}

#[test]
fn an_empty_body_starts_the_default_pipeline() {
    for body in ["", "  \n", "{}", r#"{"ticker":null,"date":null,"analysts":null,"flow_id":null}"#] {
        let asked = start_run(Trigger::Pipeline, body.as_bytes(), today()).unwrap();
        let expected = Task::Pipeline {
            ticker: "AAPL".parse().unwrap(),
            date: "2022-06-30".parse().unwrap(),
            analysts: vec![Analyst::Market, Analyst::News, Analyst::Fundamentals],
            portfolio: None,
            prices: None,
        };
        assert_eq!(asked.workflow, expected.into(), "{body:?}");
        assert_eq!(asked.flow, None);
        assert_eq!(asked.model, ModelChoice::Configured);
    }
}

#[test]
fn a_pipeline_takes_its_parameters_and_ignores_others() {
    let body = json!({
        "ticker": "nvda", "date": "2022-05-02", "analysts": ["social", "market", "social"],
        "flow_id": "1a2b3c4d", "force": true, "max_tickers": "three", "portfolio_id": "../x",
    });
    let asked = start(Trigger::Pipeline, &body).unwrap();
    let expected = Task::Pipeline {
        ticker: "NVDA".parse().unwrap(),
        date: "2022-05-02".parse().unwrap(),
        analysts: vec![Analyst::Social, Analyst::Market],
        portfolio: None,
        prices: None,
    };
    assert_eq!(asked.workflow, expected.into());
    assert_eq!(asked.flow.unwrap().as_str(), "1a2b3c4d");
}

/// AgentOS 6.C 5.
#[test]
fn a_run_without_a_portfolio_is_of_the_main_one() {
    for (body, portfolio) in [
        (json!({}), "main_portfolio"),
        (json!({"portfolio_id": "main_portfolio"}), "main_portfolio"),
        (json!({"portfolio_id": "income"}), "income"),
    ] {
        match Task::of(&start(Trigger::Portfolio, &body).unwrap().workflow).unwrap() {
            Task::Portfolio { portfolio: chosen, .. } => assert_eq!(chosen.as_str(), portfolio),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_mock_run_is_answered_by_the_rehearsal_at_the_asked_speed() {
    let speed = |body: Value| match start(Trigger::Mock, &body).unwrap().model {
        ModelChoice::Rehearsal { characters_per_second } => characters_per_second.unwrap(),
        ModelChoice::Configured | ModelChoice::Profile { .. } => {
            panic!("a mock run must not ask a configured model")
        }
    };
    let normal = speed(json!({}));
    assert_eq!(speed(json!({"speed": 3})), 3 * normal);
    assert_eq!(speed(json!({"speed": 0.1})), normal / 10);

    let asked = start(Trigger::Mock, &json!({"mock_type": "pipeline", "ticker": "xom"})).unwrap();
    assert!(
        matches!(Task::of(&asked.workflow).unwrap(), Task::Pipeline { analysts, .. } if analysts == Analyst::all())
    );
    let asked = start(Trigger::Mock, &json!({"mock_type": "portfolio"})).unwrap();
    assert!(matches!(Task::of(&asked.workflow).unwrap(), Task::Portfolio { .. }));
}

#[test]
fn a_scan_and_an_automatic_run_take_their_parameters_and_ignore_others() {
    let body = json!({"date": "2022-05-02", "max_tickers": 3, "ticker": "../x", "force": "maybe"});
    let scan = Task::Scan { date: "2022-05-02".parse().unwrap(), max_tickers: 3, prices: None };
    assert_eq!(start(Trigger::Scan, &body).unwrap().workflow, scan.into());

    let auto = |max_tickers, analysts, force| Task::Auto {
        portfolio: "main_portfolio".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        max_tickers,
        max_concurrent_pipelines: 2,
        analysts,
        force,
        prices: None,
    };
    let usual = || vec![Analyst::Market, Analyst::News, Analyst::Fundamentals];
    assert_eq!(start(Trigger::Auto, &json!({})).unwrap().workflow, auto(10, usual(), false).into());
    let body =
        json!({"max_tickers": "4", "force": true, "ticker": ["AAPL"], "portfolio_id": "main_portfolio"});
    assert_eq!(start(Trigger::Auto, &body).unwrap().workflow, auto(4, usual(), true).into());

    let mock = start(Trigger::Mock, &json!({"mock_type": "auto"})).unwrap();
    assert_eq!(mock.workflow, auto(10, Analyst::all(), false).into());
    let mock = start(Trigger::Mock, &json!({"mock_type": "scan"})).unwrap();
    assert!(matches!(Task::of(&mock.workflow).unwrap(), Task::Scan { max_tickers: 10, .. }));
    assert!(matches!(mock.model, ModelChoice::Rehearsal { .. }));
}

/// AgentOS 6.C 1, E 1.
#[test]
fn a_refusal_names_the_parameter() {
    let pipeline = [
        ("date", json!("26/03/2026x/../../etc")),
        ("date", json!("2022-02-30")),
        ("date", json!("20220630")),
        ("date", json!("2022-06-30T00:00")),
        ("date", json!("")),
        ("date", json!(20220630)),
        ("ticker", json!("../etc")),
        ("ticker", json!("AAPL,MSFT")),
        ("ticker", json!("")),
        ("ticker", json!(["AAPL"])),
        ("analysts", json!([])),
        ("analysts", json!("market")),
        ("analysts", json!(["market", "astrology"])),
        ("flow_id", json!("../../etc")),
        ("flow_id", json!(7)),
    ];
    let mock = [
        ("mock_type", json!("reflect")),
        ("mock_type", json!(1)),
        ("speed", json!("fast")),
        ("speed", json!(0)),
        ("speed", json!(-1)),
        ("speed", json!(1e300)),
    ];
    let portfolio =
        [("portfolio_id", json!("a'; DROP TABLE trades")), ("portfolio_id", json!("")), ("date", json!([]))];
    let auto = [
        ("max_tickers", json!(0)),
        ("max_tickers", json!(21)),
        ("max_tickers", json!("three")),
        ("max_tickers", json!(1_000_000_000_000_u64)),
        ("max_tickers", json!(-1)),
        ("force", json!("yes")),
        ("portfolio_id", json!("../x")),
    ];
    let all = pipeline.into_iter().map(|case| (Trigger::Pipeline, case));
    let all = all.chain(mock.into_iter().map(|case| (Trigger::Mock, case)));
    let all = all.chain(auto.into_iter().map(|case| (Trigger::Auto, case)));
    for (trigger, (name, value)) in all.chain(portfolio.into_iter().map(|case| (Trigger::Portfolio, case))) {
        let sentence = refusal(trigger, &json!({name: value.clone()}));
        assert!(sentence.contains(&format!("\"{name}\"")), "{value}: {sentence}");
        assert!(sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn a_body_that_is_no_object_is_refused_with_status_422() {
    for body in ["[]", "7", "\"AAPL\"", "null", "{", "\u{0}", "{\"ticker\": }"] {
        let error = start_run(Trigger::Pipeline, body.as_bytes(), today()).unwrap_err();
        assert_eq!(Problem::from(error).status, 422, "{body:?}");
    }
}

#[test]
fn a_started_run_is_answered_as_queued() {
    let accepted = RunAccepted {
        run: "0197a1b2-0000-7000-8000-000000000000".parse().unwrap(),
        flow: "1a2b3c4d".parse().unwrap(),
    };
    assert_eq!(
        serde_json::to_value(TriggerResponse::from(&accepted)).unwrap(),
        json!({"run_id": "0197a1b2-0000-7000-8000-000000000000", "flow_id": "1a2b3c4d", "status": "queued"})
    );
}

/// Sections 1.4 and 2.7 of AgentOS's interface: its phases, and its refusals in their words and order.
#[test]
fn a_re_run_makes_the_phase_of_the_named_node_again() {
    let read = |body: Value| RerunNode::read(body.to_string().as_bytes()).unwrap().phase();
    for (nodes, phase, again) in [
        (
            ["Market Analyst", "Social Analyst", "News Analyst", "Fundamentals Analyst"],
            RerunPhase::Analysts,
            "Analysts",
        ),
        (
            ["Bull Researcher", "Bear Researcher", "Research Manager", "Trader"],
            RerunPhase::DebateAndTrader,
            "Debate",
        ),
        (
            ["Aggressive Analyst", "Conservative Analyst", "Neutral Analyst", "Portfolio Manager"],
            RerunPhase::Risk,
            "Risk debate",
        ),
    ] {
        for node in nodes {
            let (found, ticker) = read(json!({ "node_id": node, "identifier": "xom" })).unwrap();
            assert_eq!((found, ticker.as_str()), (phase, "XOM"), "{node}");
            assert_eq!(found.again().point, ForkPoint::Phase { phase: again.to_owned() });
        }
    }
    for other in ["geopolitical_scanner", "tool_get_news", "make_pm_decision", "trader", "review_holdings"] {
        let refusal = read(json!({ "node_id": other, "identifier": "XOM" })).unwrap_err();
        assert_eq!(refusal, InvalidRequest::UnknownNode(other.to_owned()));
    }
    for (body, words) in [
        (json!({ "node_id": "cash_sweep", "identifier": "XOM" }), "Unknown node_id: cash_sweep"),
        (json!({ "identifier": "" }), "Unknown node_id: "),
        (json!({ "node_id": "Trader" }), "identifier (ticker) is required"),
        (json!({ "node_id": "Trader", "identifier": " " }), "identifier (ticker) is required"),
    ] {
        let refusal = read(body).unwrap_err();
        assert_eq!(refusal.to_string(), words);
        assert_eq!(Problem::from(refusal).status, 422);
    }
    assert!(read(json!({ "node_id": "Trader", "identifier": "../etc" })).is_err());
    for nothing in ["", " \n"] {
        let refusal = RerunNode::read(nothing.as_bytes()).err().unwrap();
        assert_eq!((&refusal, Problem::from(refusal.clone()).status), (&InvalidRequest::NoBody, 422));
    }
    let accepted = RunAccepted {
        run: "0197a1b2-0000-7000-8000-000000000000".parse().unwrap(),
        flow: "1a2b3c4d".parse().unwrap(),
    };
    assert_eq!(
        serde_json::to_value(RerunResponse::new(&accepted, RerunPhase::DebateAndTrader)).unwrap(),
        json!({
            "run_id": "0197a1b2-0000-7000-8000-000000000000", "phase": "debate_and_trader", "status": "queued",
        })
    );
}

/// Section 1.5 of AgentOS's interface, and its defect 6.C 4: nothing stands in the way of another decision.
#[test]
fn resetting_a_decision_deletes_nothing_and_says_so() {
    let read = |body: Value| PortfolioStage::read(body.to_string().as_bytes());
    let stage = read(json!({ "date": "2022-06-30", "portfolio_id": "main_portfolio" })).unwrap();
    assert_eq!(
        serde_json::to_value(PortfolioStageResponse::from(stage)).unwrap(),
        json!({ "deleted": [], "date": "2022-06-30", "portfolio_id": "main_portfolio" })
    );
    for body in [json!({}), json!({ "date": "2022-06-30" }), json!({ "portfolio_id": "growth" })] {
        let refusal = read(body).map(PortfolioStageResponse::from).unwrap_err();
        assert_eq!(refusal.to_string(), "date and portfolio_id are required");
    }
    assert!(read(json!({ "date": "26/03/2026x/../../etc", "portfolio_id": "growth" })).is_err());
}

/// JSON of every shape, with AgentOS's own parameter names among the members' names.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[A-Za-z]{1,6}|20[0-9]{2}-[0-9]{2}-[0-9]{2}|pipeline|scan|main_portfolio".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        let name = prop_oneof![
            "date|ticker|analysts|portfolio_id|flow_id|mock_type|speed|max_tickers|force"
                .prop_map(String::from),
            "\\PC{0,10}".prop_map(String::from),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn any_trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        Just(Trigger::Scan),
        Just(Trigger::Pipeline),
        Just(Trigger::Portfolio),
        Just(Trigger::Auto),
        Just(Trigger::Mock)
    ]
}

proptest! {
    #[test]
    fn any_json_either_starts_a_run_or_is_refused_in_a_sentence(trigger in any_trigger(), body in any_json()) {
        if let Err(error) = start(trigger, &body) {
            let sentence = error.to_string();
            prop_assert!(sentence.ends_with('.') && sentence.len() < 400, "{}", sentence);
        }
    }

    #[test]
    fn any_bytes_either_start_a_run_or_are_refused(trigger in any_trigger(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = start_run(trigger, &body, today()) {
            prop_assert!(error.to_string().ends_with('.'));
        }
    }
}
