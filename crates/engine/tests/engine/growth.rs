//! Graphs that grow while their run is at work.

use std::sync::Arc;

use engine::{Graph, GrownNode, Growth, Join, NodeContext, NodeError, Outcome, Work};
use journal::Journal;
use protocol::{EdgeAdded, EdgeKind, ForkPoint, Limits, NodeAdded, NodeStatus, RunId, RunStatus, RunView};

use crate::{stage::*, steering::*};

/// Asks the model with its own id and what it was given, and keeps the answer under its id.
struct Search(String);

#[async_trait::async_trait]
impl Work for Search {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let id = node.plan().id.to_string();
        let answer = node.chat(ask(&format!("{id}: {}", self.0))).await?;
        Outcome::default().set(&id, answer.text)
    }
}

fn search(_: &NodeAdded, spec: &str) -> Result<Arc<dyn Work>, String> {
    let topic: String = serde_json::from_str(spec).map_err(|error| format!("it is no topic: {error}"))?;
    Ok(Arc::new(Search(topic)))
}

pub fn grown(name: &str, spec: &str) -> GrownNode {
    GrownNode { plan: plan(name, 1), join: Join::All, spec: serde_json::to_string(spec).unwrap().into() }
}

pub fn edge(from: &str, to: &str) -> EdgeAdded {
    EdgeAdded { from: id(from), to: id(to), kind: EdgeKind::Flow, condition: None }
}

/// Asks the model, and lets two searches appear of which the answer tells, whose results `write` joins.
async fn plans(node: &NodeContext) -> Result<Outcome, NodeError> {
    let answer = node.chat(ask("plan")).await?;
    let names = ["search/1", "search/2"];
    let nodes = names.iter().map(|name| grown(name, &answer.text)).collect();
    let edges = names.iter().map(|name| edge(name, "write")).collect();
    node.grow(Growth { nodes, edges }).await?;
    node.chat(ask("plan again")).await?;
    Ok(Outcome::default())
}

fn research() -> Graph {
    let mut graph = Graph::new();
    graph.node(plan("plan", 1), step(|node| Box::pin(plans(node)))).node(plan("write", 1), thinking());
    graph.flow(&id("plan"), &id("write")).growing(search);
    graph
}

async fn finished(bench: &Bench, journal: &Journal) -> RunId {
    let engine = bench.engine(journal, research);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    succeeded(journal, run).await;
    run
}

async fn succeeded(journal: &Journal, run: RunId) -> RunView {
    let view = end_of(journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let names: Vec<_> = view.nodes.iter().map(|node| node.plan.id.to_string()).collect();
    assert_eq!(names, ["plan", "write", "search/1", "search/2"]);
    assert_eq!((view.summary.nodes, view.summary.nodes_done), (4, 4));
    for name in ["search/1", "search/2"] {
        assert_eq!(state(&view, name), format!("echo: {name}: echo: plan"));
    }
    assert!(view.edges.iter().all(|edge| edge.taken == 1));
    assert_eq!(visits(&view, "write"), 1);
    view
}

#[tokio::test]
async fn nodes_that_appear_are_run_and_joined_with_those_that_were_planned() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    finished(&bench, &journal).await;
    assert_eq!(bench.calls(), 5);
}

