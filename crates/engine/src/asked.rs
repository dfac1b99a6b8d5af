//! The digest of a call's request. A repeated visit takes an answer from the log only if the digests are
//! equal: by the call's number alone, it could be the answer to another request.

use journal::JournalError;
use llm::{Arguments, ChatRequest};
use protocol::{Digest, Workflow};
use serde_json::json;

/// The digest of a chat request: of everything that is sent to the model.
pub(crate) fn of_chat(request: &ChatRequest) -> Result<Digest, JournalError> {
    let ChatRequest { agent: _, run: _, tier, profile, messages, tools, schema, temperature } = request;
    // The order of an object's keys has no meaning.
    let mut asked = json!({ "tier": tier, "messages": messages, "tools": tools, "schema": schema });
    // Requests without one have the digest that they had before there were any.
    if let Some(profile) = profile {
        asked["profile"] = json!(profile);
    }
    // Most requests leave it to the provider, and have the digest that they always had.
    if let Some(temperature) = temperature {
        asked["temperature"] = json!(temperature);
    }
    asked.sort_all_objects();
    journal::digest(&format!("chat {asked}"))
}

/// The digest of a run that is to be started.
pub(crate) fn of_workflow(workflow: &Workflow) -> Result<Digest, JournalError> {
    let mut asked = json!(workflow);
    asked.sort_all_objects();
    journal::digest(&format!("run {asked}"))
}

/// The digest of a tool call.
pub(crate) fn of_tool(name: &str, arguments: &Arguments) -> Result<Digest, JournalError> {
    let mut asked = json!({ "name": name, "arguments": arguments });
    asked.sort_all_objects();
    journal::digest(&format!("tool {asked}"))
}
