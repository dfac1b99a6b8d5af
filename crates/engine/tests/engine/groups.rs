//! Nodes whose inside is a graph.

use std::{sync::Arc, time::Duration};

use engine::{Graph, GraphError, GrownNode, Growth, Join, NodeContext, NodeError, Outcome, State, Work};
use journal::Journal;
use protocol::{
    Answer, EdgeKind, Edits, ForkPoint, ForkRun, Limits, NodeAdded, NodeStatus, Patch, RunId, RunStatus,
    RunView,
};
use serde_json::{Value, json};

use crate::{
    growth::{edge, grown},
    stage::*,
    steering::*,
};

/// Puts its own name behind what it finds under `way`.
fn walk() -> Step {
    step(|node| {
        Box::pin(async move {
            let way = node.state().text("way").to_owned();
            let answer = node.chat(ask(&format!("{way} {}", node.plan().label))).await?;
            assert!(answer.text.starts_with("echo"));
            Outcome::default().set("way", format!("{way} {}", node.plan().label.to_lowercase()))
        })
    })
}

fn found(inside: &State) -> Result<Outcome, NodeError> {
    Outcome::default().set("found", inside.text("way"))
}

/// `first`, then `team` with `a` beside `b` and `c` behind them, then `last`.
fn team() -> Graph {
    let mut inside = Graph::new();
    inside.node(plan("a", 1), walk()).node(plan("b", 1), walk()).node(plan("c", 1), walk());
    inside.flow(&id("a"), &id("c")).flow(&id("b"), &id("c"));
    let mut graph = Graph::new();
    graph.node(plan("first", 1), walk()).group(plan("team", 1), inside, found).unwrap();
    graph.node(plan("last", 1), walk());
    graph.flow(&id("first"), &id("team")).flow(&id("team"), &id("last"));
    graph
}

fn one_at_a_time() -> Limits {
    Limits { concurrent_nodes: 1, ..Limits::default() }
}

async fn run(graph: fn() -> Graph) -> RunView {
    let view = Bench::new().run(one_at_a_time(), graph).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    view
}

#[tokio::test]
async fn a_node_with_a_graph_inside_ends_when_nothing_inside_is_left_to_do() {
    let view = run(team).await;
    assert_eq!(state(&view, "found"), " first a b c");
    assert_eq!(state(&view, "way"), " first last", "what is set inside stays there");
    assert_eq!(state(&view, "team/way"), " first a b c");
    let order: Vec<_> = view.turns.iter().filter_map(|turn| turn.node.clone()).collect();
    assert_eq!(order, ["first", "team/a", "team/b", "team/c", "last"].map(id));
    let owner = |node: &str| view.owner(&id(node)).map(|owner| owner.plan.id.clone());
    assert_eq!((owner("team/a"), owner("team")), (Some(id("team")), None));
    assert!(view.edges.iter().all(|edge| edge.taken == 1));
    assert_eq!((view.summary.nodes, view.summary.nodes_done), (6, 6));
}

/// A team within a team within a team.
fn nested() -> Graph {
    let mut graph = Graph::new();
    graph.node(plan("leaf", 1), walk());
    for depth in 0..3 {
        let mut outer = Graph::new();
        let conclude = move |inside: &State| {
            let way = inside.text("way").to_owned();
            let deeper: Option<String> = inside.get("found")?;
            Outcome::default().set("found", format!("{}({way})", deeper.unwrap_or_default()))
        };
        outer
            .node(plan("before", 1), walk())
            .group(plan(&format!("team{depth}"), 1), graph, conclude)
            .unwrap();
        outer.flow(&id("before"), &id(&format!("team{depth}")));
        graph = outer;
    }
    graph
}

#[tokio::test]
async fn groups_nest() {
    let view = run(nested).await;
    let leaf = view.node(&id("team2/team1/team0/leaf")).unwrap();
    assert_eq!(leaf.status, NodeStatus::Succeeded);
    assert_eq!(state(&view, "found"), "( before before before leaf)( before before before)( before before)");
}

