use std::sync::Arc;

use async_trait::async_trait;
use rmcp::{
    ServiceError,
    model::{CallToolRequestParams, CallToolResponse},
};
use serde_json::{Map, Value};

use super::{content, listing::ListedTool, server::Supervised};
use crate::{Bounds, Definition, Outcome, Tool, offer::seconds};

/// Bytes of what a server says about a call that it refuses.
const LONGEST_REFUSAL: usize = 2000;
/// What a caller must know where no answer came.
const MAY_HAVE_HAPPENED: &str = "What it was to do may have happened all the same.";

/// A tool of a server, as it was listed. It is called where the server stands at that moment.
pub(super) struct RemoteTool {
    server: Arc<Supervised>,
    tool: Arc<ListedTool>,
}

impl RemoteTool {
    pub(super) fn new(server: Arc<Supervised>, tool: Arc<ListedTool>) -> Self {
        Self { server, tool }
    }

    fn failed(&self, error: &ServiceError) -> Outcome {
        let name = self.server.name();
        match error {
            ServiceError::McpError(refusal) => {
                let said = self.server.redactor().line(&refusal.message, LONGEST_REFUSAL);
                Outcome::error(format!("The tool server {name} refuses the call: {said}"))
            }
            ServiceError::UnexpectedResponse => Outcome::error(format!(
                "The tool server {name} gave an answer that is none. {MAY_HAVE_HAPPENED}"
            )),
            _ => {
                self.server.request_check();
                Outcome::error(format!(
                    "The connection to the tool server {name} broke off during the call. {MAY_HAVE_HAPPENED}"
                ))
            }
        }
    }
}

#[async_trait]
impl Tool for RemoteTool {
    fn definition(&self) -> &Definition {
        &self.tool.definition
    }

    fn bounds(&self) -> Bounds {
        let limits = self.server.limits();
        Bounds {
            result_bytes: limits.result_bytes,
            // The call below ends before, and knows more.
            time: limits.call.saturating_mul(2),
            ..Bounds::default()
        }
    }

    async fn call(&self, arguments: &Map<String, Value>) -> Outcome {
        let name = self.server.name();
        let ready = match self.server.ready() {
            Ok(ready) => ready,
            Err(reason) => {
                return Outcome::error(format!("The tool server {name} cannot be asked now. {reason}"));
            }
        };
        let limit = self.server.limits().call;
        let asked = CallToolRequestParams::new(self.tool.own_name.clone()).with_arguments(arguments.clone());
        // Dropping the call tells the server that nobody waits for it any more.
        let outcome = match tokio::time::timeout(limit, ready.peer.call_tool_once(asked)).await {
            Ok(Ok(CallToolResponse::Complete(result))) => content::outcome(result, name.as_str()),
            Ok(Ok(_)) => Outcome::error(format!(
                "The tool server {name} wants to ask a person or to answer later, which cannot be done here."
            )),
            Ok(Err(error)) => self.failed(&error),
            Err(_) => {
                self.server.request_check();
                Outcome::error(format!(
                    "The tool server {name} gave no result within {}. {MAY_HAVE_HAPPENED}",
                    seconds(limit)
                ))
            }
        };
        let text = self.server.redactor().redact(&outcome.text);
        Outcome { text, ..outcome }
    }
}
