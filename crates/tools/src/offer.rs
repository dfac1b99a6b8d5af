use std::sync::Arc;

use llm::ToolSpec;
use protocol::ToolName;
use serde_json::Value;

use crate::{Outcome, Tool};

/// The tools that one agent is offered, as they were when it was asked. A tool of a server that ends meanwhile
/// stays offered, and its calls are errors with the reason.
#[derive(Clone, Default)]
pub struct Offer {
    tools: Vec<Arc<dyn Tool>>,
    missing: Vec<ToolName>,
}

impl Offer {
    pub(crate) fn new(tools: Vec<Arc<dyn Tool>>, missing: Vec<ToolName>) -> Self {
        Self { tools, missing }
    }

    /// The tools that were wanted by name and are not there.
    pub fn missing(&self) -> &[ToolName] {
        &self.missing
    }

    /// What a request to a model carries, sorted by name.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.definition().spec()).collect()
    }

    /// Calls a tool. Name and arguments come from a model: anything may stand in them. It always comes to an
    /// outcome, within the tool's bounds.
    pub async fn call(&self, name: &str, arguments: &Value) -> Outcome {
        let Some(tool) = self.tools.iter().find(|tool| tool.definition().name().as_str() == name) else {
            return Outcome::error("There is no such tool. Call one of those that are offered.");
        };
        let bounds = tool.bounds();
        let Value::Object(arguments) = arguments else {
            return Outcome::error("The arguments are not a JSON object. Call it again with one.");
        };
        let size = serde_json::to_string(arguments).map_or(usize::MAX, |text| text.len());
        if size > bounds.argument_bytes {
            return Outcome::error(format!(
                "The arguments have {size} bytes; at most {} are taken. Call it again with less.",
                bounds.argument_bytes
            ));
        }
        if let Err(reason) = tool.definition().arguments().check(arguments) {
            return Outcome::error(format!("The arguments do not fit: {reason}. Call it again."));
        }
        match tokio::time::timeout(bounds.time, tool.call(arguments)).await {
            Ok(outcome) => bounds.cut(outcome),
            Err(_) => Outcome::error(format!(
                "{name} gave no result within {} and was given up. What it was to do may have happened all the same.",
                seconds(bounds.time)
            )),
        }
    }
}

/// A time limit in words.
pub(crate) fn seconds(time: std::time::Duration) -> String {
    match time.as_secs_f64() {
        1.0 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}
