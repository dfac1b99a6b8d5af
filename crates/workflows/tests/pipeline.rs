//! The research pipeline, from the request to the rating.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use llm::{
    Arguments, ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Rehearsal, Sink, ToolRequest, Turn,
};
use protocol::{
    AccountId, Answer, Body, Date, Decimal, EdgeKind, Event, InputReceived, NodeStatus, RunRequest,
    RunStatus, RunView, Tier, ToolStatus, TurnContent, Workflow,
    trading::{Analyst, Confidence, Grade, Task, Ticker},
};
use serde_json::{Map, Value, json};
use stage::{Changed, Stage, pipeline, rating, request, status};
use workflows::trading::rehearsal::TradingRehearsal;

/// Nodes in the order in which their visits ended.
fn visits(events: &[Event]) -> Vec<String> {
    let finished = events.iter().filter(|event| matches!(event.body, Body::NodeFinished(_)));
    finished.filter_map(|event| Some(event.node.as_ref()?.to_string())).collect()
}

fn logs(view: &RunView) -> Vec<&str> {
    let logs = view.turns.iter().filter_map(|turn| match &turn.content {
        TurnContent::Log(line) => Some(line.message.as_str()),
        _ => None,
    });
    logs.collect()
}

/// AgentOS 7.2.3.
#[tokio::test]
async fn grades_follow_from_the_figures() {
    let stage = Stage::new().await;
    // Scores by a calculation of the rule table in another language, on the same prices.
    for (ticker, grade) in [
        ("AAPL", Grade::Underweight),
        ("AMD", Grade::Sell),
        ("CVX", Grade::Hold),
        ("KO", Grade::Overweight),
        ("LLY", Grade::Buy),
    ] {
        let view = stage.pipeline(ticker, "2022-06-30", "flow").await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        let rating = rating(&view).unwrap();
        assert_eq!((rating.ticker.as_str(), rating.grade), (ticker, grade));
        assert!(rating.confidence <= Confidence::Medium, "closes alone allow no high confidence");
    }
}

/// Section 3.2 of AgentOS's specification.
/// AgentOS 6.C 10.
#[tokio::test]
async fn the_traders_plan_ends_with_its_proposal_in_one_of_three_words() {
    let roles: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let heard = roles.clone();
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        if let Some(Message::System(role)) = request.messages.first() {
            heard.lock().unwrap().insert(request.agent.clone(), role.clone());
        }
        None
    }))
    .await;
    for (ticker, word) in [("LLY", "BUY"), ("AMD", "SELL"), ("CVX", "HOLD")] {
        let view = stage.pipeline(ticker, "2022-06-30", "flow").await;
        let plan = view.reports.iter().find(|report| report.name == "trader_investment_plan").unwrap();
        let plan = stage.journal.resolve(&plan.markdown).await.unwrap();
        let last = format!("FINAL TRANSACTION PROPOSAL: **{word}**");
        let (plan, _) = plan.split_once("\n## Data\n").unwrap();
        assert!(plan.trim_end().ends_with(&last), "{ticker}: {plan}");
    }
    let roles = roles.lock().unwrap();
    let asked = "End with the line\nFINAL TRANSACTION PROPOSAL: **BUY**, **HOLD** or **SELL**";
    assert!(roles["trader"].contains(asked), "{}", roles["trader"]);
    // 6.C 10: there, every company with a loss was cut short.
    let rule = "A loss alone is no such condition";
    assert!(roles["fundamentals_analyst"].contains(rule), "{}", roles["fundamentals_analyst"]);
}

