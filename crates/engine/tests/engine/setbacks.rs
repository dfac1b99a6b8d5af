//! Visits that come to nothing without ending their run.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use engine::{Graph, Outcome};
use journal::Journal;
use protocol::{ForkPoint, Limits, NodeStatus, RunId, RunStatus, RunView};

use crate::{stage::*, steering::*};

/// `try` asks and comes to nothing, unless it may succeed; `other` works beside it, and `join` waits for both.
fn graph(succeeds: &Arc<AtomicBool>) -> impl Fn() -> Graph + Send + Sync + use<> {
    let succeeds = succeeds.clone();
    move || {
        let succeeds = succeeds.clone();
        let tries = step(move |node| {
            let succeeds = succeeds.clone();
            Box::pin(async move {
                let answer = node.chat(ask("try")).await?;
                let outcome = Outcome::default().set("order", answer.text)?;
                Ok(if succeeds.load(Ordering::SeqCst) { outcome } else { outcome.failed("It rained.") })
            })
        });
        let mut graph = Graph::new();
        graph.append("order");
        graph.node(plan("try", 1), tries).node(plan("other", 1), note()).node(plan("join", 1), note());
        graph.flow(&id("try"), &id("join")).flow(&id("other"), &id("join"));
        graph
    }
}

async fn ended(journal: &Journal, run: RunId, of_try: NodeStatus) -> RunView {
    let view = end_of(journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.node(&id("try")).unwrap().status, of_try);
    assert_eq!(visits(&view, "join"), 1);
    assert_eq!((view.summary.nodes, view.summary.nodes_done), (3, 3));
    assert_eq!(view.state["order"].len(), 3, "what it did find out is kept");
    view
}

#[tokio::test]
async fn a_visit_that_comes_to_nothing_is_seen_and_passes_work_on() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph(&Arc::default()));
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = ended(&journal, run, NodeStatus::Failed).await;
    let node = view.node(&id("try")).unwrap();
    assert_eq!(node.reason.as_deref(), Some("It rained."));
    assert!(node.visits[0].failed);
    assert!(view.edges.iter().all(|edge| edge.taken == 1));
}

#[tokio::test]
async fn it_is_made_again_where_a_person_wants_that_and_otherwise_stays_as_it_is() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let succeeds = Arc::new(AtomicBool::new(false));
    let engine = bench.engine(&journal, graph(&succeeds));
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    ended(&journal, first, NodeStatus::Failed).await;
    succeeds.store(true, Ordering::SeqCst);
    for (node, expected, calls) in
        [("join", NodeStatus::Failed, 0), ("other", NodeStatus::Failed, 0), ("try", NodeStatus::Succeeded, 1)]
    {
        let before = bench.calls();
        let point = ForkPoint::Before { node: id(node), visit: 1 };
        let second = engine.fork(first, fork(point), ada()).await.unwrap();
        ended(&journal, second, expected).await;
        assert_eq!(bench.calls() - before, calls, "before {node}");
    }
}
