//! What the engine adds to each node's work.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use engine::{
    Allowance, Engine, EngineOptions, Graph, NodeContext, NodeError, Outcome, Plan, PlanError, Work,
    Workflows,
};
use journal::Journal;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink};
use protocol::{
    AccountId, Heading, Limits, NodeAdded, NodeId, NodeKind, RunId, RunRequest, RunStatus, Tier, Usage,
    WorkflowKind,
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
/// Milliseconds that a node may cost which only computes.
const MOST_FOR_CODE: f64 = 0.05;
/// Milliseconds that a node which asks a model may cost beside one commit.
const MOST_BESIDE_COMMIT: f64 = 0.3;
/// Nodes of the chain whose nodes ask a model.
const ASKING: usize = 100;
/// Turns of a conversation, of which the last ones may not cost more than the first.
const TURNS: usize = 25;

/// What a node of a chain does.
#[derive(Clone, Copy)]
enum Does {
    Nothing,
    /// One model call, which is answered at once.
    Asks,
    /// A conversation of so many turns.
    Talks(usize),
}

/// Milliseconds for each node of chains, and for each turn of a conversation.
pub async fn overheads() -> Vec<Figure> {
    let [shortest, longer @ ..] = SIZES;
    let code = async |nodes: usize| chain(nodes, Does::Nothing).await / nodes as f64;
    let (measured, limit) = medians(async || code(shortest).await, async || bare(shortest).await).await;
    let figure = |name: String, measured, limit, limited_by| {
        Figure::new(name, "ms", Better::Less, measured, limit, limited_by)
    };
    let name = |nodes: usize| format!("engine, for each of {nodes} nodes");
    let limited_by = "1 bare SQLite commit of 1 row for each node";
    let mut figures = vec![figure(name(shortest), measured, limit, limited_by)];
    for nodes in longer {
        let (measured, limit) = medians(async || code(nodes).await, async || code(shortest).await).await;
        let figure = figure(name(nodes), measured, limit, "the same of the shortest chain");
        figures.push(figure.at_most(MOST_GROWTH * limit));
    }
    let [.., longest] = SIZES;
    let (measured, limit) = medians(async || code(longest).await, async || bare(shortest).await).await;
    let in_memory = format!("engine, a node of code among {longest}");
    figures.push(figure(in_memory, measured, limit, limited_by).at_most(MOST_FOR_CODE));

    let asking = async || chain(ASKING, Does::Asks).await / ASKING as f64;
    let (measured, limit) = medians(asking, async || bare(ASKING).await).await;
    let answered = "engine, an answered call with its node's end".to_owned();
    figures.push(figure(answered, measured, limit, limited_by).at_most(limit + MOST_BESIDE_COMMIT));

    let talking = async |turns: usize| chain(1, Does::Talks(turns)).await;
    // What the run costs beside its turns falls away.
    let few = async || (talking(2 * TURNS).await - talking(TURNS).await) / TURNS as f64;
    let many = async || (talking(4 * TURNS).await - talking(3 * TURNS).await) / TURNS as f64;
    let (measured, limit) = medians(many, few).await;
    let turn = format!("engine, each of {TURNS} turns after {}", 3 * TURNS);
    let figure = figure(turn, measured, limit, "the same after as many turns");
    figures.push(figure.at_most(MOST_GROWTH * limit));
    figures
}

/// Milliseconds of a run of such a chain.
async fn chain(nodes: usize, does: Does) -> f64 {
    let folder = folder();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let (anything, workflows) = (Arc::new(Allowance::default()), Arc::new(Chain(nodes, does)));
    let engine = Engine::new(journal.clone(), workflows, anything, EngineOptions::default());
    let begin = Instant::now();
    let limits = Limits::widest();
    let request = RunRequest { limits, ..sample::request() };
    let run = engine.start(request, AccountId::local()).await.unwrap();
    let mut log = journal.subscribe(run, 0).await.unwrap();
    while log.next().await.unwrap().is_some() {}
    let time = 1000.0 * begin.elapsed().as_secs_f64();
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
    for _ in 0..nodes {
        log.commit(&rows).await;
    }
    1000.0 * begin.elapsed().as_secs_f64() / nodes as f64
}

/// Plans a chain of so many nodes for every request.
struct Chain(usize, Does);

#[async_trait]
impl Workflows for Chain {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        let mut graph = Graph::new();
        for number in 1..=self.0 {
            graph.node(plan(number), Link(self.1));
        }
        for number in 1..self.0 {
            graph.flow(&id(number), &id(number + 1));
        }
        let (workflow, heading) = (request.workflow.clone(), Heading::new("Chain"));
        Ok(Plan { workflow, heading, graph, model: Arc::new(AtOnce) })
    }

    fn knows(&self, _: &WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        Arc::new(AtOnce)
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

struct Link(Does);

#[async_trait]
impl Work for Link {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let turns = match self.0 {
            Does::Nothing => 0,
            Does::Asks => 1,
            Does::Talks(turns) => turns,
        };
        let mut messages = Vec::new();
        for turn in 0..turns {
            messages.push(Message::User(format!("{turn}: What follows from that?")));
            let request = ChatRequest {
                agent: "link".into(),
                run: Some(node.run()),
                tier: Tier::Quick,
                profile: None,
                messages: messages.clone(),
                tools: Vec::new(),
                schema: None,
                temperature: None,
            };
            let text = node.chat(request).await?.text;
            messages.push(Message::Assistant { text, tool_requests: Vec::new(), echo: None });
        }
        Ok(Outcome::default())
    }
}

/// A model that answers at once.
struct AtOnce;

#[async_trait]
impl ChatModel for AtOnce {
    fn model(&self, _: Tier) -> String {
        "at-once".into()
    }

    async fn chat(&self, _: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        Ok(ChatAnswer {
            model: "at-once".into(),
            text: "The next step, and the one behind it.".into(),
            tool_requests: Vec::new(),
            usage: Usage { tokens_in: Some(10), tokens_out: Some(10) },
            cost: None,
            thoughts: String::new(),
            echo: None,
            attempts: Vec::new(),
        })
    }
}