#[tokio::test]
async fn each_visit_to_a_group_begins_anew_inside() {
    let graph = || {
        let mut inside = Graph::new();
        inside.append("seen").node(plan("a", 1), walk());
        let sees = step(|node| Box::pin(async move { Outcome::default().set("seen", node.visit()) }));
        inside.node(plan("b", 1), sees).flow(&id("a"), &id("b"));
        let conclude = |inside: &State| {
            let seen: Vec<u32> = inside.get("seen")?.unwrap_or_default();
            Outcome::default().set("rounds", json!([inside.text("way"), seen]))
        };
        let mut graph = Graph::new();
        graph.append("rounds").group(plan("team", 3), inside, conclude).unwrap();
        graph.branch(&id("team"), vec![route("team", EdgeKind::Loop)], |_, visit| {
            if visit < 3 { vec![id("team")] } else { vec![] }
        });
        graph
    };
    let view = run(graph).await;
    assert_eq!((visits(&view, "team"), visits(&view, "team/a"), visits(&view, "team/b")), (3, 3, 3));
    let rounds: Vec<Value> =
        view.state["rounds"].iter().map(|entry| serde_json::from_str(entry.value.shown()).unwrap()).collect();
    assert_eq!(rounds, [1, 2, 3].map(|visit| json!([" a", [visit]])));
    assert_eq!(view.state["team/seen"].len(), 1, "that of the last visit");
}

#[tokio::test]
async fn who_is_next_inside_is_named_as_it_is_called_there() {
    let graph = || {
        let speaker = || {
            step(|node| {
                Box::pin(async move {
                    let next = if node.visit() < 3 { vec![id("a"), id("b")] } else { vec![] };
                    let next =
                        next.into_iter().filter(|next| !node.plan().id.as_str().ends_with(next.as_str()));
                    Outcome::default().set("order", node.plan().id.as_str()).map(|it| it.to(next))
                })
            })
        };
        let mut inside = Graph::new();
        inside.append("order").node(plan("a", 3), speaker()).node(plan("b", 3), speaker());
        inside.branch(&id("a"), vec![route("b", EdgeKind::Conditional)], |_, _| vec![id("b")]);
        let mut graph = Graph::new();
        graph.group(plan("team", 1), inside, |_| Ok(Outcome::default())).unwrap();
        graph
    };
    let view = run(graph).await;
    assert_eq!((visits(&view, "team/a"), visits(&view, "team/b")), (3, 2));
}

#[tokio::test]
async fn work_is_not_passed_on_out_of_a_group() {
    for next in ["last", "team", "nobody"] {
        let graph = move || {
            let mut inside = Graph::new();
            inside.node(
                plan("a", 1),
                step(move |_| Box::pin(async move { Ok(Outcome::default().to([id(next)])) })),
            );
            let mut graph = Graph::new();
            graph.group(plan("team", 1), inside, |_| Ok(Outcome::default())).unwrap();
            graph.node(plan("last", 1), walk()).flow(&id("team"), &id("last"));
            graph
        };
        let view = Bench::new().run(Limits::default(), graph).await;
        let error = view.summary.error.unwrap();
        assert!(error.contains(&format!("\"{next}\", and there is no such node beside it")), "{error}");
    }
}

#[tokio::test]
async fn a_join_inside_begins_with_a_part_once_nothing_beside_it_is_left() {
    let graph = || {
        let nobody = step(|_| Box::pin(async { Ok(Outcome::default().to([])) }));
        let mut inside = Graph::new();
        inside.node(plan("a", 1), walk()).node(plan("b", 1), nobody).node(plan("c", 1), walk());
        inside.flow(&id("a"), &id("c")).flow(&id("b"), &id("c")).join(&id("c"), Join::Reached);
        let hangs = step(|node| {
            Box::pin(async move {
                // It is at work beside the group until that has ended.
                while node.inbox().await?.is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok(Outcome::default())
            })
        });
        let mut graph = Graph::new();
        graph.group(plan("team", 1), inside, found).unwrap();
        graph.node(plan("beside", 1), hangs);
        graph
    };
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = view_when(&journal, run, |view| view.state.contains_key("found")).await;
    assert_eq!(state(&view, "found"), " a c");
    engine.tell(run, id("beside"), "go on", ada()).await.unwrap();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Succeeded);
}

struct Named(String);

#[async_trait::async_trait]
impl Work for Named {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let answer = node.chat(ask(&format!("{} {}", node.plan().id, self.0))).await?;
        Outcome::default().set("names", answer.text)
    }
}

