//! What the tests of the engine share: a model that echoes, nodes made of functions, a real journal.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use engine::{
    Allowance, Engine, EngineOptions, Graph, NodeContext, NodeError, Outcome, Plan, PlanError, Route, Work,
    Workflows,
};
use futures::future::BoxFuture;
use journal::Journal;
use llm::{ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Message, Piece, Sink};
use protocol::{
    AccountId, Attempt, EdgeKind, Heading, Limits, NodeAdded, NodeId, NodeKind, RunId, RunRequest, RunView,
    Tier, Usage, Workflow, WorkflowKind,
};
use tempfile::TempDir;
use tokio::sync::Notify;

/// The account that owns the runs.
pub fn ada() -> AccountId {
    "ada".parse().unwrap()
}

/// Answers `echo: <last message>`, counts its calls, hangs on the prompt `hang`, and fails on what
/// begins with `fail`, after an attempt that was charged and one of unknown cost.
#[derive(Default)]
pub struct Echo {
    pub calls: AtomicU32,
    pub hanging: Notify,
}

#[async_trait]
impl ChatModel for Echo {
    fn model(&self, _: Tier) -> String {
        "echo".into()
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let Some(Message::User(prompt)) = request.messages.last() else { panic!("a user message") };
        if prompt == "hang" {
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        if prompt.starts_with("fail") {
            return Err(failure());
        }
        let text = format!("echo: {prompt}");
        sink(Piece::Begin);
        sink(Piece::Text(&text));
        Ok(ChatAnswer {
            model: "echo".into(),
            text,
            tool_requests: vec![],
            usage: Usage { tokens_in: Some(10), tokens_out: Some(5) },
            cost: Some("0.01".parse().unwrap()),
            thoughts: String::new(),
            echo: None,
            attempts: Vec::new(),
        })
    }
}

fn failure() -> ChatFailure {
    let attempt = |usage, cost| Attempt {
        model: "echo".into(),
        error: "It broke off.".into(),
        usage,
        cost,
        latency_ms: 1,
    };
    let charged = Usage { tokens_in: Some(7), tokens_out: Some(3) };
    let attempts = vec![attempt(charged, Some("0.005".parse().unwrap())), attempt(Usage::default(), None)];
    ChatFailure { error: ChatError::Empty { model: "echo".into() }, attempts }
}

pub fn ask(prompt: &str) -> ChatRequest {
    ChatRequest {
        agent: "test".into(),
        run: None,
        tier: Tier::Quick,
        profile: None,
        messages: vec![Message::User(prompt.into())],
        tools: vec![],
        schema: None,
        temperature: None,
    }
}

pub type Visit =
    Box<dyn for<'a> Fn(&'a NodeContext) -> BoxFuture<'a, Result<Outcome, NodeError>> + Send + Sync>;

/// A node made of a function.
pub struct Step(pub Visit);

#[async_trait]
impl Work for Step {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        (self.0)(node).await
    }
}

pub fn step(
    visit: impl for<'a> Fn(&'a NodeContext) -> BoxFuture<'a, Result<Outcome, NodeError>> + Send + Sync + 'static,
) -> Step {
    Step(Box::new(visit))
}

/// A node that appends its own name to the list `order`.
pub fn note() -> Step {
    step(|node| Box::pin(async move { Outcome::default().set("order", node.plan().id.as_str()) }))
}

pub fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub fn plan(name: &str, visits: u32) -> NodeAdded {
    NodeAdded {
        id: id(name),
        label: name.to_uppercase(),
        role: name.into(),
        kind: NodeKind::Code,
        phase: "Test".into(),
        scope: None,
        owner: None,
        tier: None,
        planned_visits: visits,
    }
}

pub fn route(to: &str, kind: EdgeKind) -> Route {
    Route { to: id(to), kind, condition: format!("to {to}") }
}

/// Builds the same graph for every request.
pub struct Fixed<F> {
    pub graph: F,
    pub model: Arc<dyn ChatModel>,
}

#[async_trait]
impl<F: Fn() -> Graph + Send + Sync> Workflows for Fixed<F> {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        Ok(planned(request, (self.graph)(), self.model.clone()))
    }

    fn knows(&self, _: &WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        self.model.clone()
    }
}

/// Builds the graph that a request asks for.
pub struct ByRequest<F> {
    pub graph: F,
    pub model: Arc<Echo>,
}

#[async_trait]
impl<F: Fn(&RunRequest) -> Graph + Send + Sync> Workflows for ByRequest<F> {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        Ok(planned(request, (self.graph)(request), self.model.clone()))
    }

    fn knows(&self, _: &WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        self.model.clone()
    }
}

pub fn request(limits: Limits) -> RunRequest {
    let workflow = Workflow::bare("essay".parse().unwrap());
    RunRequest { limits, ..RunRequest::new(workflow, "test".parse().unwrap()) }
}

/// The plan of a request that names nothing to be resolved.
pub fn planned(request: &RunRequest, graph: Graph, model: Arc<dyn ChatModel>) -> Plan {
    Plan { workflow: request.workflow.clone(), heading: Heading::new("Essay"), graph, model }
}

pub struct Bench {
    pub folder: TempDir,
    pub model: Arc<Echo>,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), model: Arc::default() }
    }

    pub async fn journal(&self) -> Journal {
        Journal::open(&self.folder.path().join("test.db")).await.unwrap()
    }

    pub fn engine(&self, journal: &Journal, graph: impl Fn() -> Graph + Send + Sync + 'static) -> Engine {
        let workflows = Fixed { graph, model: self.model.clone() };
        let anything = Arc::new(Allowance::default());
        Engine::new(journal.clone(), Arc::new(workflows), anything, EngineOptions::default())
    }

    /// The same with other settings.
    pub fn engine_with(
        &self,
        journal: &Journal,
        options: EngineOptions,
        graph: impl Fn() -> Graph + Send + Sync + 'static,
    ) -> Engine {
        let workflows = Fixed { graph, model: self.model.clone() };
        Engine::new(journal.clone(), Arc::new(workflows), Arc::new(Allowance::default()), options)
    }

    /// Calls that the model was asked so far.
    pub fn calls(&self) -> u32 {
        self.model.calls.load(Ordering::SeqCst)
    }

    /// Runs to the end.
    pub async fn run(&self, limits: Limits, graph: impl Fn() -> Graph + Send + Sync + 'static) -> RunView {
        let journal = self.journal().await;
        let engine = self.engine(&journal, graph);
        let run = engine.start(request(limits), ada()).await.unwrap();
        end_of(&journal, run).await
    }
}

/// Waits for the run's end and folds its log.
pub async fn end_of(journal: &Journal, run: RunId) -> RunView {
    let mut log = journal.subscribe(run, 0).await.unwrap();
    while log.next().await.unwrap().is_some() {}
    RunView::fold(&journal.read(run, 0, 10_000).await.unwrap()).unwrap()
}

pub fn visits(view: &RunView, node: &str) -> usize {
    view.node(&id(node)).unwrap().visits.len()
}
