//! A run that is cut off at any event and resumed ends as one that nothing disturbed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use engine::{
    Allowance, Engine, EngineOptions, Graph, GrownNode, Growth, Join, NodeContext, NodeError, Outcome, State,
    Work,
};
use futures::future::join_all;
use journal::Journal;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink};
use proptest::prelude::*;
use protocol::{
    Body, EdgeKind, Event, Limits, LogLevel, LogLine, NewEvent, NodeAdded, RunId, RunStatus, RunView, Tier,
    Usage,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{growth::edge, stage::*};

/// What a node does in each of its visits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Act {
    /// Calls one after the other; every second one leaves a line in the log.
    calls: u32,
    /// Lanes beside each other, each with two calls, after a look for what people say.
    lanes: u32,
    /// Nodes that it lets appear beside it, the first of which leads to the others.
    grows: u32,
    /// The same within it.
    inside: u32,
    /// The nodes behind it that it passes work on to; all of its edges if it does not say.
    next: Option<Vec<usize>>,
}

/// A graph whose edges lead from a node to those behind it.
#[derive(Clone, Debug)]
struct Sketch {
    nodes: Vec<(Act, Join)>,
    edges: Vec<(usize, usize)>,
    /// A graph of its own within a node behind all of these, as often as that is visited.
    group: Option<(Box<Self>, u32)>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let flat = |sketch: Sketch| (Just(sketch), prop::option::of((level(), 1_u32..3)));
    let deeper = |(mut sketch, group): (Sketch, Option<(Sketch, u32)>)| {
        sketch.group = group.map(|(inside, visits)| (Box::new(inside), visits));
        sketch
    };
    let nested = level().prop_flat_map(flat).prop_map(deeper);
    (level(), prop::option::of((nested, 1_u32..3))).prop_map(deeper)
}

fn level() -> impl Strategy<Value = Sketch> {
    let join = prop_oneof![Just(Join::All), Just(Join::Reached), Just(Join::Any), Just(Join::Count(2))];
    let next = prop::option::weighted(0.3, prop::collection::vec(0_usize..6, 0..3));
    let act = (0_u32..3, 0_u32..3, 0_u32..3, 0_u32..3, next);
    let act = act.prop_map(|(calls, lanes, grows, inside, next)| Act { calls, lanes, grows, inside, next });
    let edges = prop::collection::vec((0_usize..6, 0_usize..6), 0..8);
    (prop::collection::vec((act, join), 1..5), edges).prop_map(|(mut nodes, edges)| {
        let count = nodes.len();
        for (index, (act, _)) in nodes.iter_mut().enumerate() {
            if let Some(next) = &mut act.next {
                next.retain(|next| (index + 1..count).contains(next));
            }
        }
        let edges = edges.into_iter().filter(|(from, to)| from < to && *to < count).collect();
        Sketch { nodes, edges, group: None }
    })
}

fn name(index: usize) -> String {
    format!("n{index}")
}

struct Acting(Act);

