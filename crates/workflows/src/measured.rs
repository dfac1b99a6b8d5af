//! What code finds out on behalf of a node: tool calls, so that they are seen and kept like any other result.

use engine::{NodeContext, NodeError, ToolResult};
use protocol::ToolStatus;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What was found.
pub(crate) struct Found<T> {
    /// The figures, or whatever it is.
    pub(crate) value: T,
    /// Who supplied the data.
    pub(crate) vendor: String,
    /// Whether something is missing in them.
    pub(crate) is_degraded: bool,
}

/// Finds something out, once: a visit that is repeated gets what the log has.
///
/// # Errors
/// `measuring` gave a sentence why there is nothing, or the log cannot be read or written.
pub(crate) async fn measure<T: Serialize + DeserializeOwned>(
    node: &NodeContext,
    tool: &str,
    arguments: &Value,
    measuring: impl Future<Output = Result<Found<T>, String>> + Send,
) -> Result<T, NodeError> {
    let measured = async {
        let Found { value, vendor, is_degraded } = match measuring.await {
            Ok(found) => found,
            Err(reason) => return ToolResult::error(reason),
        };
        match serde_json::to_string(&value) {
            Ok(json) if is_degraded => ToolResult::degraded(json, vendor),
            Ok(json) => ToolResult::success(json, vendor),
            Err(error) => ToolResult::error(format!("What was found has no JSON form: {error}.")),
        }
    };
    let result = node.tool(tool, &arguments.clone().into(), measured).await?;
    if result.status == ToolStatus::Error {
        return Err(NodeError::failed(result.text));
    }
    serde_json::from_str(&result.text).map_err(|error| {
        NodeError::failed(format!("What was found, as the log has it, cannot be read: {error}."))
    })
}
