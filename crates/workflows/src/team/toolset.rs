//! What an assistant may call: handing over, and the server's tools by the names that the team gives them. Nothing
//! that a file brings along is run.

use std::collections::BTreeMap;

use engine::ToolResult;
use llm::ToolSpec;
use protocol::ToolName;
use serde_json::{Value, json};
use teamfile::{
    KnownTool, aliases,
    team::{Assistant, Handoff, Tool, ToolKind},
};
use tools::{Offer, Outcome, Registry, Wanted};

use super::crew::line;

/// What an assistant may call.
#[derive(Default)]
pub(super) struct Toolset {
    entries: Vec<(ToolSpec, Callee)>,
    offer: Offer,
}

/// What is behind a name that a model is offered.
enum Callee {
    Handoff(Handoff),
    Server(String),
    NotRun(NotRun),
}

/// A tool that a file brings along.
struct NotRun {
    name: String,
    is_source: bool,
}

impl Toolset {
    /// The tools of an assistant, as far as the server has them.
    pub(super) async fn of(assistant: &Assistant, registry: &Registry) -> Self {
        if assistant.handoffs.is_empty() && assistant.tools.is_empty() {
            return Self::default();
        }
        let wanted = assistant.tools.iter().flat_map(names).filter_map(|name| name.parse::<ToolName>().ok());
        let wanted = wanted.collect();
        let offer = registry.offer(&Wanted::Named(wanted)).await;
        let server: BTreeMap<String, ToolSpec> =
            offer.specs().into_iter().map(|spec| (spec.name.clone(), spec)).collect();
        let handoffs = assistant
            .handoffs
            .iter()
            .map(|handoff| (spec(&handoff.name, &handoff.description), Callee::Handoff(handoff.clone())));
        let tools = assistant.tools.iter().map(|tool| match names(tool).find_map(|name| server.get(name)) {
            // Offered under the name of the file, which the agent's instructions use.
            Some(spec) => {
                (ToolSpec { name: tool.name.clone(), ..spec.clone() }, Callee::Server(spec.name.clone()))
            }
            None => {
                let is_source = matches!(tool.kind, ToolKind::Function { .. });
                let not_run = NotRun { name: line(&tool.name, 60), is_source };
                (spec(&tool.name, &tool.description), Callee::NotRun(not_run))
            }
        });
        let mut entries: Vec<(ToolSpec, Callee)> = handoffs.chain(tools).collect();
        // Names of a file may be any text, and two may be the same.
        let names = aliases(entries.iter().map(|(spec, _)| spec.name.as_str()));
        for ((spec, _), name) in entries.iter_mut().zip(names) {
            spec.name = name;
        }
        Self { entries, offer }
    }

    /// Whether nothing may be called.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What a request to a model carries.
    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        self.entries.iter().map(|(spec, _)| spec.clone()).collect()
    }

    /// The handoff that a call is, if it is one.
    pub(super) fn handoff(&self, name: &str) -> Option<&Handoff> {
        match self.callee(name)? {
            Callee::Handoff(handoff) => Some(handoff),
            Callee::Server(_) | Callee::NotRun(_) => None,
        }
    }

    /// Calls one. The name comes from a model: anything may stand in it.
    pub(super) async fn call(&self, name: &str, arguments: &Value) -> ToolResult {
        match self.callee(name) {
            Some(Callee::Handoff(handoff)) => ToolResult::success(handoff.message.clone(), "handoff"),
            Some(Callee::Server(name)) => {
                let Outcome { status, text, source } = self.offer.call(name, arguments).await;
                ToolResult { status, text, vendor: source }
            }
            Some(Callee::NotRun(tool)) => ToolResult::error(tool.sentence()),
            None => ToolResult::error(format!(
                "There is no tool \"{}\". Call one of those that are offered, or answer.",
                line(name, 60)
            )),
        }
    }

    fn callee(&self, name: &str) -> Option<&Callee> {
        self.entries.iter().find(|(spec, _)| spec.name == name).map(|(_, callee)| callee)
    }
}

impl NotRun {
    /// What a model, and whoever reads along, is told.
    fn sentence(&self) -> String {
        let name = &self.name;
        if self.is_source {
            format!(
                "The tool \"{name}\" is Python source in the team's file, which is never run here. A tool server of \
                 this server's settings can offer a tool of the same name instead. Go on without it."
            )
        } else {
            format!(
                "The server has no tool \"{name}\". A tool server can offer one of this name. Go on without it."
            )
        }
    }
}

/// The names of the server's tools that may stand for one of a file, the likeliest first: its own, and that of the
/// well-known tool that its source is.
fn names(tool: &Tool) -> impl Iterator<Item = &str> {
    std::iter::once(tool.name.as_str()).chain(tool.known().map(KnownTool::name))
}

fn spec(name: &str, description: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: json!({ "type": "object", "properties": {} }),
    }
}
