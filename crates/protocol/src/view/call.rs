//! Calls of models and tools, as far as the log tells.

use serde::{Deserialize, Serialize};

use crate::{
    Attempt, CallId, Decimal, NodeId, ProfileName, Prompt, Text, Tier, Timestamp, ToolRequest, ToolStatus,
    Usage,
};

/// A model call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallView {
    /// Its id.
    pub id: CallId,
    /// The node that made it.
    pub node: Option<NodeId>,
    /// The model.
    pub model: String,
    /// Its tier.
    pub tier: Tier,
    /// The named model that the node asks in the place of the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// What it was asked; all of it is [`RunView::prompt`](crate::RunView::prompt).
    pub prompt: Prompt,
    /// Tools that were offered.
    pub tools: Vec<String>,
    /// When it was asked.
    pub started_at: Timestamp,
    /// How it ended; `None` while it is in flight.
    pub outcome: Option<CallOutcome>,
}

/// How a model call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallOutcome {
    /// The whole answer.
    pub answer: Text,
    /// What the model thought before it answered.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub thoughts: Text,
    /// What it had written when it was dropped, which is no answer.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub cut_off: Text,
    /// Tools that it asked for.
    pub tool_requests: Vec<ToolRequest>,
    /// Tokens, as reported.
    pub usage: Usage,
    /// US dollars; `None` if not known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// The time from the request to the result, in milliseconds.
    pub latency_ms: u64,
    /// How many attempts failed.
    pub retries: u32,
    /// The attempts that failed, oldest first; logs of old versions only have their number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolView {
    /// Its id.
    pub id: CallId,
    /// The node that made it.
    pub node: Option<NodeId>,
    /// The tool's name.
    pub tool: String,
    /// Its arguments, as JSON text.
    pub arguments: Text,
    /// When it was called.
    pub started_at: Timestamp,
    /// How it ended; `None` while it is in flight.
    pub outcome: Option<ToolOutcome>,
}

/// How a tool call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolOutcome {
    /// Success, error or degraded.
    pub status: ToolStatus,
    /// The result or the error.
    pub result: Text,
    /// The vendor that the result came from.
    pub vendor: Option<String>,
    /// The time from the request to the result, in milliseconds.
    pub latency_ms: u64,
}
