//! What people do to runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use engine::{
    Allowance, AnswerForm, Engine, EngineError, EngineOptions, ForkError, Graph, InputError, Outcome,
    Question, State, Work,
};
use journal::Journal;
use llm::ChatModel;
use protocol::{
    AccountId, Answer, Approval, Body, CallId, Decimal, Edits, Event, ForkPoint, ForkRun, InputForm,
    InputReceived, Limits, NodeStatus, Patch, RunId, RunRequest, RunStatus, RunView,
};
use serde_json::{Value, json};

use crate::stage::*;

/// Asks a person, and keeps the answer under its own name.
pub fn asking(form: AnswerForm, patience: Option<Duration>, default: Option<Value>) -> Step {
    step(move |node| {
        let (prompt, reason, form) = ("Which way?".to_owned(), Some("It matters.".to_owned()), form.clone());
        let question = Question { prompt, reason, form, patience, default: default.clone() };
        Box::pin(async move {
            let answer = node.ask(question).await?;
            Outcome::default().set(node.plan().id.as_str(), answer)
        })
    })
}

/// Asks the model with its own name, and keeps the answer under it.
pub fn thinking() -> Step {
    step(|node| {
        Box::pin(async move {
            let name = node.plan().id.to_string();
            let comments = node.comments().join(", ");
            let prompt = if comments.is_empty() { name.clone() } else { format!("{name} ({comments})") };
            let answer = node.chat(ask(&prompt)).await?;
            Outcome::default().set(&name, answer.text)
        })
    })
}

pub fn chain(names: &[&str]) -> Graph {
    let mut graph = Graph::new();
    for name in names {
        graph.node(plan(name, 1), thinking());
    }
    for pair in names.windows(2) {
        graph.flow(&id(pair[0]), &id(pair[1]));
    }
    graph
}

pub fn value(json: Value) -> Answer {
    Answer::Value { json: json.to_string().into() }
}

pub fn answer(input: &str, answer: Answer) -> InputReceived {
    InputReceived { input: input.parse().unwrap(), answer, by: Some(ada()) }
}

/// Waits until the run's log satisfies `reached`.
pub async fn view_when(journal: &Journal, run: RunId, reached: impl Fn(&RunView) -> bool) -> RunView {
    let mut log = journal.subscribe(run, 0).await.unwrap();
    let mut view: Option<RunView> = None;
    while let Some(events) = log.next().await.unwrap() {
        for event in events {
            let event = event.decode().unwrap();
            match &mut view {
                Some(view) => drop(view.apply(&event)),
                None => view = RunView::begin(&event),
            }
            if view.as_ref().is_some_and(&reached) {
                return view.unwrap();
            }
        }
    }
    panic!("the run ended first: {:?}", view.map(|view| view.summary))
}

pub async fn open_question(journal: &Journal, run: RunId, input: &str) -> RunView {
    let input: CallId = input.parse().unwrap();
    view_when(journal, run, |view| view.open_inputs().any(|open| open.request.input == input)).await
}

fn approval_of(view: &RunView, input: &str) -> protocol::ApprovalForm {
    match &view.input(&input.parse().unwrap()).unwrap().request.form {
        InputForm::Approval(form) => form.clone(),
        other => panic!("an approval, not {other:?}"),
    }
}

pub fn approve(view: &RunView, input: &str) -> Answer {
    Answer::Approved { digest: approval_of(view, input).digest, edits: Patch::new() }
}

pub fn state(view: &RunView, key: &str) -> Value {
    serde_json::from_str(view.state[key][0].value.whole().unwrap()).unwrap()
}

pub fn pausing(nodes: &[&str]) -> RunRequest {
    let approval = Approval::Nodes { nodes: nodes.iter().map(|node| id(node)).collect() };
    RunRequest { approval, ..request(Limits::default()) }
}