#[tokio::test]
async fn the_market_report_shows_the_figures_of_the_market_crate() {
    let stage = Stage::new().await;
    let view = stage.pipeline("AAPL", "2022-06-30", "flow").await;
    let report = view.reports.iter().find(|report| report.name == "market_report").unwrap();
    let markdown = stage.journal.resolve(&report.markdown).await.unwrap();
    // By an independent calculation from the sample's closes (TA-Lib's conventions).
    for (label, value) in [
        ("Close", "135.91"),
        ("SMA 50", "145.99"),
        ("SMA 200", "157.09"),
        ("MACD 12/26", "\u{2212}2.5731"),
        ("MACD signal 9", "\u{2212}3.3409"),
        ("MACD histogram", "0.7678"),
        ("RSI 14", "44.19"),
        ("Return, 63 days", "\u{2212}22.98 %"),
        ("ATR 14", "not available: the data has closes only"),
    ] {
        let figure = report.figures.iter().find(|figure| figure.label == label).unwrap();
        assert_eq!(figure.value, value, "{label}");
        assert!(figure.source.contains("2022-06-30"), "{}", figure.source);
        assert!(
            markdown.contains(&format!("| {label} | {value} |")),
            "{label} is not in the report:\n{markdown}"
        );
    }
    let date: Date = "2022-06-30".parse().unwrap();
    let prices = stage.market.prices(&"AAPL".parse::<Ticker>().unwrap(), date).await.unwrap().data.days;
    for (indicator, measured) in market::indicators::all(&prices) {
        let Some(value) = measured.known() else { continue };
        let places = if indicator.slug().starts_with("macd") { 4 } else { 2 };
        let figure = report.figures.iter().find(|figure| figure.label == indicator.label()).unwrap();
        assert_eq!(figure.value, protocol::grouped(*value, places), "{indicator}");
    }
}

/// AgentOS 6.A 1, 6.C 25, 7.3.1, 7.3.2, 7.3.3.
#[tokio::test]
async fn analysts_begin_together_and_debates_take_two_rounds() {
    let stage = Stage::new().await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    let events = stage.events(view.summary.run).await;

    let position =
        |wanted: &dyn Fn(&Body) -> bool| events.iter().position(|event| wanted(&event.body)).unwrap();
    let first_end = position(&|body| matches!(body, Body::NodeFinished(_)));
    let begun = events[..first_end].iter().filter(|event| matches!(event.body, Body::NodeStarted(_))).count();
    assert_eq!(begun, 4, "all analysts begin before one ends");

    let order = visits(&events);
    assert_eq!(
        order[4..],
        [
            "screen",
            "bull_researcher",
            "bear_researcher",
            "bull_researcher",
            "bear_researcher",
            "research_manager",
            "trader",
            "aggressive_analyst",
            "conservative_analyst",
            "neutral_analyst",
            "aggressive_analyst",
            "conservative_analyst",
            "neutral_analyst",
            "portfolio_manager",
        ]
    );
    assert_eq!(view.summary.nodes_done, view.summary.nodes);
    assert!(view.nodes.iter().all(|node| node.status == NodeStatus::Succeeded));
}

/// AgentOS 7.3.1, 7.3.2, 7.3.3.
#[tokio::test]
async fn the_graph_has_the_shape_and_tiers_of_the_specification() {
    let stage = Stage::new().await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    let planned: Vec<_> = view
        .nodes
        .iter()
        .map(|node| {
            (node.plan.id.as_str(), node.plan.phase.as_str(), node.plan.tier, node.plan.planned_visits)
        })
        .collect();
    let (quick, mid, deep) = (Some(Tier::Quick), Some(Tier::Mid), Some(Tier::Deep));
    assert_eq!(
        planned,
        [
            ("market_analyst", "Analysts", quick, 1),
            ("social_analyst", "Analysts", quick, 1),
            ("news_analyst", "Analysts", quick, 1),
            ("fundamentals_analyst", "Analysts", quick, 1),
            ("screen", "Debate", None, 1),
            ("bull_researcher", "Debate", mid, 2),
            ("bear_researcher", "Debate", mid, 2),
            ("research_manager", "Plan", deep, 1),
            ("trader", "Plan", mid, 1),
            ("aggressive_analyst", "Risk debate", quick, 2),
            ("conservative_analyst", "Risk debate", quick, 2),
            ("neutral_analyst", "Risk debate", quick, 2),
            ("portfolio_manager", "Decision", deep, 1),
        ]
    );
    let loops: Vec<_> = view
        .edges
        .iter()
        .filter(|edge| edge.plan.kind == EdgeKind::Loop)
        .map(|edge| (edge.plan.from.as_str(), edge.plan.to.as_str(), edge.taken))
        .collect();
    assert_eq!(
        loops,
        [("bear_researcher", "bull_researcher", 1), ("neutral_analyst", "aggressive_analyst", 1)]
    );
}