fn named(_: &NodeAdded, spec: &str) -> Result<Arc<dyn Work>, String> {
    Ok(Arc::new(Named(spec.to_owned())))
}

/// Lets nodes appear within itself, ends its own work before they do theirs, and concludes from what they found.
struct Planner;

#[async_trait::async_trait]
impl Work for Planner {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        node.chat(ask("plan")).await?;
        let nodes = ["plan/1", "plan/2", "plan/3"].map(|name| grown(name, "topic"));
        let edges = vec![edge("plan/1", "plan/3"), edge("plan/2", "plan/3")];
        node.grow(Growth { nodes: nodes.into(), edges }).await?;
        node.chat(ask("plan again")).await?;
        Outcome::default().set("planned", 3)
    }

    fn conclude(&self, outcome: Outcome, inside: &State) -> Result<Outcome, NodeError> {
        let names: Vec<String> = inside.get("names")?.unwrap_or_default();
        outcome.set("plan", names.len())
    }
}

fn planning() -> Graph {
    let mut graph = Graph::new();
    graph.append("names").growing(named);
    graph.node(plan("plan", 1), Planner).node(plan("last", 1), thinking()).flow(&id("plan"), &id("last"));
    graph
}

#[tokio::test]
async fn a_node_that_lets_nodes_appear_within_itself_ends_after_them() {
    let bench = Bench::new();
    let view = bench.run(one_at_a_time(), planning).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!((state(&view, "planned"), state(&view, "plan")), (json!(3), json!(3)));
    assert_eq!(view.state["plan/names"].len(), 3);
    let order: Vec<_> = view.calls.iter().map(|call| call.node.clone().unwrap()).collect();
    assert_eq!(order.last(), Some(&id("last")));
    assert_eq!(bench.calls(), 6);
}

async fn same_end(journal: &Journal, first: &RunView, run: RunId) {
    let view = end_of(journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    // In which order a and b are made again is what they see of each other.
    let keys = |view: &RunView| -> Vec<_> {
        view.state.iter().map(|(key, entries)| (key.clone(), entries.len())).collect()
    };
    assert_eq!(keys(&view), keys(first));
    if let Some(found) = view.state.get("found") {
        let found: String = serde_json::from_str(found[0].value.shown()).unwrap();
        let ways: Vec<_> = found.split_whitespace().collect();
        assert_eq!((ways.first(), ways.last()), (Some(&"first"), Some(&"c")), "{found}");
        assert!(ways.contains(&"a") && ways.contains(&"b"), "{found}");
        assert_eq!(state(&view, "way"), " first last");
    }
    assert_eq!(view.nodes.len(), first.nodes.len());
    for (node, before) in view.nodes.iter().zip(&first.nodes) {
        assert_eq!((&node.plan.id, node.visits.len()), (&before.plan.id, before.visits.len()));
    }
}

#[tokio::test]
async fn a_run_is_continued_from_within_a_group_without_what_is_beside_it() {
    let before = |node: &str| ForkPoint::Before { node: id(node), visit: 1 };
    let after = |node: &str| ForkPoint::After { node: id(node), visit: 1 };
    let team_points = vec![
        (before("first"), 5),
        (before("team"), 4),
        (before("team/a"), 3),
        (before("team/b"), 3),
        (before("team/c"), 2),
        (after("team/a"), 2),
        (after("team/c"), 1),
        (after("team"), 1),
        (before("last"), 1),
    ];
    let planned_points =
        vec![(before("plan"), 6), (before("plan/2"), 3), (before("plan/3"), 2), (after("plan/1"), 2)];
    for (graph, points) in [(team as fn() -> Graph, team_points), (planning, planned_points)] {
        let bench = Bench::new();
        let journal = bench.journal().await;
        let engine = bench.engine(&journal, graph);
        let first = engine.start(request(one_at_a_time()), ada()).await.unwrap();
        let view = end_of(&journal, first).await;
        for (point, calls) in points {
            let before = bench.calls();
            let second = engine.fork(first, fork(point.clone()), ada()).await.unwrap();
            same_end(&journal, &view, second).await;
            assert_eq!(bench.calls() - before, calls, "{point:?}");
        }
    }
}

#[tokio::test]
async fn a_continued_run_gets_an_edit_of_the_state_within_a_group() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, team);
    let first = engine.start(request(one_at_a_time()), ada()).await.unwrap();
    end_of(&journal, first).await;
    let point = ForkPoint::Before { node: id("team/c"), visit: 1 };
    let edits: Edits = [("team/way".to_owned(), "\"edited\"".into())].into();
    let second = engine.fork(first, ForkRun { edits, ..fork(point) }, ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!((state(&view, "found"), state(&view, "way")), (json!("edited c"), json!(" first last")));
}