#[tokio::test]
async fn a_run_waits_for_a_person_and_goes_on_with_the_first_valid_answer() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let form = AnswerForm::Choice(vec!["left".into(), "right".into()]);
    let engine = bench.engine(&journal, move || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), asking(form.clone(), None, None));
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = open_question(&journal, run, "a:1:1").await;
    assert_eq!(view.summary.status, RunStatus::Waiting);
    assert_eq!(view.node(&id("a")).unwrap().status, NodeStatus::Waiting);

    let wrong = engine.answer(run, answer("a:1:1", value(json!("up")))).await;
    assert!(
        matches!(wrong, Err(EngineError::Input(InputError::Invalid(why))) if why.contains("left, right"))
    );
    let unknown = engine.answer(run, answer("a:1:2", value(json!("left")))).await;
    assert!(matches!(unknown, Err(EngineError::Input(InputError::NotAsked(_)))));
    let (one, other) = tokio::join!(
        engine.answer(run, answer("a:1:1", value(json!("left")))),
        engine.answer(run, answer("a:1:1", value(json!("right")))),
    );
    one.unwrap();
    assert!(matches!(other, Err(EngineError::Input(InputError::Answered) | EngineError::NotActive)));
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, state(&view, "a")), (RunStatus::Succeeded, json!("left")));
}

#[tokio::test]
async fn an_object_is_checked_by_its_schema() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let schema = json!({
        "type": "object",
        "properties": { "shares": { "type": "integer", "minimum": 1 } },
        "required": ["shares"],
    });
    let engine = bench.engine(&journal, move || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), asking(AnswerForm::Object(schema.clone()), None, None));
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, run, "a:1:1").await;
    for wrong in [json!({}), json!({ "shares": 0 }), json!({ "shares": "many" }), json!([])] {
        let refused = engine.answer(run, answer("a:1:1", value(wrong))).await;
        assert!(matches!(refused, Err(EngineError::Input(InputError::Invalid(_)))));
    }
    let garbage = Answer::Value { json: "{shares".into() };
    assert!(engine.answer(run, answer("a:1:1", garbage)).await.is_err());
    engine.answer(run, answer("a:1:1", value(json!({ "shares": 7 })))).await.unwrap();
    assert_eq!(state(&end_of(&journal, run).await, "a"), json!({ "shares": 7 }));
}

/// Two kilobytes that mean one thing and are read 2^40 times: each part names the next one twice.
fn doubling_references() -> Value {
    let twice = |next: u32| {
        let reference = json!({ "$ref": format!("#/$defs/a{next}") });
        json!({ "allOf": [reference, reference] })
    };
    let mut parts: serde_json::Map<_, _> =
        (0..40).map(|part| (format!("a{part}"), twice(part + 1))).collect();
    parts.insert("a40".to_owned(), json!({ "type": "object" }));
    json!({ "type": "object", "$defs": parts, "allOf": [{ "$ref": "#/$defs/a0" }] })
}

/// The same by a keyword that reads all beside it once more.
fn doubling_properties() -> Value {
    let nested = (0..40).fold(
        json!({ "type": "object" }),
        |inner, _| json!({ "anyOf": [inner], "unevaluatedProperties": false }),
    );
    json!({ "type": "object", "anyOf": [nested] })
}

