//! Runs through the public interface, on a real database file.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use engine::{EngineError, EngineOptions, Full, Graph, Join, NodeError, Outcome, ToolResult};
use protocol::{Body, EdgeKind, Limits, LogLevel, LogLine, NodeStatus, RunStatus};

use crate::stage::*;

#[tokio::test]
async fn parallel_branches_work_at_the_same_time_and_join_once() {
    let meeting = Arc::new(tokio::sync::Barrier::new(3));
    let view = Bench::new()
        .run(Limits::default(), move || {
            let mut graph = Graph::new();
            for branch in ["a", "b", "c"] {
                let meeting = meeting.clone();
                // Each branch waits for the others: run one after another, they would never end.
                let work = step(move |_| {
                    let meeting = meeting.clone();
                    Box::pin(async move {
                        meeting.wait().await;
                        Ok(Outcome::default())
                    })
                });
                graph.node(plan(branch, 1), work);
            }
            graph.node(plan("join", 1), note());
            for branch in ["a", "b", "c"] {
                graph.flow(&id(branch), &id("join"));
            }
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(visits(&view, "join"), 1);
    assert!(view.edges.iter().all(|edge| edge.taken == 1));
}

#[tokio::test]
async fn a_branch_takes_its_condition_and_marks_the_other_as_skipped() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            for name in ["start", "left", "right", "end"] {
                graph.node(
                    plan(name, 1),
                    step(|_| Box::pin(async { Outcome::default().set("side", "left") })),
                );
            }
            let routes = vec![route("left", EdgeKind::Conditional), route("right", EdgeKind::Conditional)];
            graph.branch(&id("start"), routes, |state, _| vec![id(state.text("side"))]);
            graph.flow(&id("left"), &id("end"));
            graph.flow(&id("right"), &id("end")).join(&id("end"), Join::Reached);
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(view.node(&id("right")).unwrap().status, NodeStatus::Skipped);
    assert_eq!(visits(&view, "end"), 1, "a join does not wait for a branch that was not taken");
}

#[tokio::test]
async fn a_debate_goes_round_as_often_as_planned() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            graph.append("order");
            graph.node(plan("bull", 2), note()).node(plan("bear", 2), note()).node(plan("judge", 1), note());
            graph.branch(&id("bull"), vec![route("bear", EdgeKind::Loop)], |_, _| vec![id("bear")]);
            let routes = vec![route("bull", EdgeKind::Loop), route("judge", EdgeKind::Conditional)];
            graph.branch(&id("bear"), routes, |_, visit| vec![id(if visit < 2 { "bull" } else { "judge" })]);
            // Bear has only a loop edge into it, so something must make it no beginning.
            graph.node(plan("gate", 1), note()).branch(
                &id("gate"),
                vec![route("bull", EdgeKind::Conditional), route("bear", EdgeKind::Conditional)],
                |_, _| vec![id("bull")],
            );
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!((visits(&view, "bull"), visits(&view, "bear"), visits(&view, "judge")), (2, 2, 1));
    let turns = view.nodes.iter().flat_map(|node| node.visits.iter().map(|_| node.plan.id.clone())).count();
    assert_eq!(turns, 6);
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_step_limit() {
    let view = Bench::new()
        .run(Limits { steps: 7, ..Limits::default() }, || {
            let mut graph = Graph::new();
            graph.node(plan("again", 1), note());
            graph.branch(&id("again"), vec![route("again", EdgeKind::Loop)], |_, _| vec![id("again")]);
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert_eq!(view.summary.error.as_deref(), Some("The run took 7 steps, its limit."));
    assert_eq!(visits(&view, "again"), 7);
}

#[tokio::test]
async fn a_token_limit_stops_before_the_next_call() {
    let bench = Bench::new();
    let view = bench
        .run(Limits { tokens: Some(30), ..Limits::default() }, || {
            let mut graph = Graph::new();
            graph.node(
                plan("talker", 1),
                step(|node| {
                    Box::pin(async move {
                        for _ in 0..10 {
                            node.chat(ask("hello")).await?;
                        }
                        Ok(Outcome::default())
                    })
                }),
            );
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 2, "each call costs 15 of 30 tokens");
    assert_eq!(view.summary.totals.tokens(), 30);
    assert_eq!(view.summary.totals.cost, "0.02".parse().unwrap());
}

#[tokio::test]
async fn a_failing_node_fails_the_run_with_its_sentence() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            graph.node(plan("bad", 1), step(|_| Box::pin(async { Err(NodeError::failed("No such luck.")) })));
            graph.node(plan("after", 1), note()).flow(&id("bad"), &id("after"));
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert_eq!(view.summary.error.as_deref(), Some("BAD: No such luck."));
    assert_eq!(view.node(&id("bad")).unwrap().status, NodeStatus::Failed);
    assert_eq!(view.node(&id("after")).unwrap().status, NodeStatus::Skipped);
}

/// AgentOS 6.C 27.
#[tokio::test]
async fn a_panicking_node_fails_its_run_and_no_other() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            graph.node(plan("bad", 1), step(|_| Box::pin(async { panic!("a defect") })));
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
}

#[tokio::test]
async fn a_stop_drops_the_call_in_flight_and_keeps_who_and_why() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = Graph::new();
        let hang = step(|node| {
            Box::pin(async move {
                node.chat(ask("hang")).await?;
                Ok(Outcome::default())
            })
        });
        graph.node(plan("stuck", 1), hang);
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    engine.stop(run, ada(), Some("too slow")).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Cancelled);
    assert_eq!(view.summary.error.as_deref(), Some("Stopped by ada: too slow"));
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 1);
    while engine.live(run).is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(matches!(engine.stop(run, ada(), None).await, Err(EngineError::NotActive)));
}

