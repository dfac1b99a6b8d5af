//! What a run used: the same in its log, in its limits and at its end, whatever happened on the way.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use engine::{Allowance, AnswerForm, Engine, EngineOptions, Graph, NodeError, Outcome, ToolResult};
use journal::Journal;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink};
use proptest::{collection::vec, prelude::*};
use protocol::{Body, Event, ForkPoint, Limits, LogLevel, LogLine, RunId, RunStatus, RunView, Tier, Totals};
use serde_json::json;
use tokio::sync::Notify;

use crate::{stage::*, steering::*};

/// The totals that the run's last event holds, and those that its log adds up to by then.
fn totals_at_the_end(events: &[Event]) -> (Totals, Totals) {
    let end = events.iter().position(|event| event.body.ends_run()).expect("an end");
    let Body::RunFinished(finished) = &events[end].body else { unreachable!() };
    let view = RunView::fold(&events[..=end]).unwrap();
    (finished.totals.clone(), view.summary.totals)
}

#[tokio::test]
async fn a_call_that_a_stop_drops_ends_in_the_log_and_is_of_unknown_cost() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = chain(&["a"]);
        let hang =
            || step(|node| Box::pin(async move { node.chat(ask("hang")).await.map(|_| Outcome::default()) }));
        graph.node(plan("b", 1), hang()).node(plan("c", 1), hang());
        graph.flow(&id("a"), &id("b")).flow(&id("a"), &id("c"));
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    view_when(&journal, run, |view| view.summary.open_calls.len() == 2).await;
    engine.stop(run, ada(), None).await.unwrap();
    let view = end_of(&journal, run).await;
    let totals = &view.summary.totals;
    assert_eq!((totals.model_calls, totals.calls_of_unknown_cost), (3, 2));
    assert_eq!((totals.tokens(), totals.cost), (15, "0.01".parse().unwrap()));
    let events = journal.read(run, 0, 1000).await.unwrap();
    let dropped: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::CallFinished(finished) if finished.error.is_some() => {
                Some((event.node.as_ref().unwrap().as_str(), finished.model.as_str(), finished.cost))
            }
            _ => None,
        })
        .collect();
    assert_eq!(dropped, [("b", "echo", None), ("c", "echo", None)]);
    let (said, added_up) = totals_at_the_end(&events);
    assert_eq!(said, added_up);
}

#[tokio::test]
async fn attempts_that_were_charged_count_though_the_call_failed() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let work = step(|node| {
                Box::pin(
                    async move { Outcome::default().set("failed", node.chat(ask("fail")).await.is_err()) },
                )
            });
            let mut graph = Graph::new();
            graph.node(plan("a", 1), work);
            graph
        })
        .await;
    let totals = &view.summary.totals;
    assert_eq!((totals.model_calls, totals.tokens(), totals.calls_of_unknown_cost), (1, 10, 1));
    assert_eq!(totals.cost, "0.005".parse().unwrap());
}

#[tokio::test]
async fn what_is_asked_beside_a_run_counts_for_its_limits_at_once() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = Graph::new();
        graph.node(plan("question", 1), asking(AnswerForm::Text, None, None));
        graph.node(plan("a", 1), thinking()).flow(&id("question"), &id("a"));
        graph
    });
    let run = engine.start(request(Limits { tokens: Some(30), ..Limits::default() }), ada()).await.unwrap();
    open_question(&journal, run, "question:1:1").await;
    for chat in 1..=2 {
        engine.chat(run, "why?", ada()).await.unwrap();
        chats(&journal, run, chat).await;
    }
    engine.answer(run, answer("question:1:1", value(json!("on")))).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.error.as_deref(), Some("The run used 30 tokens, its limit."));
    let (said, added_up) = totals_at_the_end(&journal.read(run, 0, 1000).await.unwrap());
    assert_eq!(said, added_up);
}

#[tokio::test]
async fn what_a_continued_run_took_over_counts_for_none_of_its_limits() {
    let limits = [
        (Limits { tokens: Some(30), ..Limits::default() }, "The run used 30 tokens, its limit."),
        (
            Limits { cost: Some("0.02".parse().unwrap()), ..Limits::default() },
            "The run cost $0.02, its limit.",
        ),
        (Limits { steps: 2, ..Limits::default() }, "The run took 2 steps, its limit."),
    ];
    for (limits, reason) in limits {
        let bench = Bench::new();
        let journal = bench.journal().await;
        let engine = bench.engine(&journal, || chain(&["a", "b", "c", "d", "e"]));
        let mut run = engine.start(request(limits), ada()).await.unwrap();
        // Two nodes each time, with the same limits.
        for _ in 0..2 {
            let view = end_of(&journal, run).await;
            assert_eq!(view.summary.error.as_deref(), Some(reason));
            run = engine.fork(run, fork(ForkPoint::End), ada()).await.unwrap();
        }
        let view = end_of(&journal, run).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        assert_eq!(bench.model.calls.load(Ordering::SeqCst), 5, "nothing was paid for twice");
        assert_eq!((view.summary.totals.tokens(), view.summary.own_totals().tokens()), (75, 15));
        assert_eq!(journal.spent(&ada()).await.unwrap().tokens(), 75, "each call once");
    }
}