#[test]
fn a_schema_by_which_answers_would_be_checked_without_end_is_refused() {
    let many: Vec<Value> = (0..600).map(|number| json!({ "const": number })).collect();
    for (schema, why) in [
        (doubling_references(), "\"$ref\" stands in it"),
        (doubling_properties(), "\"unevaluatedProperties\" stands in it"),
        (json!({ "type": "object", "anyOf": many }), "more than 512 parts"),
        (json!({ "type": "object", "description": "x".repeat(70_000) }), "longer than 64 KiB"),
        (json!({ "type": "object", "propertyNames": { "pattern": "^(a+)+\\1$" } }), "regex"),
    ] {
        let refused = AnswerForm::object(schema).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let usual = json!({
        "type": "object",
        "properties": { "day": { "type": "string", "pattern": r"^\d{4}-\d\d-\d\d$" } },
        "additionalProperties": false,
    });
    assert!(AnswerForm::object(usual).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_log_asks_by_a_schema_without_end_can_be_answered_and_stopped() {
    for schema in [doubling_references(), doubling_properties()] {
        let bench = Bench::new();
        let journal = bench.journal().await;
        let engine = bench.engine(&journal, move || {
            let mut graph = Graph::new();
            graph.node(plan("a", 1), asking(AnswerForm::Object(schema.clone()), None, None));
            graph
        });
        let run = engine.start(request(Limits::default()), ada()).await.unwrap();
        open_question(&journal, run, "a:1:1").await;
        let done = tokio::time::timeout(Duration::from_secs(10), async {
            let refused = engine.answer(run, answer("a:1:1", value(json!({ "shares": 7 })))).await;
            assert!(
                matches!(refused, Err(EngineError::Input(InputError::Invalid(why))) if why.contains("cannot be used"))
            );
            assert!(engine.stop(run, ada(), None).await.unwrap());
            assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Cancelled);
        });
        done.await.expect("the run is not held up");
    }
}

#[tokio::test]
async fn at_the_deadline_the_default_answers_or_the_node_fails() {
    let soon = Some(Duration::from_millis(20));
    for (default, status) in [(Some(json!("left")), RunStatus::Succeeded), (None, RunStatus::Failed)] {
        let given = default.clone();
        let view = Bench::new()
            .run(Limits::default(), move || {
                let mut graph = Graph::new();
                graph.node(plan("a", 1), asking(AnswerForm::Text, soon, default.clone()));
                graph
            })
            .await;
        assert_eq!(view.summary.status, status, "{:?}", view.summary.error);
        assert_eq!(view.inputs[0].received.as_ref().unwrap().by, None);
        match given {
            Some(answer) => assert_eq!(state(&view, "a"), answer),
            None => assert!(view.summary.error.unwrap().contains("Nobody answered in time")),
        }
    }
}

#[tokio::test]
async fn a_run_that_waits_survives_the_server_and_asks_once() {
    let bench = Bench::new();
    let graph = || {
        let mut graph = chain(&["before", "after"]);
        graph.node(plan("question", 1), asking(AnswerForm::Text, None, None));
        graph.flow(&id("before"), &id("question")).flow(&id("question"), &id("after"));
        graph
    };
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, run, "question:1:1").await;
    engine.shut_down().await;
    journal.close().await;
    drop((engine, journal));

    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph);
    assert_eq!(engine.resume().await.unwrap(), 1);
    assert_eq!(journal.summary(run).await.unwrap().unwrap().status, RunStatus::Waiting);
    engine.answer(run, answer("question:1:1", value(json!("on")))).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, view.inputs.len()), (RunStatus::Succeeded, 1));
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 2, "nothing was asked of the model twice");
    let asked = journal.read(run, 0, 1000).await.unwrap();
    let asked = asked.iter().filter(|event| matches!(event.body, Body::InputRequested(_)));
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn a_waiting_run_lends_its_place_to_others() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), asking(AnswerForm::Text, None, None));
        graph
    };
    let options = EngineOptions { concurrent_runs: 1, ..EngineOptions::default() };
    let engine = bench.engine_with(&journal, options, graph);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, first, "a:1:1").await;
    let second = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, second, "a:1:1").await;
    for run in [first, second] {
        engine.answer(run, answer("a:1:1", value(json!("on")))).await.unwrap();
        assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn approve_mode_pauses_before_chosen_nodes_and_edits_the_state() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = chain(&["a", "b"]);
        graph.node(
            plan("c", 1),
            step(|node| Box::pin(async move { Outcome::default().set("c", node.state().text("a")) })),
        );
        graph.flow(&id("b"), &id("c"));
        graph
    });
    let run = engine.start(pausing(&["c"]), ada()).await.unwrap();
    let view = open_question(&journal, run, "c:1:0").await;
    assert_eq!(view.node(&id("c")).unwrap().visits.len(), 0, "nothing began");
    assert_eq!(approval_of(&view, "c:1:0").back, [id("b")]);
    let edits: Patch = [("a".to_owned(), "\"edited\"".into())].into();
    let answer_with = Answer::Approved { digest: approval_of(&view, "c:1:0").digest, edits };
    engine.answer(run, answer("c:1:0", answer_with)).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, state(&view, "c")), (RunStatus::Succeeded, json!("edited")));
}

