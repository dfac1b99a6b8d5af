//! The server functions of the pages of sessions.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

use leptos::prelude::*;
use protocol::{FlowId, resolver::TaskConversation};

#[cfg(feature = "ssr")]
use super::backend::SharedSessions;
#[cfg(feature = "ssr")]
use crate::api::{answer, provided};
use crate::api::{ApiError, Caller, JsonText};

#[cfg(feature = "ssr")]
fn backend() -> Result<SharedSessions, ApiError> {
    provided()
}

/// A session of tasks, by its name or the id of one of its runs, with its last run.
#[server(name = ConversationCall, prefix = "/rpc", endpoint = "task_conversation", input = JsonText, output = JsonText, client = Caller)]
pub async fn conversation(name: FlowId) -> Result<TaskConversation, ApiError> {
    answer(backend()?.conversation(name).await)
}