#[tokio::test]
async fn a_grown_run_is_continued_from_any_of_its_nodes() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let first = finished(&bench, &journal).await;
    let engine = bench.engine(&journal, research);
    for (point, calls) in [
        // All of it, from the beginning.
        (ForkPoint::Before { node: id("plan"), visit: 1 }, 5),
        // One search, and what it led to.
        (ForkPoint::Before { node: id("search/2"), visit: 1 }, 2),
        (ForkPoint::After { node: id("search/1"), visit: 1 }, 1),
        (ForkPoint::Before { node: id("write"), visit: 1 }, 1),
    ] {
        let before = bench.calls();
        let second = engine.fork(first, fork(point), ada()).await.unwrap();
        succeeded(&journal, second).await;
        assert_eq!(bench.calls() - before, calls);
        // And the continued one once more.
        let third = engine.fork(second, fork(ForkPoint::Before { node: id("search/1"), visit: 1 }), ada());
        succeeded(&journal, third.await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_visit_that_failed_before_it_grew_takes_nothing_along_that_it_will_not_grow_again() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    // The call is begun before the growth, so whatever follows it is left out.
    let graph = |fails: bool| {
        move || {
            let work = step(move |node| {
                Box::pin(async move {
                    let growth = Growth { nodes: vec![grown("found", "rain")], edges: Vec::new() };
                    let asking = node.chat(ask(if fails { "fail" } else { "go" }));
                    let (asked, grown) = tokio::join!(asking, node.grow(growth));
                    grown?;
                    asked?;
                    Ok(Outcome::default())
                })
            });
            let mut graph = Graph::new();
            graph.node(plan("a", 1), work).growing(search);
            graph
        }
    };
    let first = {
        let engine = bench.engine(&journal, graph(true));
        engine.start(request(Limits::default()), ada()).await.unwrap()
    };
    assert_eq!(end_of(&journal, first).await.summary.status, RunStatus::Failed);
    let engine = bench.engine(&journal, graph(false));
    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.nodes.iter().filter(|node| node.plan.id == id("found")).count(), 1);
    assert_eq!(view.node(&id("found")).unwrap().status, NodeStatus::Succeeded);
}

/// A run whose only node grows like this.
async fn growing(growth: Growth, grows: bool) -> RunView {
    let growth = Arc::new(growth);
    Bench::new()
        .run(Limits::default(), move || {
            let growth = growth.clone();
            let work = step(move |node| {
                let growth = growth.as_ref().clone();
                Box::pin(async move { node.grow(growth).await.map(|()| Outcome::default()) })
            });
            let mut graph = Graph::new();
            graph.node(plan("a", 1), work);
            if grows {
                graph.growing(search);
            }
            graph
        })
        .await
}

#[tokio::test]
async fn a_growth_that_makes_no_graph_fails_its_node_and_leaves_nothing() {
    let unreadable = GrownNode { spec: "rain".into(), ..grown("b", "rain") };
    for (nodes, edges, grows, why) in [
        (vec![grown("b", "rain")], vec![], false, "not planned to grow"),
        (vec![grown("a", "rain")], vec![], true, "\"a\" is in the graph twice"),
        (vec![grown("b", "rain"), grown("b", "sun")], vec![], true, "\"b\" is in the graph twice"),
        (vec![grown("b", "rain")], vec![edge("b", "c")], true, "names the node \"c\""),
        (vec![unreadable], vec![], true, "\"b\" cannot be added: it is no topic"),
        ((0..20_000).map(|n| grown(&format!("b{n}"), "x")).collect(), vec![], true, "more than 20000 nodes"),
    ] {
        let view = growing(Growth { nodes, edges }, grows).await;
        assert_eq!(view.summary.status, RunStatus::Failed);
        let error = view.summary.error.as_ref().unwrap();
        assert!(error.contains(why), "{error}");
        assert_eq!(view.nodes.len(), 1);
    }
}

#[tokio::test]
async fn a_node_that_another_version_added_fails_with_a_sentence_and_is_done_by_one_that_knows_it() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let first = finished(&bench, &journal).await;
    let strange = || {
        let mut graph = research();
        graph.growing(|_, _| Err("Searches are not known.".into()));
        graph
    };
    let point = || ForkPoint::Before { node: id("search/1"), visit: 1 };
    let second = bench.engine(&journal, strange).fork(first, fork(point()), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.unwrap();
    assert!(error.contains("does not know how to do its work. Searches are not known."), "{error}");
    let third = bench.engine(&journal, research).fork(second, fork(ForkPoint::End), ada()).await.unwrap();
    succeeded(&journal, third).await;
}