#[tokio::test]
async fn approve_mode_is_switched_while_a_run_waits() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a", "b"]));
    let run =
        engine.start(RunRequest { approval: Approval::Every, ..request(Limits::default()) }, ada()).await;
    let run = run.unwrap();
    open_question(&journal, run, "a:1:0").await;
    engine.set_approval(run, Approval::Off, ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(view.inputs.len(), 1);
}

#[tokio::test]
async fn work_that_is_sent_back_is_done_again_with_the_comment() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a", "b", "c"]));
    let run = engine.start(pausing(&["c"]), ada()).await.unwrap();
    open_question(&journal, run, "c:1:0").await;
    let back = Answer::SentBack { to: id("b"), comment: "shorter".into() };
    engine.answer(run, answer("c:1:0", back)).await.unwrap();
    let view =
        view_when(&journal, run, |view| view.open_inputs().count() == 1 && visits(view, "b") == 2).await;
    assert_eq!(state(&view, "b"), json!("echo: b (shorter)"));
    engine.answer(run, answer("c:1:0", approve(&view, "c:1:0"))).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!((visits(&view, "a"), visits(&view, "b"), visits(&view, "c")), (1, 2, 1));
}

#[tokio::test]
async fn another_route_can_be_taken_and_a_run_can_be_rejected() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a", "b", "c"]));
    let run = engine.start(pausing(&["b"]), ada()).await.unwrap();
    let view = open_question(&journal, run, "b:1:0").await;
    assert_eq!(approval_of(&view, "b:1:0").routes, [id("c")]);
    engine.answer(run, answer("b:1:0", Answer::Rerouted { to: id("c") })).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, visits(&view, "b"), visits(&view, "c")), (RunStatus::Succeeded, 0, 1));

    let run = engine.start(pausing(&["b"]), ada()).await.unwrap();
    open_question(&journal, run, "b:1:0").await;
    engine.answer(run, answer("b:1:0", Answer::Rejected { reason: Some("too risky".into()) })).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Cancelled);
    assert_eq!(view.summary.error.as_deref(), Some("Stopped by ada: too risky"));
}

/// Does what the state says under `orders`.
struct Trade;

#[async_trait::async_trait]
impl Work for Trade {
    async fn run(&self, node: &engine::NodeContext) -> Result<Outcome, engine::NodeError> {
        Outcome::default().set("done", node.state().text("orders"))
    }

    fn subject(&self, state: &State) -> Option<Value> {
        Some(state.text("orders").into())
    }
}

#[tokio::test]
async fn an_approval_is_bound_to_what_was_shown() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = Graph::new();
        let orders = step(|_| Box::pin(async { Outcome::default().set("orders", "buy 1") }));
        graph.node(plan("decide", 1), orders).node(plan("trade", 1), Trade);
        graph.flow(&id("decide"), &id("trade"));
        graph
    });
    let run = engine.start(pausing(&["trade"]), ada()).await.unwrap();
    let shown = open_question(&journal, run, "trade:1:0").await;
    let first = approval_of(&shown, "trade:1:0");
    assert_eq!(first.subject.unwrap().whole(), Some("\"buy 1\""));
    // Approved together with other orders: not what was shown, so it is asked again.
    let edits: Patch = [("orders".to_owned(), "\"buy 2\"".into())].into();
    let edited = Answer::Approved { digest: first.digest.clone(), edits };
    engine.answer(run, answer("trade:1:0", edited)).await.unwrap();
    let shown = view_when(&journal, run, |view| {
        view.open_inputs().any(|_| approval_of(view, "trade:1:0").digest != first.digest)
    })
    .await;
    let stale = Answer::Approved { digest: first.digest, edits: Patch::new() };
    let refused = engine.answer(run, answer("trade:1:0", stale)).await;
    assert!(matches!(refused, Err(EngineError::Input(InputError::Changed))));
    engine.answer(run, answer("trade:1:0", approve(&shown, "trade:1:0"))).await.unwrap();
    assert_eq!(state(&end_of(&journal, run).await, "done"), json!("buy 2"));
}

