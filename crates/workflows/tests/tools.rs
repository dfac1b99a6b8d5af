//! A run whose agent calls a tool of a real MCP server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use engine::{
    Allowance, Engine, EngineOptions, Graph, NodeContext, NodeError, Outcome, Plan, PlanError, Work,
    Workflows,
};
use journal::Journal;
use llm::{ChatModel, ChatRequest, Message, Rehearsal, Script, Secret, Turn};
use protocol::{
    AccountId, Body, Heading, NodeAdded, NodeKind, RunId, RunRequest, RunStatus, RunView, Tier, ToolStatus,
    WorkflowKind,
};
use serde_json::json;
use tools::{
    Registry, Wanted,
    mcp::{Endpoint, Limits, McpServer, McpServers},
};
use workflows::agent::{Brief, converse};

const KEY: &str = "sk-planted-58e0a1b7";

/// The server's package, which `scripts/setup.sh test` installs.
fn everything() -> McpServer {
    let package = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package);
    assert!(script.is_file(), "{} is missing. Run scripts/setup.sh test before.", script.display());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file());
    let variables = vec![("PLANTED_KEY".to_owned(), Secret::from(KEY))];
    let arguments = vec![script.display().to_string(), "stdio".to_owned()];
    let endpoint = Endpoint::program(node.expect("node is installed"), arguments, variables).unwrap();
    McpServer { name: "everything".parse().unwrap(), endpoint, limits: Limits::default() }
}

/// Calls two tools, one of which tells the key, and then answers with what they gave.
struct Calls;

impl Script for Calls {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        let results = request.messages.iter().filter_map(|message| match message {
            Message::Tool { content, .. } => Some(content.as_str()),
            _ => None,
        });
        let results = results.collect::<Vec<_>>().join("\n");
        Ok(match results.is_empty() {
            true => Turn::Tools(vec![
                ("everything_get-sum".to_owned(), json!({ "a": 2, "b": 40 })),
                ("everything_get-env".to_owned(), json!({})),
            ]),
            false => Turn::Answer(results),
        })
    }
}

/// An agent that is offered all tools of the registry.
struct Agent(Registry);

#[async_trait]
impl Work for Agent {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let messages = vec![Message::User("Add 2 and 40.".to_owned())];
        let brief = Brief { agent: "adder".to_owned(), tier: Tier::Quick, messages, schema: None };
        let offer = self.0.offer(&Wanted::All).await;
        let conversation = converse(node, brief, &offer).await?;
        Outcome::default().set("answer", conversation.answer)
    }
}

struct OneAgent(Registry);

#[async_trait]
impl Workflows for OneAgent {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        let plan = NodeAdded {
            id: "adder".parse().unwrap(),
            label: "Adder".to_owned(),
            role: "adder".to_owned(),
            kind: NodeKind::Agent,
            phase: "Work".to_owned(),
            scope: None,
            owner: None,
            tier: Some(Tier::Quick),
            planned_visits: 1,
        };
        let mut graph = Graph::new();
        graph.node(plan, Agent(self.0.clone()));
        let (workflow, heading) = (request.workflow.clone(), Heading::new("A sum"));
        Ok(Plan { workflow, heading, graph, model: self.model(request) })
    }

    fn knows(&self, _: &WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        Arc::new(Rehearsal::new(Arc::new(Calls), Some(0)))
    }
}

#[tokio::test]
async fn an_agents_calls_of_a_foreign_tool_are_in_the_log_with_their_digest_and_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let registry = Registry::new(McpServers::start([everything()]));
    let (workflows, options) = (Arc::new(OneAgent(registry.clone())), EngineOptions::default());
    let engine = Engine::new(journal.clone(), workflows, Arc::new(Allowance::default()), options);
    let request = stage::pipeline("AAPL", "2022-06-30", "tools");
    let run = engine.start(request, AccountId::local()).await.unwrap();
    let mut log = journal.subscribe(run, 0).await.unwrap();
    while log.next().await.unwrap().is_some() {}

    let events = journal.whole(run).await.unwrap();
    assert_eq!(RunView::fold(&events).unwrap().summary.status, RunStatus::Succeeded);
    let invoked: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::ToolInvoked(invoked) => Some((invoked.tool.as_str(), invoked.asked.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(invoked, [("everything_get-sum", true), ("everything_get-env", true)]);
    let returned: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::ToolReturned(returned) => Some(returned),
            _ => None,
        })
        .collect();
    assert!(returned.iter().all(|returned| returned.status == ToolStatus::Success));
    assert_eq!(returned[0].vendor.as_deref(), Some("everything"));
    assert!(returned[0].result.shown().contains("42"), "{:?}", returned[0].result);
    let told = journal.resolve(&returned[1].result).await.unwrap();
    assert!(told.contains("\"PLANTED_KEY\": \"***\""), "{told}");
    engine.shut_down().await;
    registry.close().await;
    journal.close().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()));
    }
}
