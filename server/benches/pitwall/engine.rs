//! What the engine adds to each node's work.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use engine::{
    Allowance, Engine, EngineOptions, Graph, NodeContext, NodeError, Outcome, Plan, PlanError, Work,
    Workflows,
};
use journal::Journal;
use llm::{ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Sink};
use protocol::{
    AccountId, Heading, NodeAdded, NodeId, NodeKind, RunId, RunRequest, RunStatus, Tier, WorkflowKind,
};

use crate::{
    bare_log::BareLog,
    pitwall::folder,
    report::{Better, Figure},
    rounds::medians,
    sample,
};

/// Nodes of the chains: what each of them costs must not grow with them.
const SIZES: [usize; 3] = [100, 1_000, 5_000];
/// How much more each node of a longer chain may cost than one of the shortest.
const MOST_GROWTH: f64 = 1.5;
/// The beginning and the end of a visit.
const COMMITS_A_NODE: usize = 2;

/// Milliseconds for each node of chains of nodes that do nothing.
pub async fn overheads() -> Vec<Figure> {
    let [shortest, longer @ ..] = SIZES;
    let (measured, limit) = medians(async || chain(shortest).await, async || bare(shortest).await).await;
    let figure = |nodes: usize, measured, limit, limited_by| {
        let name = format!("engine, for each of {nodes} nodes");
        Figure::new(name, "ms", Better::Less, measured, limit, limited_by)
    };
    let limited_by = "2 bare SQLite commits of 1 row for each node";
    let mut figures = vec![figure(shortest, measured, limit, limited_by)];
    for nodes in longer {
        let (measured, limit) = medians(async || chain(nodes).await, async || chain(shortest).await).await;
        let figure = figure(nodes, measured, limit, "the same of the shortest chain");
        figures.push(figure.at_most(MOST_GROWTH * limit));
    }
    figures
}

async fn chain(nodes: usize) -> f64 {
    let folder = folder();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let anything = Arc::new(Allowance::default());
    let engine = Engine::new(journal.clone(), Arc::new(Chain(nodes)), anything, EngineOptions::default());
    let begin = Instant::now();
    let run = engine.start(sample::request(), AccountId::local()).await.unwrap();
    let mut log = journal.subscribe(run, 0).await.unwrap();
    while log.next().await.unwrap().is_some() {}
    let time = milliseconds_a_node(begin, nodes);
    let summary = journal.summary(run).await.unwrap().unwrap();
    assert_eq!(summary.status, RunStatus::Succeeded, "{:?}", summary.error);
    journal.close().await;
    time
}

async fn bare(nodes: usize) -> f64 {
    let folder = folder();
    let mut log = BareLog::open(folder.path(), 1).await;
    let rows = sample::encoded(sample::new_run(), 1, 1);
    let begin = Instant::now();
    for _ in 0..nodes * COMMITS_A_NODE {
        log.commit(&rows).await;
    }
    milliseconds_a_node(begin, nodes)
}

fn milliseconds_a_node(begin: Instant, nodes: usize) -> f64 {
    1000.0 * begin.elapsed().as_secs_f64() / nodes as f64
}

/// Plans a chain of so many nodes for every request.
struct Chain(usize);

#[async_trait]
impl Workflows for Chain {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        let mut graph = Graph::new();
        for number in 1..=self.0 {
            graph.node(plan(number), Nothing);
        }
        for number in 1..self.0 {
            graph.flow(&id(number), &id(number + 1));
        }
        let (workflow, heading) = (request.workflow.clone(), Heading::new("Chain"));
        Ok(Plan { workflow, heading, graph, model: Arc::new(Nothing) })
    }

    fn knows(&self, _: &WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        Arc::new(Nothing)
    }
}

fn id(number: usize) -> NodeId {
    format!("node_{number}").parse().unwrap()
}

fn plan(number: usize) -> NodeAdded {
    NodeAdded {
        id: id(number),
        label: format!("Node {number}"),
        role: "Does nothing".into(),
        kind: NodeKind::Code,
        phase: "Chain".into(),
        scope: None,
        owner: None,
        tier: None,
        planned_visits: 1,
    }
}

/// Work that is done at once, and a model that is never asked.
struct Nothing;

#[async_trait]
impl Work for Nothing {
    async fn run(&self, _: &NodeContext) -> Result<Outcome, NodeError> {
        Ok(Outcome::default())
    }
}

#[async_trait]
impl ChatModel for Nothing {
    fn model(&self, _: Tier) -> String {
        "none".into()
    }

    async fn chat(&self, _: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        Err(ChatError::Script("No node of the chain asks a model.".into()).into())
    }
}