/// `start` leads to `left` and `right` side by side, which join in `end`.
fn diamond() -> Graph {
    let mut graph = chain(&["start", "left", "end"]);
    graph.node(plan("right", 1), thinking());
    graph.flow(&id("start"), &id("right")).flow(&id("right"), &id("end"));
    graph
}

pub fn fork(point: ForkPoint) -> ForkRun {
    ForkRun { point, edits: Edits::new(), workflow: None, model: None, limits: None, approval: None }
}

pub fn before(node: &str) -> ForkRun {
    fork(ForkPoint::Before { node: id(node), visit: 1 })
}

#[tokio::test]
async fn a_re_run_repeats_nothing_beside_or_before_its_node() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, diamond);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, first).await;
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 4);

    let second = engine.fork(first, before("left"), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 6, "only left and end");
    assert!(view.node(&id("right")).unwrap().visits[0].inherited);
    assert!(!view.node(&id("left")).unwrap().visits[0].inherited);
    let origin = view.summary.origin.clone().unwrap();
    assert_eq!(origin.run, first);
    assert_eq!(view.summary.totals.model_calls, 4);
    assert_eq!(view.summary.own_totals().model_calls, 2);
    let filter = protocol::RunFilter { origin: Some(first), ..Default::default() };
    let continued = journal.summaries(&filter, None).await.unwrap().runs;
    assert_eq!(continued.iter().map(|run| run.run).collect::<Vec<_>>(), [second]);
    assert_eq!(journal.spent(&ada()).await.unwrap().cost, "0.06".parse::<Decimal>().unwrap());
}

#[tokio::test]
async fn a_continued_run_waits_for_a_person_where_its_origin_was_last_told_to() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a", "b"]));
    let every = RunRequest { approval: Approval::Every, ..request(Limits::default()) };
    let first = engine.start(every, ada()).await.unwrap();
    open_question(&journal, first, "a:1:0").await;
    let last = Approval::Nodes { nodes: [id("b")].into() };
    engine.set_approval(first, last, ada()).await.unwrap();
    let view = open_question(&journal, first, "b:1:0").await;
    engine.answer(first, answer("b:1:0", approve(&view, "b:1:0"))).await.unwrap();
    end_of(&journal, first).await;

    let second = engine.fork(first, before("a"), ada()).await.unwrap();
    open_question(&journal, second, "b:1:0").await;
    engine.stop(second, ada(), None).await.unwrap();
    let asked = end_of(&journal, second).await;
    assert_eq!(asked.inputs.len(), 1, "nobody was asked about a");
    let off = ForkRun { approval: Some(Approval::Off), ..before("a") };
    let third = engine.fork(first, off, ada()).await.unwrap();
    assert_eq!(end_of(&journal, third).await.summary.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_fork_goes_on_after_its_node_with_the_edited_state() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = chain(&["a"]);
        let copy = step(|node| Box::pin(async move { Outcome::default().set("b", node.state().text("a")) }));
        graph.node(plan("b", 1), copy).flow(&id("a"), &id("b"));
        graph
    });
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, first).await;
    let edits: Edits = [("a".to_owned(), "\"edited\"".into())].into();
    let after = ForkRun { edits, ..fork(ForkPoint::After { node: id("a"), visit: 1 }) };
    let second = engine.fork(first, after, ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(state(&view, "b"), json!("edited"));
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 1);
    // The original is as it was.
    assert_eq!(state(&end_of(&journal, first).await, "b"), json!("echo: a"));
}

