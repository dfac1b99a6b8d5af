//! What nodes of all families write and read.

use engine::{NodeContext, NodeError, State};
use llm::{AnswerSchema, Message};
use protocol::{Body, Figure, LogLevel, LogLine, NodeAdded, NodeId, NodeKind, Product, Report, Tier};
use serde::de::DeserializeOwned;

use crate::agent::Brief;

/// The id of a node that code names.
///
/// # Errors
/// In a sentence, why it is none.
pub fn node_id(text: &str) -> Result<NodeId, String> {
    text.parse::<NodeId>().map_err(|error| error.to_string())
}

/// A node that is visited once, without a scope: an agent where it has a tier, or else code.
///
/// # Errors
/// In a sentence, why its id is none.
pub fn planned(
    id: &str,
    label: &str,
    role: &str,
    phase: &str,
    tier: Option<Tier>,
) -> Result<NodeAdded, String> {
    Ok(NodeAdded {
        id: node_id(id)?,
        label: label.to_owned(),
        role: role.to_owned(),
        kind: if tier.is_some() { NodeKind::Agent } else { NodeKind::Code },
        phase: phase.to_owned(),
        scope: None,
        owner: None,
        tier,
        planned_visits: 1,
    })
}

/// What the agent of this node is asked, by the model of the node's tier.
pub fn brief(node: &NodeContext, messages: Vec<Message>, schema: Option<AnswerSchema>) -> Brief {
    let tier = node.plan().tier.unwrap_or(Tier::Quick);
    Brief { agent: node.plan().id.to_string(), tier, messages, schema }
}

/// A line for the reader of the log.
pub fn log(level: LogLevel, message: impl Into<String>) -> Body {
    Body::Logged(LogLine { level, message: message.into() })
}

/// A complete report; `name` is its key in the run's state.
pub fn report(name: &str, title: &str, markdown: &str, figures: Vec<Figure>) -> Body {
    Body::Reported(Report {
        name: name.to_owned(),
        title: title.to_owned(),
        markdown: markdown.into(),
        figures,
    })
}

/// Something that the run brings forth.
///
/// # Errors
/// The document has no JSON form.
pub fn product(made: serde_json::Result<Product>) -> Result<Body, NodeError> {
    made.map(Body::Produced)
        .map_err(|error| NodeError::failed(format!("What was brought forth has no JSON form: {error}.")))
}

/// What an earlier node must have left in the state.
///
/// # Errors
/// It did not.
pub fn required<T: DeserializeOwned>(node: &NodeContext, key: &str) -> Result<T, NodeError> {
    needed(node.state(), key)
}

/// The same of a state by itself.
///
/// # Errors
/// It is not there.
pub fn needed<T: DeserializeOwned>(state: &State, key: &str) -> Result<T, NodeError> {
    state.get(key)?.ok_or_else(|| {
        NodeError::failed(format!("The run's state has no \"{key}\": an earlier step left it out."))
    })
}

/// A text that fits into a cell of a Markdown table.
pub fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