/// AgentOS 6.C 24, E 6.
#[tokio::test]
async fn analysts_without_data_say_so() {
    let stage = Stage::new().await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    for (node, report) in [
        ("social_analyst", "sentiment_report"),
        ("news_analyst", "news_report"),
        ("fundamentals_analyst", "fundamentals_report"),
    ] {
        let node = view.node(&node.parse().unwrap()).unwrap();
        assert!(node.degraded.as_ref().is_some_and(|reason| reason.contains("Not available")), "{node:?}");
        let report = view.reports.iter().find(|written| written.name == report).unwrap();
        assert!(report.markdown.shown().contains("gives no view"), "{}", report.markdown.shown());
    }
    let degraded =
        view.tools.iter().filter(|tool| tool.outcome.as_ref().unwrap().status == ToolStatus::Degraded);
    // 1 social, 2 news, 4 fundamentals, and the average true range.
    assert_eq!(degraded.count(), 8);
    assert!(logs(&view).iter().any(|line| line.contains("social, news, fundamentals")));
}

/// 7.3.4 of AgentOS's specification: either of these two analysts may end the analysis.
const ABORTING: [&str; 2] = ["market_analyst", "fundamentals_analyst"];

fn reports_a_halt(analyst: &str, request: &ChatRequest) -> Option<Turn> {
    let first = !request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
    (request.agent == analyst && first).then(|| {
        Turn::Tools(vec![(
            "report_critical_condition".into(),
            json!({ "reason": "Trading was halted\ntoday." }),
        )])
    })
}

/// AgentOS 6.A 15, 6.C 9, 7.3.4, 7.3.5, E 7.
#[tokio::test]
async fn a_critical_condition_leads_straight_to_the_decision() {
    for analyst in ABORTING {
        let stage =
            Stage::with_script(Changed(move |request: &ChatRequest| reports_a_halt(analyst, request))).await;
        let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{analyst}: {:?}", view.summary.error);
        let rating = rating(&view).unwrap();
        assert_eq!(rating.grade, Grade::Sell);
        assert_eq!(rating.abort.as_deref(), Some("Trading was halted today."));
        let order = visits(&stage.events(view.summary.run).await);
        assert_eq!(order[4..], ["screen", "portfolio_manager"]);
        for node in ["bull_researcher", "bear_researcher", "research_manager", "trader", "neutral_analyst"] {
            assert_eq!(status(&view, node), NodeStatus::Skipped, "{node}");
        }
    }
}

/// AgentOS 6.C 10, 7.3.4, 7.3.5, E 8.
#[tokio::test]
async fn words_about_a_critical_condition_are_no_critical_condition() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        let has_results = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        (request.agent == "market_analyst" && has_results).then(|| {
            Turn::Answer(
                "No [CRITICAL ABORT] condition was found; report_critical_condition was not needed.".into(),
            )
        })
    }))
    .await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    assert_eq!(rating(&view).unwrap().abort, None);
    assert_eq!(view.summary.nodes_done, view.summary.nodes);
}

/// AgentOS 6.A 7.
#[tokio::test]
async fn the_confidence_of_a_model_is_lowered_where_inputs_are_missing() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        (request.agent == "portfolio_manager").then(|| {
            let answer = json!({ "grade": "buy", "confidence": "high", "summary": "s", "thesis": "t" });
            Turn::Answer(format!("```json\n{answer}\n```"))
        })
    }))
    .await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    assert_eq!(rating(&view).unwrap().confidence, Confidence::Medium);
    assert!(logs(&view).iter().any(|line| line.contains("lowered to medium")), "{:?}", logs(&view));

    let workflow = Task::Pipeline {
        ticker: "LLY".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: vec![Analyst::News],
        portfolio: None,
        prices: None,
    };
    let view = stage.run(request(workflow, "flow")).await;
    assert_eq!(rating(&view).unwrap().confidence, Confidence::Low, "nobody looked at prices");
}

#[tokio::test]
async fn a_malformed_rating_is_asked_for_again_and_is_then_to_be_reviewed() {
    let asked = AtomicU32::new(0);
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        (request.agent == "portfolio_manager" && asked.fetch_add(1, Ordering::Relaxed) < 2)
            .then(|| Turn::Answer(r#"{"grade":"strong buy"}"#.into()))
    }))
    .await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    assert_eq!(rating(&view).unwrap().grade, Grade::Buy);

    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        (request.agent == "portfolio_manager").then(|| Turn::Answer("I would buy it.".into()))
    }))
    .await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.summary.result.as_deref(), Some("REVIEW, the rating could not be read"));
    let review = rating(&view).unwrap();
    assert_eq!((review.grade, review.confidence), (Grade::Review, Confidence::Low));
    assert!(review.thesis.ends_with("The last answer, as it came:\n\nI would buy it."), "{}", review.thesis);
    assert!(logs(&view).iter().any(|line| line.starts_with("REVIEW: the rating could not be read")));
    assert!(view.node(&"portfolio_manager".parse().unwrap()).unwrap().degraded.is_some());
    assert_eq!(
        view.calls.iter().filter(|call| call.node.as_ref().unwrap().as_str() == "portfolio_manager").count(),
        3
    );
}