#[tokio::test]
async fn a_run_that_reached_its_budget_goes_on_with_a_larger_one() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a", "b", "c"]));
    let limits = Limits { cost: Some("0.02".parse().unwrap()), ..Limits::default() };
    let first = engine.start(request(limits), ada()).await.unwrap();
    let view = end_of(&journal, first).await;
    assert_eq!(view.summary.error.as_deref(), Some("The run cost $0.02, its limit."));
    let more = ForkRun { limits: Some(Limits::default()), ..fork(ForkPoint::End) };
    let second = engine.fork(first, more, ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 3, "nothing was paid for twice");
    assert_eq!(view.summary.totals.cost, "0.03".parse().unwrap());
    let refused = engine.fork(second, fork(ForkPoint::End), ada()).await;
    assert!(matches!(refused, Err(EngineError::Fork(ForkError::Succeeded))));
}

/// AgentOS 6.C 32, E 5.
#[tokio::test]
async fn a_second_re_run_of_one_run_is_refused_while_the_first_is_at_work() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = chain(&["a"]);
        graph.node(plan("b", 1), asking(AnswerForm::Text, None, None)).flow(&id("a"), &id("b"));
        graph
    });
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, first, "b:1:1").await;
    let second = engine.fork(first, before("a"), ada()).await.unwrap();
    let refused = engine.fork(first, before("a"), ada()).await;
    assert!(matches!(refused, Err(EngineError::ReRunning(other)) if other == second));
    let never = engine.fork(first, before("b"), ada()).await;
    assert!(matches!(never, Err(EngineError::ReRunning(_))));
    engine.stop(second, ada(), None).await.unwrap();
    let unfinished = engine.fork(first, before("b"), ada()).await;
    assert!(matches!(unfinished, Err(EngineError::Fork(ForkError::NotVisited { .. }))));
}

/// AgentOS 6.C 32.
#[tokio::test]
async fn of_two_re_runs_that_are_asked_for_at_once_one_begins() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, diamond);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, first).await;
    let (one, other) =
        tokio::join!(engine.fork(first, before("left"), ada()), engine.fork(first, before("left"), ada()),);
    let (begun, refused) = match (one, other) {
        (Ok(run), Err(refusal)) | (Err(refusal), Ok(run)) => (run, refusal),
        both => panic!("one begins: {both:?}"),
    };
    assert!(matches!(refused, EngineError::ReRunning(run) if run == begun));
    end_of(&journal, begun).await;
    while engine.live(begun).is_some() {
        tokio::task::yield_now().await;
    }
    engine.fork(first, before("left"), ada()).await.unwrap();
}

#[tokio::test]
async fn a_phase_is_made_again_as_a_whole() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, diamond);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, first).await;
    let phase = fork(ForkPoint::Phase { phase: "Test".into() });
    let second = engine.fork(first, phase, ada()).await.unwrap();
    assert_eq!(end_of(&journal, second).await.summary.status, RunStatus::Succeeded);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 8);
    let nowhere = engine.fork(first, fork(ForkPoint::Phase { phase: "Moon".into() }), ada()).await;
    assert!(matches!(nowhere, Err(EngineError::Fork(ForkError::NoSuchPhase(_)))));
}

#[tokio::test]
async fn an_account_has_limits_of_its_own() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let workflows =
        Arc::new(Fixed { graph: || chain(&["a", "b"]), model: bench.model.clone() as Arc<dyn ChatModel> });
    let run = Limits { tokens: Some(1000), ..Limits::widest() };
    let allowance = Allowance { cost: Some("0.03".parse().unwrap()), run, ..Allowance::default() };
    let engine = Engine::new(journal.clone(), workflows, Arc::new(allowance), EngineOptions::default());
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, first).await;
    assert_eq!((view.summary.status, view.summary.request.limits.tokens), (RunStatus::Succeeded, Some(1000)));
    let second = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.error.as_deref(), Some("The account's runs cost $0.03, its limit."));
    let other: AccountId = "bob".parse().unwrap();
    let third = engine.start(request(Limits::default()), other).await.unwrap();
    assert_eq!(end_of(&journal, third).await.summary.status, RunStatus::Succeeded);
}

