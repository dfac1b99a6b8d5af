//! A visit that is repeated asks the same as before, and is told the same.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use engine::{AnswerForm, Engine, Graph, NodeError, Outcome, Question, ToolResult};
use futures::future::BoxFuture;
use journal::Journal;
use llm::Arguments;
use protocol::{Body, ForkPoint, Limits, LogLevel, LogLine, NewEvent, RunId, RunStatus, RunView};
use serde_json::json;

use crate::{stage::*, steering::*};

type Visited<'a> = BoxFuture<'a, Result<(), NodeError>>;

/// A run with one node, which does `act` with "old", and then hangs until its server is gone.
struct Cut {
    bench: Bench,
    journal: Journal,
    engine: Engine,
    run: RunId,
}

/// A graph whose node does `act` with this version's word.
fn versioned(
    version: &'static str,
    hangs: bool,
    act: impl for<'a> Fn(&'a engine::NodeContext, &'static str) -> Visited<'a> + Clone + Send + Sync + 'static,
) -> impl Fn() -> Graph + Send + Sync + 'static {
    move || {
        let act = act.clone();
        let mut graph = Graph::new();
        graph.node(
            plan("a", 1),
            step(move |node| {
                let act = act.clone();
                Box::pin(async move {
                    act(node, version).await?;
                    if hangs {
                        node.chat(ask("hang")).await?;
                    }
                    Ok(Outcome::default())
                })
            }),
        );
        graph
    }
}

impl Cut {
    async fn off(graph: impl Fn() -> Graph + Send + Sync + 'static) -> Self {
        let bench = Bench::new();
        let journal = bench.journal().await;
        let engine = bench.engine(&journal, graph);
        let run = engine.start(request(Limits::default()), ada()).await.unwrap();
        bench.model.hanging.notified().await;
        engine.shut_down().await;
        Self { bench, journal, engine, run }
    }

    /// The run's end after another version of the program was started.
    async fn resumed(&mut self, graph: impl Fn() -> Graph + Send + Sync + 'static) -> RunView {
        self.engine = self.bench.engine(&self.journal, graph);
        assert_eq!(self.engine.resume().await.unwrap(), 1);
        end_of(&self.journal, self.run).await
    }

    fn calls(&self) -> u32 {
        self.bench.model.calls.load(Ordering::SeqCst)
    }
}

fn asks<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
    Box::pin(async move { node.chat(ask(version)).await.map(drop) })
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken_and_the_run_can_go_on_from_there() {
    let mut cut = Cut::off(versioned("old", true, asks)).await;
    let view = cut.resumed(versioned("new", false, asks)).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.unwrap();
    assert!(error.contains("planned by another version") && error.contains("a:1:1"), "{error}");
    assert_eq!(cut.calls(), 2, "nothing was asked anew");

    for point in [ForkPoint::End, ForkPoint::Before { node: id("a"), visit: 1 }] {
        let before = cut.calls();
        let fork = cut.engine.fork(cut.run, fork(point), ada()).await.unwrap();
        assert_eq!(end_of(&cut.journal, fork).await.summary.status, RunStatus::Succeeded);
        assert_eq!(cut.calls(), before + 1, "the new question was asked");
    }
}

#[tokio::test]
async fn the_same_question_takes_the_answer_of_the_log() {
    let mut cut = Cut::off(versioned("same", true, asks)).await;
    let view = cut.resumed(versioned("same", false, asks)).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(cut.calls(), 2);
}

#[tokio::test]
async fn a_tool_with_other_arguments_or_a_person_with_another_question_is_not_taken_for_the_same() {
    fn tool<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
        Box::pin(async move {
            let arguments: Arguments = json!({ "of": version }).into();
            node.tool("look_up", &arguments, async { ToolResult::success("42", "test") }).await.map(drop)
        })
    }
    fn another_tool<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
        Box::pin(async move {
            node.tool(version, &json!({}).into(), async { ToolResult::success("42", "test") }).await.map(drop)
        })
    }
    fn tool_or_model<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
        if version == "old" { tool(node, version) } else { asks(node, version) }
    }
    fn model_or_person<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
        if version == "old" { asks(node, version) } else { person(node, version) }
    }
    fn person<'a>(node: &'a engine::NodeContext, version: &'static str) -> Visited<'a> {
        Box::pin(async move {
            let question = Question {
                prompt: format!("Which way, {version}?"),
                reason: None,
                form: AnswerForm::Text,
                patience: Some(std::time::Duration::ZERO),
                default: Some(json!("left")),
            };
            node.ask(question).await.map(drop)
        })
    }
    for act in [tool, another_tool, tool_or_model, model_or_person, person] {
        let mut cut = Cut::off(versioned("old", true, act)).await;
        let view = cut.resumed(versioned("new", false, act)).await;
        assert_eq!(view.summary.status, RunStatus::Failed);
        let error = view.summary.error.unwrap();
        assert!(error.contains("planned by another version"), "{error}");
    }
}

