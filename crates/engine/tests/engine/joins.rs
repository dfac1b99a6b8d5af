//! When nodes begin that several others lead to, and where a node passes work on to.

use engine::{Graph, Join, Outcome};
use protocol::{EdgeKind, ForkPoint, Limits, NodeStatus, RunStatus, RunView};

use crate::{stage::*, steering::*};

/// `start` leads to some of `a`, `b` and `c`, one after the other, which `join` joins.
fn fan(taken: &'static [&'static str], join: Join) -> impl Fn() -> Graph + Send + Sync + 'static {
    move || {
        let mut graph = Graph::new();
        graph.append("order").node(plan("start", 1), note());
        let mut routes = Vec::new();
        for name in ["a", "b", "c"] {
            graph.node(plan(name, 1), note()).flow(&id(name), &id("join"));
            routes.push(route(name, EdgeKind::Conditional));
        }
        graph.branch(&id("start"), routes, |_, _| taken.iter().map(|name| id(name)).collect());
        graph.node(plan("join", 1), note()).join(&id("join"), join);
        graph
    }
}

fn order(view: &RunView) -> Vec<String> {
    let names = view.state["order"].iter();
    names.map(|name| serde_json::from_str(name.value.whole().unwrap()).unwrap()).collect()
}

/// One node at a time, in the order of the plan.
fn in_turn() -> Limits {
    Limits { concurrent_nodes: 1, ..Limits::default() }
}

#[tokio::test]
async fn a_join_of_all_that_one_source_never_reaches_is_not_reached() {
    let view = Bench::new().run(in_turn(), fan(&["a", "b"], Join::All)).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(order(&view), ["start", "a", "b"]);
    let join = view.node(&id("join")).unwrap();
    assert_eq!(join.status, NodeStatus::Skipped);
    assert_eq!(join.reason.as_deref(), Some("not reached by all that it joins"));
}

#[tokio::test]
async fn a_join_of_what_is_reached_begins_once_nothing_else_is_at_work() {
    let view = Bench::new().run(in_turn(), fan(&["a", "b"], Join::Reached)).await;
    assert_eq!(order(&view), ["start", "a", "b", "join"]);
    let view = Bench::new().run(in_turn(), fan(&["a", "b", "c"], Join::Reached)).await;
    assert_eq!(order(&view), ["start", "a", "b", "c", "join"]);
}

#[tokio::test]
async fn a_join_of_any_begins_with_the_first_and_takes_together_what_came_before_it_began() {
    // In the order of the plan `b` and `c` are before `join`, so both have delivered when it begins.
    let view = Bench::new().run(in_turn(), fan(&["a", "b", "c"], Join::Any)).await;
    assert_eq!(order(&view), ["start", "a", "b", "c", "join"]);
    let view = Bench::new().run(in_turn(), fan(&["b"], Join::Any)).await;
    assert_eq!(order(&view), ["start", "b", "join"]);
}

#[tokio::test]
async fn a_delivery_while_a_join_of_any_works_is_its_next_visit() {
    let view = Bench::new()
        .run(in_turn(), || {
            let mut graph = Graph::new();
            graph.append("order");
            // Before its sources in the plan, so that it begins between them.
            graph.node(plan("join", 2), note()).join(&id("join"), Join::Any);
            for name in ["a", "b"] {
                graph.node(plan(name, 1), note()).flow(&id(name), &id("join"));
            }
            graph
        })
        .await;
    assert_eq!(order(&view), ["a", "join", "b", "join"]);
}

#[tokio::test]
async fn a_join_of_a_count_begins_with_so_many() {
    for (taken, expected) in [
        (&["a"][..], &["start", "a"][..]),
        (&["a", "c"], &["start", "a", "c", "join"]),
        (&["a", "b", "c"], &["start", "a", "b", "c", "join"]),
    ] {
        let view = Bench::new().run(in_turn(), fan(taken, Join::Count(2))).await;
        assert_eq!(order(&view), expected);
        assert_eq!(view.summary.status, RunStatus::Succeeded);
    }
    // More than there are sources: all of them.
    let view = Bench::new().run(in_turn(), fan(&["a", "b", "c"], Join::Count(9))).await;
    assert_eq!(order(&view), ["start", "a", "b", "c", "join"]);
}

/// `chair` says who speaks, each of whom gives the word back, which no edge says, and then closes.
fn panel() -> Graph {
    let chair = step(|node| {
        let next = match node.visit() {
            1 => vec![id("bob")],
            2 => vec![id("eve")],
            3 => vec![id("bob")],
            _ => Vec::new(),
        };
        Box::pin(async move {
            node.chat(ask(&format!("chair {}", node.visit()))).await?;
            Ok(Outcome::default().set("order", node.plan().id.as_str())?.to(next))
        })
    });
    let speaker = || {
        step(|node| {
            Box::pin(async move {
                node.chat(ask(&format!("{} {}", node.plan().id, node.visit()))).await?;
                Ok(Outcome::default().set("order", node.plan().id.as_str())?.to([id("chair")]))
            })
        })
    };
    let mut graph = Graph::new();
    graph.append("order").node(plan("chair", 4), chair);
    graph.node(plan("bob", 2), speaker()).node(plan("eve", 1), speaker()).node(plan("never", 1), note());
    for name in ["bob", "eve", "never"] {
        // Only that they do not begin by themselves.
        graph.branch(&id("chair"), vec![route(name, EdgeKind::Conditional)], |_, _| Vec::new());
    }
    graph
}

#[tokio::test]
async fn a_node_says_at_work_who_is_next() {
    let view = Bench::new().run(Limits::default(), panel).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(order(&view), ["chair", "bob", "chair", "eve", "chair", "bob", "chair"]);
    assert_eq!(view.node(&id("never")).unwrap().status, NodeStatus::Skipped);
}

#[tokio::test]
async fn what_a_node_said_is_next_takes_the_place_of_its_flow_edges() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            graph.append("order");
            let chosen = step(|node| {
                Box::pin(async move {
                    Ok(Outcome::default().set("order", node.plan().id.as_str())?.to([id("b")]))
                })
            });
            graph.node(plan("a", 1), chosen).node(plan("b", 1), note()).node(plan("c", 1), note());
            graph.flow(&id("a"), &id("b")).flow(&id("a"), &id("c"));
            graph
        })
        .await;
    assert_eq!(order(&view), ["a", "b"]);
}

#[tokio::test]
async fn a_node_that_passes_work_on_to_nobody_fails_with_a_sentence() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            let lost = step(|_| Box::pin(async { Ok(Outcome::default().to([id("nowhere")])) }));
            graph.node(plan("a", 1), lost);
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.unwrap();
    assert!(error.contains("\"nowhere\"") && error.contains("no such node"), "{error}");
}

#[tokio::test]
async fn a_continued_run_does_again_what_a_visit_led_to_without_an_edge() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, panel);
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, first).await;
    assert_eq!(bench.calls(), 7);
    let point = ForkPoint::Before { node: id("eve"), visit: 1 };
    let second = engine.fork(first, fork(point), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(order(&view), ["chair", "bob", "chair", "eve", "chair", "bob", "chair"]);
    assert_eq!(bench.calls(), 7 + 4, "from eve on, all speak again");
}