/// AgentOS 6.A 16, 7.2.3, 7.6.6.
#[tokio::test]
async fn a_model_that_only_calls_tools_is_stopped() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        (request.agent == "news_analyst").then(|| Turn::Tools(vec![("launch_rocket".into(), json!({}))]))
    }))
    .await;
    let view = stage.pipeline("LLY", "2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.as_ref().unwrap().starts_with("News analyst:"), "{:?}", view.summary.error);
    let rockets: Vec<_> = view.tools.iter().filter(|tool| tool.tool == "launch_rocket").collect();
    assert_eq!(rockets.len(), 5);
    let outcome = rockets[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, ToolStatus::Error);
    assert!(outcome.result.shown().contains("get_news"), "{}", outcome.result.shown());
    // 7.2.3: what has no end leaves no rating behind, and nothing trades on what there was.
    assert_eq!(rating(&view), None);
    assert!(view.reports.iter().all(|report| report.name != "final_trade_decision"));
    let portfolio = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(portfolio.summary.result.as_deref(), Some("0 sells, 0 buys"));
}

#[tokio::test]
async fn the_same_request_gives_the_same_words() {
    let (one, other) = (Stage::new().await, Stage::new().await);
    let (one, other) =
        (one.pipeline("KO", "2022-06-30", "flow").await, other.pipeline("KO", "2022-06-30", "flow").await);
    assert_eq!(rating(&one), rating(&other));
    let state = |view: &RunView| -> Vec<_> {
        // Analysts end in any order, and with them the order of this list.
        let entries = view.state.iter().filter(|(key, _)| *key != "gaps");
        entries
            .map(|(key, entries)| {
                (key.clone(), entries.iter().map(|it| it.value.clone()).collect::<Vec<_>>())
            })
            .collect()
    };
    assert_eq!(state(&one), state(&other));
    assert_eq!(one.summary.totals, other.summary.totals);
    assert_eq!(one.summary.totals.cost, Decimal::ZERO);
}