/// A conversation of the run, once it is closed.
pub async fn chats(journal: &Journal, run: RunId, answered: usize) -> BTreeMap<u32, String> {
    loop {
        let view = RunView::fold(&journal.read(run, 0, 10_000).await.unwrap()).unwrap();
        let done = view.chats.iter().filter_map(|chat| Some((chat.asked.chat, chat.answered.clone()?)));
        let done: BTreeMap<_, _> = done
            .map(|(number, it)| (number, it.error.unwrap_or_else(|| it.answer.shown().to_owned())))
            .collect();
        if done.len() == answered {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_question_beside_a_run_is_answered_while_it_works_and_after_it_ended() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), asking(AnswerForm::Text, None, None));
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, run, "a:1:1").await;
    assert_eq!(engine.chat(run, "why?", ada()).await.unwrap(), 1);
    assert_eq!(chats(&journal, run, 1).await[&1], "echo: why?");
    engine.answer(run, answer("a:1:1", value(json!("on")))).await.unwrap();
    let end = end_of(&journal, run).await;
    assert_eq!(end.summary.status, RunStatus::Succeeded);

    let (two, three) = tokio::join!(engine.chat(run, "two", ada()), engine.chat(run, "three", ada()));
    let (two, three) = (two.unwrap(), three.unwrap());
    assert_eq!(BTreeSet::from([two, three]), BTreeSet::from([2, 3]));
    let answers = chats(&journal, run, 3).await;
    assert_eq!((answers[&two].as_str(), answers[&three].as_str()), ("echo: two", "echo: three"));
    let view = RunView::fold(&journal.read(run, 0, 1000).await.unwrap()).unwrap();
    assert!(view.summary.is_closed());
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(view.summary.totals.cost, "0.03".parse().unwrap());
}

#[tokio::test]
async fn a_question_that_a_crash_left_open_is_closed_at_the_next_start() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a"]));
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, run).await;
    engine.chat(run, "hang", ada()).await.unwrap();
    bench.model.hanging.notified().await;
    engine.shut_down().await;
    journal.close().await;
    drop((engine, journal));
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || chain(&["a"]));
    assert_eq!(engine.resume().await.unwrap(), 0);
    assert!(chats(&journal, run, 1).await[&1].contains("restarted"));
    assert!(journal.unfinished().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stop_waits_for_what_must_not_be_cut_in_two() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let (begun, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let engine = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        bench.engine(&journal, move || {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            let mut graph = chain(&["later"]);
            let trade = step(move |node| {
                let (begun, go_on) = (begun.clone(), go_on.clone());
                Box::pin(async move {
                    node.commit(async {
                        begun.notify_one();
                        go_on.notified().await;
                        let line =
                            protocol::LogLine { level: protocol::LogLevel::Info, message: "traded".into() };
                        node.emit(vec![Body::Logged(line)]).await
                    })
                    .await?;
                    Ok(Outcome::default())
                })
            });
            graph.node(plan("trade", 1), trade).flow(&id("trade"), &id("later"));
            graph
        })
    };
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    begun.notified().await;
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.stop(run, ada(), None).await }
    });
    tokio::task::yield_now().await;
    go_on.notify_one();
    stopping.await.unwrap().unwrap();
    let events: Vec<Event> = journal.read(run, 0, 1000).await.unwrap();
    assert!(events.iter().any(|event| matches!(&event.body, Body::Logged(line) if line.message == "traded")));
    assert!(
        matches!(&events.last().unwrap().body, Body::RunFinished(end) if end.status == RunStatus::Cancelled)
    );
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 0, "nothing began after the stop");
}