#[tokio::test]
async fn a_continued_run_has_all_of_its_time() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let is_first = Arc::new(AtomicBool::new(true));
    let engine = bench.engine(&journal, move || {
        let is_first = is_first.clone();
        let work = step(move |node| {
            let prompt = if is_first.swap(false, Ordering::SeqCst) { "hang" } else { "go on" };
            Box::pin(async move { node.chat(ask(prompt)).await.map(|_| Outcome::default()) })
        });
        let mut graph = Graph::new();
        graph.node(plan("a", 1), work);
        graph
    });
    let limits = Limits { seconds: Some(1), ..Limits::default() };
    let first = engine.start(request(limits), ada()).await.unwrap();
    let view = end_of(&journal, first).await;
    assert_eq!(view.summary.error.as_deref(), Some("The run took 1 seconds, its limit."));
    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    // The call that the time cut off was the first run's.
    assert_eq!(view.summary.own_totals().calls_of_unknown_cost, 0);
}

#[tokio::test]
async fn what_was_taken_over_stays_uncounted_after_a_restart() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = || {
        let mut graph = chain(&["a", "b", "c"]);
        graph.node(plan("question", 1), asking(AnswerForm::Text, None, None));
        graph.node(plan("d", 1), thinking()).node(plan("e", 1), thinking());
        graph.flow(&id("c"), &id("question")).flow(&id("question"), &id("d")).flow(&id("d"), &id("e"));
        graph
    };
    let engine = bench.engine(&journal, graph);
    let first = engine.start(request(Limits { tokens: Some(30), ..Limits::default() }), ada()).await.unwrap();
    end_of(&journal, first).await;
    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    open_question(&journal, second, "question:1:1").await;
    engine.shut_down().await;
    let engine = bench.engine(&journal, graph);
    assert_eq!(engine.resume().await.unwrap(), 1);
    engine.answer(second, answer("question:1:1", value(json!("on")))).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.error.as_deref(), Some("The run used 30 tokens, its limit."));
    assert_eq!(view.node(&id("d")).unwrap().visits.len(), 1, "c and d are its own");
}

/// What a node does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Ask,
    Fail,
    Tool,
    Emit,
}

/// What happens to the run, when a call hangs.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// Its server is gone, and started again.
    Crash,
    /// Somebody asks a question beside it; then its server is gone.
    QuestionAndCrash,
    Stop,
}

/// Answers at once, but for the calls of some numbers, which hang.
struct Gated {
    calls: AtomicU32,
    hang_at: Vec<u32>,
    hanging: Notify,
}

#[async_trait]
impl ChatModel for Gated {
    fn model(&self, _: Tier) -> String {
        "gated".into()
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let is_beside = request.agent == engine::CHAT_AGENT;
        if !is_beside && self.hang_at.contains(&self.calls.fetch_add(1, Ordering::SeqCst)) {
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        let Some(Message::User(_)) = request.messages.last() else { panic!("a user message") };
        Echo::default().chat(request, sink).await
    }
}

/// One node for each script, side by side.
fn scripted(scripts: Vec<Vec<Act>>) -> impl Fn() -> Graph + Clone + Send + Sync + 'static {
    move || {
        let mut graph = Graph::new();
        for (number, script) in scripts.iter().enumerate() {
            let script = script.clone();
            let work = step(move |node| {
                let script = script.clone();
                Box::pin(async move {
                    for (index, act) in script.into_iter().enumerate() {
                        carry_out(node, index, act).await?;
                    }
                    Ok(Outcome::default())
                })
            });
            graph.node(plan(&format!("node_{number}"), 1), work);
        }
        graph
    }
}

async fn carry_out(node: &engine::NodeContext, index: usize, act: Act) -> Result<(), NodeError> {
    match act {
        Act::Ask => node.chat(ask(&format!("question {index}"))).await.map(drop),
        Act::Fail => match node.chat(ask(&format!("fail {index}"))).await {
            Err(NodeError::Model(_)) => Ok(()),
            other => other.map(drop),
        },
        Act::Tool => {
            let result = async { ToolResult::success("42", "test") };
            node.tool("look_up", &json!({ "index": index }).into(), result).await.map(drop)
        }
        Act::Emit => {
            let line = LogLine { level: LogLevel::Info, message: format!("line {index}") };
            node.emit(vec![Body::Logged(line)]).await
        }
    }
}