#[async_trait]
impl Work for Acting {
    fn conclude(&self, outcome: Outcome, inside: &State) -> Result<Outcome, NodeError> {
        let order: Vec<String> = inside.get("order")?.unwrap_or_default();
        outcome.set("concluded", order)
    }

    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Act { calls, lanes, grows, inside, next } = &self.0;
        let (own, visit) = (node.plan().id.clone(), node.visit());
        let mut said = Vec::new();
        for call in 0..*calls {
            // What it sees of the state is part of the question.
            let seen: Vec<String> = node.state().get("order")?.unwrap_or_default();
            let question = ask(&format!("{own} {visit} {call} {}", seen.join(" ")));
            said.push(node.chat(ChatRequest { run: Some(node.run()), ..question }).await?.text);
            if call % 2 == 1 {
                let message = format!("{own} has asked");
                node.emit(vec![Body::Logged(LogLine { level: LogLevel::Info, message })]).await?;
            }
            if call == 0 {
                grow(node, "-", *grows).await?;
                grow(node, "/", *inside).await?;
            }
        }
        if *calls == 0 {
            grow(node, "-", *grows).await?;
            grow(node, "/", *inside).await?;
        }
        if *lanes > 0 {
            assert_eq!(node.inbox().await?, []);
            let beside = (0..*lanes).map(|lane| in_lane(node, lane));
            said.extend(join_all(beside).await.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
        let outcome = Outcome::default().set("order", format!("{own}:{visit}"))?.set(own.as_str(), said)?;
        Ok(match next {
            Some(next) => outcome.to(next.iter().map(|next| id(&name(*next)))),
            None => outcome,
        })
    }
}

async fn in_lane(node: &NodeContext, lane: u32) -> Result<String, NodeError> {
    let calls = node.lane(&lane.to_string())?;
    let ask = async |what: &str| {
        let question = ask(&format!("{} {} in lane {lane}: {what}", node.plan().id, node.visit()));
        Ok::<_, NodeError>(calls.chat(ChatRequest { run: Some(node.run()), ..question }).await?.text)
    };
    let first = ask("first").await?;
    ask(&first).await
}

/// Nodes of this one's name and more.
async fn grow(node: &NodeContext, more: &str, count: u32) -> Result<(), NodeError> {
    if count == 0 {
        return Ok(());
    }
    let name = |index| format!("{}{more}{}.{index}", node.plan().id, node.visit());
    let act = Act { calls: 1, lanes: 0, grows: 0, inside: 0, next: None };
    let spec = serde_json::to_string(&act).unwrap();
    let grown = |index| GrownNode { plan: plan(&name(index), 1), join: Join::Any, spec: spec.clone().into() };
    let edges = (1..count).map(|index| edge(&name(0), &name(index))).collect();
    node.grow(Growth { nodes: (0..count).map(grown).collect(), edges }).await
}

fn acting(_: &NodeAdded, spec: &str) -> Result<Arc<dyn Work>, String> {
    let act = serde_json::from_str(spec).map_err(|error| error.to_string())?;
    Ok(Arc::new(Acting(act)))
}

impl Sketch {
    fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        graph.append("order").growing(acting);
        for (index, (act, join)) in self.nodes.iter().enumerate() {
            graph.node(plan(&name(index), 1), Acting(act.clone())).join(&id(&name(index)), *join);
        }
        for (from, to) in &self.edges {
            graph.flow(&id(&name(*from)), &id(&name(*to)));
        }
        if let Some((inside, visits)) = &self.group {
            let conclude = |inside: &State| {
                let order: Vec<String> = inside.get("order")?.unwrap_or_default();
                Outcome::default().set("order", order.join(" "))
            };
            let group = id("group");
            graph.group(plan("group", *visits), inside.graph(), conclude).unwrap();
            graph.flow(&id(&name(0)), &group).join(&group, Join::Any);
            let last = *visits;
            let again = vec![route("group", EdgeKind::Loop)];
            graph.branch(
                &group,
                again,
                move |_, visit| if visit < last { vec![id("group")] } else { vec![] },
            );
        }
        graph
    }
}

/// Answers by the question alone, and keeps what each run has asked.
#[derive(Default)]
struct Oracle(Mutex<BTreeMap<RunId, Vec<String>>>);

impl Oracle {
    fn asked(&self, run: RunId) -> usize {
        self.0.lock().unwrap().get(&run).map_or(0, Vec::len)
    }
}

#[async_trait]
impl ChatModel for Oracle {
    fn model(&self, _: Tier) -> String {
        "oracle".into()
    }

    async fn chat(&self, request: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let Some(Message::User(prompt)) = request.messages.last() else { panic!("a user message") };
        let run = request.run.unwrap();
        self.0.lock().unwrap().entry(run).or_default().push(prompt.clone());
        Ok(ChatAnswer {
            model: "oracle".into(),
            text: format!("to {prompt}"),
            tool_requests: vec![],
            usage: Usage { tokens_in: Some(1), tokens_out: Some(1) },
            cost: None,
            thoughts: String::new(),
            echo: None,
            attempts: Vec::new(),
        })
    }
}