#[tokio::test]
async fn what_reacted_to_a_failed_call_takes_the_same_path_again() {
    fn falls_back<'a>(node: &'a engine::NodeContext, _: &'static str) -> Visited<'a> {
        Box::pin(async move {
            match node.chat(ask("fail")).await {
                Ok(_) => panic!("it failed"),
                Err(NodeError::Model(why)) => assert!(why.contains("without an answer"), "{why}"),
                Err(other) => return Err(other),
            }
            node.chat(ask("another way")).await.map(drop)
        })
    }
    let mut cut = Cut::off(versioned("", true, falls_back)).await;
    assert_eq!(cut.calls(), 3);
    let view = cut.resumed(versioned("", false, falls_back)).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(cut.calls(), 3, "neither the failure nor the answer was asked for again");
}

#[tokio::test]
async fn a_log_of_an_old_version_has_no_digests_and_is_taken_as_it_is() {
    let cut = Cut::off(versioned("old", true, asks)).await;
    let old = cut.journal.read(cut.run, 0, 1000).await.unwrap();
    let events = old.into_iter().map(|event| {
        let mut body = event.body;
        if let Body::CallStarted(started) = &mut body {
            started.asked = None;
        }
        NewEvent { at: event.at, node: event.node, body }
    });
    let run = RunId("0197a1b2-0000-7000-8000-000000000001".parse().unwrap());
    let epoch = cut.journal.claim(run).await.unwrap();
    cut.journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();
    let engine = cut.bench.engine(&cut.journal, versioned("new", false, asks));
    assert_eq!(engine.resume().await.unwrap(), 2);
    assert_eq!(end_of(&cut.journal, run).await.summary.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_repeated_visit_sees_the_state_of_its_beginning() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let go_on = Arc::new(tokio::sync::Notify::new());
    let is_first = Arc::new(AtomicBool::new(true));
    let graph = {
        let (go_on, is_first) = (go_on.clone(), is_first.clone());
        move || {
            let (go_on, is_first) = (go_on.clone(), is_first.clone());
            let beside = step(move |_| {
                let go_on = go_on.clone();
                Box::pin(async move {
                    go_on.notified().await;
                    Outcome::default().set("beside", "done")
                })
            });
            let looking = step(move |node| {
                let is_first = is_first.clone();
                Box::pin(async move {
                    node.chat(ask(&format!("sees [{}]", node.state().text("beside")))).await?;
                    if is_first.swap(false, Ordering::SeqCst) {
                        node.chat(ask("hang")).await?;
                    }
                    Ok(Outcome::default())
                })
            });
            let mut graph = Graph::new();
            graph.node(plan("looking", 1), looking).node(plan("beside", 1), beside);
            graph
        }
    };
    let engine = bench.engine(&journal, graph.clone());
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    go_on.notify_one();
    view_when(&journal, run, |view| view.state.contains_key("beside")).await;
    engine.shut_down().await;
    let engine = bench.engine(&journal, graph);
    engine.resume().await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
}

#[tokio::test]
async fn a_continued_run_does_again_what_failed_and_keeps_what_was_answered_before() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let attempts = Arc::new(AtomicU32::new(0));
    let engine = bench.engine(&journal, {
        let attempts = attempts.clone();
        move || {
            let attempts = attempts.clone();
            let work = step(move |node| {
                let attempts = attempts.clone();
                Box::pin(async move {
                    let line = |message: &str| {
                        vec![Body::Logged(LogLine { level: LogLevel::Info, message: message.into() })]
                    };
                    node.chat(ask("one")).await?;
                    node.emit(line("after one")).await?;
                    let is_first = attempts.fetch_add(1, Ordering::SeqCst) == 0;
                    // The same question, of which the model made something else the first time.
                    let two = node.chat(ask("fail")).await;
                    node.emit(line(if is_first { "it failed" } else { "it failed again" })).await?;
                    if is_first { two.map(|_| Outcome::default()) } else { Ok(Outcome::default()) }
                })
            });
            let mut graph = Graph::new();
            graph.node(plan("a", 1), work);
            graph
        }
    });
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    assert_eq!(end_of(&journal, first).await.summary.status, RunStatus::Failed);
    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 3, "only what had failed was asked again");
    let events = journal.read(second, 0, 1000).await.unwrap();
    let lines: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Logged(line) => Some(line.message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(lines, ["after one", "it failed again"]);
}