#[tokio::test]
async fn what_cannot_be_analysed_is_refused_in_a_sentence() {
    let stage = Stage::new().await;
    let mut nobody = pipeline("LLY", "2022-06-30", "flow");
    nobody.workflow = nobody.workflow.with("analysts", json!([])).unwrap();
    let mut unreadable = pipeline("LLY", "2022-06-30", "flow");
    unreadable.workflow = unreadable.workflow.with("date", json!("2022-99-30")).unwrap();
    let unknown = request(Workflow::bare("opera".parse().unwrap()), "flow");
    for (request, words) in [
        (pipeline("TSLA", "2022-06-30", "flow"), "no prices of TSLA"),
        (pipeline("LLY", "2015-12-31", "flow"), "2016-01-04 to 2022-12-28"),
        (pipeline("LLY", "2022-12-29", "flow"), "2016-01-04 to 2022-12-28"),
        (nobody, "Select at least one"),
        (unreadable, "The parameters of a pipeline run cannot be read: \"2022-99-30\" is no day"),
        (unknown, "knows no workflow of the kind opera"),
    ] {
        let refusal = stage.engine.start(request, AccountId::local()).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[tokio::test]
async fn a_model_may_ask_for_an_object_and_is_told_why_a_schema_cannot_be_used() {
    let asking = |schema: Value| {
        let arguments = json!({ "question": "How many?", "why": "It is your purse.", "schema": schema });
        Some(Turn::Tools(vec![("ask_person".into(), arguments)]))
    };
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        let told = request.messages.iter().filter(|message| matches!(message, Message::Tool { .. })).count();
        match (request.agent.as_str(), told) {
            ("trader", 0) => asking(json!("a number")),
            ("trader", 1) => asking(json!({ "type": "object", "properties": { "shares": 7 } })),
            ("trader", 2) => {
                let itself = json!({ "type": "object", "properties": { "more": { "$ref": "#" } } });
                asking(itself)
            }
            ("trader", 3) => {
                let shares = json!({ "shares": { "type": "integer" } });
                asking(json!({ "type": "object", "properties": shares, "required": ["shares"] }))
            }
            _ => None,
        }
    }))
    .await;
    let request = RunRequest { questions: true, ..pipeline("LLY", "2022-06-30", "flow") };
    let run = stage.engine.start(request, AccountId::local()).await.unwrap();
    let input = stage.question(run).await;
    let answer = |json: &str| Answer::Value { json: json.into() };
    let by = Some(AccountId::local());
    let received = |json| InputReceived { input: input.clone(), answer: answer(json), by: by.clone() };
    assert!(stage.engine.answer(run, received(r#"{"shares":"many"}"#)).await.is_err());
    stage.engine.answer(run, received(r#"{"shares":7}"#)).await.unwrap();

    let view = stage.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let plan = &view.state["trader_investment_plan"][0].value;
    let plan = stage.journal.resolve(plan).await.unwrap().replace("\\\"", "\"");
    for told in [
        "The schema cannot be used: its \"type\" must be \"object\".",
        "The schema cannot be used: 7 is not of type",
        "The schema cannot be used: \"$ref\" stands in it, which is not supported",
        r#"{"shares":7}"#,
    ] {
        assert!(plan.contains(told), "{told} is not in:\n{plan}");
    }
}

/// Plays like the rehearsal, but for the market analyst's first answer: it calls a tool with arguments that cannot
/// be read, and wants a field back.
struct Mumbling {
    rehearsal: Rehearsal,
    asked: Mutex<Vec<ChatRequest>>,
}

impl Mumbling {
    fn echo() -> Map<String, Value> {
        Map::from_iter([("reasoning_content".to_owned(), json!("The price is needed."))])
    }

    fn call() -> ToolRequest {
        let (text, why) = ("{\"symbol\": AAPL}".to_owned(), "it is no JSON".to_owned());
        ToolRequest {
            id: "call_0".to_owned(),
            name: "get_stock_data".to_owned(),
            arguments: Arguments::Unreadable { text, why },
            echo: Some(Map::from_iter([("extra_content".to_owned(), json!({ "signature": "Et8B" }))])),
        }
    }
}

#[async_trait]
impl ChatModel for Mumbling {
    fn model(&self, tier: Tier) -> String {
        self.rehearsal.model(tier)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        if request.agent != "market_analyst" {
            return self.rehearsal.chat(request, sink).await;
        }
        self.asked.lock().unwrap().push(request.clone());
        let was_told = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        let answer = ChatAnswer {
            model: self.model(request.tier),
            text: if was_told { "The price is fair.".to_owned() } else { String::new() },
            thoughts: String::new(),
            tool_requests: if was_told { Vec::new() } else { vec![Self::call()] },
            echo: (!was_told).then(Self::echo),
            usage: protocol::Usage::default(),
            cost: None,
            attempts: Vec::new(),
        };
        Ok(answer)
    }
}

#[tokio::test]
async fn a_model_is_told_that_its_arguments_cannot_be_read_and_gets_back_what_it_wants_back() {
    let rehearsal = Rehearsal::new(Arc::new(TradingRehearsal), Some(0));
    let model = Arc::new(Mumbling { rehearsal, asked: Mutex::default() });
    let stage = Stage::with_model(model.clone()).await;
    let task = Task::Pipeline {
        ticker: "AAPL".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: vec![Analyst::Market],
        portfolio: None,
        prices: None,
    };
    let view = stage.run(request(Workflow::from(task), "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let called = view.tools.iter().find(|tool| tool.arguments.shown() == "{\"symbol\": AAPL}").unwrap();
    let outcome = called.outcome.as_ref().unwrap();
    assert_eq!(outcome.status, ToolStatus::Error);
    assert!(outcome.result.shown().contains("cannot be read: it is no JSON"), "{outcome:?}");

    let asked = model.asked.lock().unwrap();
    let [first, second] = &asked[..] else { panic!("{} requests", asked.len()) };
    let [Message::Assistant { tool_requests, echo, .. }, Message::Tool { request, content, .. }] =
        &second.messages[first.messages.len()..]
    else {
        panic!("{:?}", second.messages)
    };
    assert_eq!((tool_requests, echo.as_ref()), (&vec![Mumbling::call()], Some(&Mumbling::echo())));
    assert_eq!(request, "call_0");
    assert!(content.contains("cannot be read: it is no JSON"), "{content}");
}
