//! What a model had written when its call was dropped: it is kept, and never taken for an answer.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use engine::{Allowance, Engine, EngineOptions, Graph, NodeError, Outcome};
use journal::Journal;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Piece, Sink};
use protocol::{Body, ForkPoint, Limits, RunId, RunStatus, Tier, Usage};
use serde_json::json;
use tokio::sync::Notify;

use crate::{stage::*, steering::*};

/// What is written of the first answer.
const HALF: &str = "half an ans";
/// The whole one.
const WHOLE: &str = "half an answer, and the rest";

/// Writes half of its first answer and hangs, and gives whole ones after that. Its first attempt breaks off.
#[derive(Default)]
struct Halting {
    calls: AtomicU32,
    hanging: Notify,
}

#[async_trait]
impl ChatModel for Halting {
    fn model(&self, _: Tier) -> String {
        "halting".into()
    }

    async fn chat(&self, _: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        sink(Piece::Begin);
        if self.calls.fetch_add(1, Ordering::SeqCst) == 0 {
            sink(Piece::Text("of an attempt that failed"));
            sink(Piece::Begin);
            sink(Piece::Text(HALF));
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        sink(Piece::Text(WHOLE));
        Ok(ChatAnswer {
            model: "halting".into(),
            text: WHOLE.into(),
            thoughts: String::new(),
            tool_requests: Vec::new(),
            echo: None,
            usage: Usage::default(),
            cost: None,
            attempts: Vec::new(),
        })
    }
}

/// A run that asks the model, and how it stands.
struct Halted {
    bench: Bench,
    model: Arc<Halting>,
}

impl Halted {
    fn new() -> Self {
        Self { bench: Bench::new(), model: Arc::default() }
    }

    fn engine(&self, journal: &Journal, graph: impl Fn() -> Graph + Send + Sync + 'static) -> Engine {
        let workflows = Arc::new(Fixed { graph, model: self.model.clone() as Arc<dyn ChatModel> });
        Engine::new(journal.clone(), workflows, Arc::new(Allowance::default()), EngineOptions::default())
    }

    /// Starts a run, and returns once the model has written half of an answer.
    async fn start(&self, engine: &Engine) -> RunId {
        let run = engine.start(request(Limits::default()), ada()).await.unwrap();
        self.model.hanging.notified().await;
        run
    }
}

/// The texts of all calls that were cut off, by their call, as the log has them.
async fn cut_off(journal: &Journal, run: RunId) -> Vec<(String, String)> {
    let events = journal.read(run, 0, 1000).await.unwrap();
    let cut_off = events.into_iter().filter_map(|event| match event.body {
        Body::CallFinished(finished) if !finished.cut_off.is_empty() => {
            assert!(finished.answer.is_empty() && finished.error.is_some(), "it is no answer: {finished:?}");
            Some((finished.call.to_string(), finished.cut_off.whole().unwrap().to_owned()))
        }
        _ => None,
    });
    cut_off.collect()
}

#[tokio::test]
async fn a_stop_keeps_what_was_written_of_an_answer_and_nothing_goes_on_from_it() {
    let halted = Halted::new();
    let journal = halted.bench.journal().await;
    let engine = halted.engine(&journal, || chain(&["a", "b"]));
    let first = halted.start(&engine).await;
    engine.stop(first, ada(), None).await.unwrap();
    let view = end_of(&journal, first).await;
    assert_eq!(view.summary.status, RunStatus::Cancelled);
    assert_eq!(cut_off(&journal, first).await, [("a:1:1".to_owned(), HALF.to_owned())]);
    let outcome = view.call(&"a:1:1".parse().unwrap()).unwrap().outcome.clone().unwrap();
    assert_eq!((outcome.cut_off.shown(), outcome.answer.shown()), (HALF, ""));

    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(halted.model.calls.load(Ordering::SeqCst), 1 + 2, "the one that was cut off is made again");
    assert_eq!(state(&view, "a"), json!(WHOLE));
    assert_eq!(cut_off(&journal, second).await, []);
}

#[tokio::test]
async fn what_was_written_is_kept_where_another_node_ends_the_run() {
    let halted = Halted::new();
    let journal = halted.bench.journal().await;
    let fails = Arc::new(Notify::new());
    let told = fails.clone();
    let engine = halted.engine(&journal, move || {
        let mut graph = chain(&["a"]);
        let told = told.clone();
        let failing = step(move |_| {
            let told = told.clone();
            Box::pin(async move {
                told.notified().await;
                Err(NodeError::failed("It broke."))
            })
        });
        graph.node(plan("beside", 1), failing);
        graph
    });
    let run = halted.start(&engine).await;
    fails.notify_one();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Failed);
    assert_eq!(cut_off(&journal, run).await, [("a:1:1".to_owned(), HALF.to_owned())]);
}

#[tokio::test]
async fn what_was_written_is_kept_where_the_visit_gave_the_call_up_and_went_on() {
    let halted = Halted::new();
    let journal = halted.bench.journal().await;
    let gives_up = Arc::new(Notify::new());
    let told = gives_up.clone();
    let engine = halted.engine(&journal, move || {
        let told = told.clone();
        let impatient = step(move |node| {
            let told = told.clone();
            Box::pin(async move {
                tokio::select! {
                    answer = node.chat(ask("a")) => drop(answer?),
                    () = told.notified() => {}
                }
                Ok(Outcome::default())
            })
        });
        let mut graph = Graph::new();
        graph.node(plan("a", 1), impatient);
        graph
    });
    let run = halted.start(&engine).await;
    gives_up.notify_one();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Succeeded);
    assert_eq!(cut_off(&journal, run).await, [("a:1:1".to_owned(), HALF.to_owned())]);
}

#[tokio::test]
async fn a_call_in_flight_at_the_end_of_the_server_is_made_again_and_leaves_no_text() {
    let halted = Halted::new();
    let journal = halted.bench.journal().await;
    let engine = halted.engine(&journal, || chain(&["a"]));
    let run = halted.start(&engine).await;
    engine.shut_down().await;
    journal.close().await;
    drop((engine, journal));

    let journal = halted.bench.journal().await;
    let engine = halted.engine(&journal, || chain(&["a"]));
    assert_eq!(engine.resume().await.unwrap(), 1);
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, state(&view, "a")), (RunStatus::Succeeded, json!(WHOLE)));
    assert_eq!(cut_off(&journal, run).await, []);
}