#[tokio::test]
async fn what_a_person_approves_within_a_group_is_what_is_to_be_done_there() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, team);
    let run = engine.start(pausing(&["team/c"]), ada()).await.unwrap();
    let view = open_question(&journal, run, "team/c:1:0").await;
    let Answer::Approved { digest, .. } = approve(&view, "team/c:1:0") else { panic!("an approval") };
    let edits = Patch::from([("way".to_owned(), "\"mine\"".into())]);
    engine.answer(run, answer("team/c:1:0", Answer::Approved { digest, edits })).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!((state(&view, "found"), state(&view, "way")), (json!("mine c"), json!(" first last")));
}

#[tokio::test]
async fn a_graph_whose_edges_lead_into_a_node_or_that_has_no_beginning_there_is_refused() {
    let refused = |change: fn(&mut Graph)| {
        Box::pin(async move {
            let bench = Bench::new();
            let journal = bench.journal().await;
            let graph = move || {
                let mut graph = team();
                change(&mut graph);
                graph
            };
            bench
                .engine(&journal, graph)
                .start(request(Limits::default()), ada())
                .await
                .unwrap_err()
                .to_string()
        })
    };
    let crosses = GraphError::Crosses { from: id("first"), to: id("team/a") }.to_string();
    let error = refused(|graph| {
        graph.flow(&id("first"), &id("team/a"));
    })
    .await;
    assert!(error.contains(&crosses), "{error}");
    let error = refused(|graph| {
        graph.flow(&id("team/c"), &id("last"));
    })
    .await;
    assert!(error.contains("which are not within the same node"), "{error}");
    let circle = |graph: &mut Graph| {
        let mut inside = Graph::new();
        inside.node(plan("a", 1), note()).node(plan("b", 1), note());
        inside.flow(&id("a"), &id("b")).flow(&id("b"), &id("a"));
        graph.group(plan("circle", 1), inside, found).unwrap();
    };
    let error = refused(circle).await;
    assert!(error.contains(&GraphError::NoEntry.to_string()), "{error}");
}

#[tokio::test]
async fn a_growth_that_leads_across_the_border_of_a_node_or_takes_others_in_is_refused() {
    for (nodes, edges, why) in [
        (vec![grown("new", "x")], vec![edge("new", "team/a")], "are not within the same node"),
        (vec![grown("team/new", "x")], vec![edge("team/new", "first")], "are not within the same node"),
        (vec![grown("loose", "x")], vec![], "\"loose\" would have nodes inside"),
    ] {
        let growth = Growth { nodes, edges };
        let graph = move || {
            let growth = growth.clone();
            let mut graph = team();
            let grows = step(move |node| {
                let growth = growth.clone();
                Box::pin(async move { node.grow(growth).await.map(|()| Outcome::default()) })
            });
            graph.growing(named).node(plan("grows", 1), grows).node(plan("loose/end", 1), note());
            graph
        };
        let view = Bench::new().run(Limits::default(), graph).await;
        let error = view.summary.error.unwrap_or_default();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_appears_within_a_node_that_is_not_at_work_begins_with_it() {
    let graph = || {
        let grows = step(|node| {
            Box::pin(async move {
                let nodes: Vec<GrownNode> = vec![grown("team/new", "topic")];
                node.grow(Growth { nodes, edges: Vec::new() }).await?;
                Outcome::default().set("grown", true)
            })
        });
        let mut graph = team();
        graph.append("names").growing(named);
        graph.node(plan("grows", 1), grows).flow(&id("grows"), &id("first"));
        graph
    };
    let view = run(graph).await;
    let began = |node: &str| view.node(&id(node)).unwrap().visits[0].started_at;
    assert!(began("team/new") >= began("team"));
    assert_eq!(view.state["team/names"].len(), 1);
    assert!(!view.state.contains_key("names"));
}
