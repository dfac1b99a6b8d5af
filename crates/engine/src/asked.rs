//! What was asked, as a digest. A visit that is repeated takes an answer from the log only for the very
//! question that it asks: by its number alone it could be the answer to another one.

use journal::JournalError;
use llm::{Arguments, ChatRequest};
use protocol::Digest;
use serde_json::json;

/// The digest of a question to a model: all of it that is sent.
pub(crate) fn of_chat(request: &ChatRequest) -> Result<Digest, JournalError> {
    let ChatRequest { agent: _, run: _, tier, messages, tools, schema } = request;
    // The order of keys in an object says nothing.
    let mut asked = json!({ "tier": tier, "messages": messages, "tools": tools, "schema": schema });
    asked.sort_all_objects();
    journal::digest(&format!("chat {asked}"))
}

/// The digest of a tool call.
pub(crate) fn of_tool(name: &str, arguments: &Arguments) -> Result<Digest, JournalError> {
    let mut asked = json!({ "name": name, "arguments": arguments });
    asked.sort_all_objects();
    journal::digest(&format!("tool {asked}"))
}