struct Scene {
    bench: Bench,
    journal: Journal,
    sketch: Sketch,
}

impl Scene {
    fn engine(&self, model: Arc<Oracle>) -> Engine {
        let sketch = self.sketch.clone();
        let workflows = Fixed { graph: move || sketch.graph(), model: model as Arc<dyn ChatModel> };
        let anything = Arc::new(Allowance::default());
        let options = EngineOptions { concurrent_runs: 500, ..EngineOptions::default() };
        Engine::new(self.journal.clone(), Arc::new(workflows), anything, options)
    }

    /// A new run whose log ends after these events.
    async fn cut_off(&self, events: &[Event]) -> RunId {
        let run = RunId(Uuid::now_v7());
        let epoch = self.journal.claim(run).await.unwrap();
        let new =
            |event: &Event| NewEvent { at: event.at, node: event.node.clone(), body: event.body.clone() };
        self.journal.append(run, epoch, events.iter().map(new).collect::<Vec<_>>()).await.unwrap();
        run
    }

    async fn whole(&self, run: RunId) -> (RunView, Vec<Event>) {
        let view = end_of(&self.journal, run).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        (view, self.journal.whole(run).await.unwrap())
    }
}

/// What a run has come to: its state, its nodes with their visits, its edges and its lines.
pub fn came_to(view: &RunView, log: &[Event]) -> serde_json::Value {
    let state: BTreeMap<_, Vec<_>> = view
        .state
        .iter()
        .map(|(key, entries)| (key, entries.iter().map(|entry| &entry.value).collect()))
        .collect();
    let nodes: Vec<_> =
        view.nodes.iter().map(|node| (&node.plan.id, node.status, node.visits.len(), node.tokens)).collect();
    let edges: Vec<_> = view.edges.iter().map(|edge| (&edge.plan, edge.taken)).collect();
    let lines: Vec<_> = log
        .iter()
        .filter_map(|event| match &event.body {
            Body::Logged(line) => Some(&line.message),
            _ => None,
        })
        .collect();
    serde_json::json!([state, nodes, edges, lines])
}

/// Answers that the beginning of a log has.
fn answered(log: &[Event]) -> usize {
    log.iter().filter(|event| matches!(event.body, Body::CallFinished(_))).count()
}

/// The most places at which one run is cut off. Where it has more events, these are spread over all of them.
const MOST_CUTS: usize = 40;

async fn resumed_anywhere(sketch: Sketch, first: usize) {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let scene = Scene { bench, journal, sketch };
    let oracle = Arc::new(Oracle::default());
    // One node at a time, so that an undisturbed run has one order.
    let limits = Limits { concurrent_nodes: 1, steps: 1_000, ..Limits::default() };
    let undisturbed = scene.engine(oracle.clone()).start(request(limits), ada()).await.unwrap();
    let (view, log) = scene.whole(undisturbed).await;
    let (expected, asked) = (came_to(&view, &log), oracle.asked(undisturbed));
    assert_eq!(asked, answered(&log));
    // All events of no node but the status "running" and the end.
    let planned = log.iter().filter(|event| event.node.is_none()).count() - 2;
    let mut runs = Vec::new();
    let apart = (log.len() - planned).div_ceil(MOST_CUTS);
    for cut in (planned..log.len()).skip(first % apart).step_by(apart) {
        runs.push((cut, scene.cut_off(&log[..cut]).await));
    }
    assert_eq!(scene.engine(oracle.clone()).resume().await.unwrap(), runs.len());
    for (cut, run) in runs {
        let (view, whole) = scene.whole(run).await;
        assert_eq!(came_to(&view, &whole), expected, "cut off after event {cut}");
        assert_eq!(oracle.asked(run), asked - answered(&log[..cut]), "cut off after event {cut}");
    }
    scene.journal.close().await;
    drop(scene.bench);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn a_run_resumed_at_any_event_ends_as_the_undisturbed_one_and_asks_nothing_again(
        sketch in sketch(),
        first in any::<usize>(),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(resumed_anywhere(sketch, first));
    }
}