/// The log of a run that is dealt these blows.
async fn log_of(
    scripts: Vec<Vec<Act>>,
    hang_at: Vec<u32>,
    blows: Vec<Blow>,
    tokens: Option<u64>,
) -> Vec<Event> {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let model = Arc::new(Gated { calls: AtomicU32::new(0), hang_at, hanging: Notify::new() });
    let graph = scripted(scripts);
    let open = || {
        let workflows = Arc::new(Fixed { graph: graph.clone(), model: model.clone() as Arc<dyn ChatModel> });
        Engine::new(journal.clone(), workflows, Arc::new(Allowance::default()), EngineOptions::default())
    };
    let mut engine = open();
    let run = engine.start(request(Limits { tokens, ..Limits::default() }), ada()).await.unwrap();
    let mut blows = VecDeque::from(blows);
    loop {
        tokio::select! {
            () = model.hanging.notified() => {}
            _ = end_of(&journal, run) => break,
        }
        match blows.pop_front().unwrap_or(Blow::Stop) {
            Blow::Stop => drop(engine.stop(run, ada(), None).await),
            blow => {
                if let Blow::QuestionAndCrash = blow {
                    let chat = engine.chat(run, "why?", ada()).await.unwrap();
                    chats(&journal, run, chat as usize).await;
                }
                engine.shut_down().await;
                engine = open();
                engine.resume().await.unwrap();
            }
        }
    }
    whole_log(&journal, run).await
}

async fn whole_log(journal: &Journal, run: RunId) -> Vec<Event> {
    journal.read(run, 0, 10_000).await.unwrap()
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![3 => Just(Act::Ask), 2 => Just(Act::Fail), 1 => Just(Act::Tool), 1 => Just(Act::Emit)]
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![4 => Just(Blow::Crash), 2 => Just(Blow::QuestionAndCrash), 1 => Just(Blow::Stop)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// AgentOS 7.1.8.
    #[test]
    fn a_run_that_is_cut_off_has_used_what_its_log_adds_up_to(
        scripts in vec(vec(act(), 0..6), 1..3),
        hang_at in vec(0_u32..10, 0..4),
        blows in vec(blow(), 0..4),
        tokens in prop::option::of(1_u64..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_alone = scripts.len() == 1;
        let events = runtime.block_on(log_of(scripts.clone(), hang_at, blows, tokens));
        let (said, added_up) = totals_at_the_end(&events);
        prop_assert_eq!(&said, &added_up);

        let Body::RunFinished(finished) = &events.iter().find(|event| event.body.ends_run()).unwrap().body else {
            unreachable!()
        };
        let is_limited = finished.error.as_deref().is_some_and(|error| error.contains("its limit"));
        if let Some(limit) = tokens {
            prop_assert!(!is_limited || added_up.tokens() >= limit, "the limit was reached: {:?}", added_up);
            // Calls side by side may go beyond the limit together; one alone never begins there.
            let begun = events.iter().enumerate().filter(|(_, event)| matches!(event.body, Body::CallStarted(_)));
            for (index, _) in begun.filter(|_| is_alone) {
                let before = RunView::fold(&events[..index]).unwrap().summary.totals.tokens();
                prop_assert!(before < limit, "{} of {} tokens were used before call {}", before, limit, index);
            }
        }
        // Nothing is written twice, and nothing is lost.
        if finished.status == RunStatus::Succeeded {
            let count = |wanted: fn(&Act) -> bool| scripts.iter().flatten().filter(|act| wanted(act)).count();
            let logged = |wanted: fn(&Body) -> bool| events.iter().filter(|event| wanted(&event.body)).count();
            prop_assert_eq!(logged(|body| matches!(body, Body::Logged(_))), count(|act| matches!(act, Act::Emit)));
            prop_assert_eq!(
                logged(|body| matches!(body, Body::CallFinished(_))),
                count(|act| matches!(act, Act::Ask | Act::Fail))
            );
            prop_assert_eq!(added_up.tool_calls as usize, count(|act| matches!(act, Act::Tool)));
        }
    }
}

#[tokio::test]
async fn an_account_is_charged_for_attempts_of_failed_and_of_dropped_calls() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let mut used = Totals::default();
    let engine = bench.engine(&journal, || {
        let work = step(|node| {
            Box::pin(async move {
                let _ = node.chat(ask("fail")).await;
                node.chat(ask("hang")).await.map(|_| Outcome::default())
            })
        });
        let mut graph = Graph::new();
        graph.node(plan("a", 1), work);
        graph
    });
    for _ in 0..2 {
        let run = engine.start(request(Limits::default()), ada()).await.unwrap();
        bench.model.hanging.notified().await;
        engine.stop(run, ada(), None).await.unwrap();
        used.add(&end_of(&journal, run).await.summary.totals);
    }
    let spent = journal.spent(&ada()).await.unwrap();
    assert_eq!(spent, used);
    assert_eq!((spent.tokens(), spent.calls_of_unknown_cost), (20, 4));
}