/// What a repeated visit must not do twice.
#[derive(Default)]
struct Counted {
    tool: AtomicU32,
    visits: Mutex<BTreeMap<String, u32>>,
}

#[tokio::test]
async fn a_resumed_run_repeats_no_answered_call_no_tool_and_no_message() {
    let bench = Bench::new();
    let counted = Arc::new(Counted::default());
    let graph = {
        let counted = counted.clone();
        move || {
            let mut graph = Graph::new();
            let first = counted.clone();
            graph.node(
                plan("first", 1),
                step(move |node| {
                    let counted = first.clone();
                    Box::pin(async move {
                        *counted.visits.lock().unwrap().entry("first".into()).or_default() += 1;
                        let answer = node.chat(ask("first question")).await?;
                        Outcome::default().set("first", answer.text)
                    })
                }),
            );
            let second = counted.clone();
            graph.node(
                plan("second", 1),
                step(move |node| {
                    let counted = second.clone();
                    Box::pin(async move {
                        let answer = node.chat(ask("second question")).await?;
                        let tool = async {
                            counted.tool.fetch_add(1, Ordering::SeqCst);
                            ToolResult::success("42", "test")
                        };
                        let result = node.tool("count", &serde_json::json!({}).into(), tool).await?;
                        let line = LogLine { level: LogLevel::Info, message: "once".into() };
                        node.emit(vec![Body::Logged(line)]).await?;
                        let visits = {
                            let mut visits = counted.visits.lock().unwrap();
                            let count = visits.entry("second".into()).or_default();
                            *count += 1;
                            *count
                        };
                        // The first attempt gets stuck here, until its server is gone.
                        node.chat(ask(if visits == 1 { "hang" } else { "third question" })).await?;
                        let text =
                            format!("{} | {} | {}", node.state().text("first"), answer.text, result.text);
                        Outcome::default().set("result", text)
                    })
                }),
            );
            graph.flow(&id("first"), &id("second"));
            graph
        }
    };
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph.clone());
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    engine.shut_down().await;
    journal.close().await;
    drop((engine, journal));

    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph);
    assert_eq!(engine.resume().await.unwrap(), 1);
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    // Two answered questions, the one that hung, and its repetition.
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 4);
    assert_eq!(counted.tool.load(Ordering::SeqCst), 1);
    assert_eq!(counted.visits.lock().unwrap()["first"], 1);
    let result: String = serde_json::from_str(view.state["result"][0].value.whole().unwrap()).unwrap();
    assert_eq!(result, "echo: first question | echo: second question | 42");
    let events = journal.read(run, 0, 1000).await.unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event.body, Body::Logged(_))).count(), 1);
    assert_eq!(visits(&view, "second"), 1, "a repeated visit is one visit");
}

#[tokio::test]
async fn a_run_beyond_the_places_is_queued_and_can_be_stopped_there() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = || {
        let mut graph = Graph::new();
        let hang =
            step(|node| Box::pin(async move { node.chat(ask("hang")).await.map(|_| Outcome::default()) }));
        graph.node(plan("stuck", 1), hang);
        graph
    };
    let options = EngineOptions { concurrent_runs: 1, accepted_runs: 2, ..EngineOptions::default() };
    let engine = bench.engine_with(&journal, options, graph);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    let second = engine.start(request(Limits::default()), ada()).await.unwrap();
    let refused = engine.start(request(Limits::default()), ada()).await;
    assert!(matches!(refused, Err(EngineError::Full(Full::Server(2)))));
    engine.stop(second, ada(), None).await.unwrap();
    assert_eq!(end_of(&journal, second).await.summary.status, RunStatus::Cancelled);
    assert_eq!(bench.model.calls.load(Ordering::SeqCst), 1);
    engine.stop(first, ada(), None).await.unwrap();
    assert_eq!(end_of(&journal, first).await.summary.status, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_wrong_graph_is_refused_and_leaves_no_run() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), note()).flow(&id("a"), &id("nowhere"));
        graph
    });
    assert!(matches!(engine.start(request(Limits::default()), ada()).await, Err(EngineError::Graph(_))));
    assert!(journal.unfinished().await.unwrap().is_empty());
}
