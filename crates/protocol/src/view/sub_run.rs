//! Runs that the run has started, as far as its log tells.

use serde::{Deserialize, Serialize};

use crate::{CallId, InputRequest, NodeId, RunId, RunStatus, SubRunAsk, SubRunStarted, Timestamp, Totals};

/// A run that a node has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunView {
    /// The call that started it.
    pub call: CallId,
    /// The node that made the call.
    pub node: Option<NodeId>,
    /// The run.
    pub run: RunId,
    /// Its title.
    pub title: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// What it asks people now, and what the runs below it ask.
    pub asks: Vec<SubRunAsk>,
    /// How it ended; `None` while it is at work.
    pub outcome: Option<SubRunOutcome>,
}

/// How a run ended that a node has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunOutcome {
    /// When the run that started it was told.
    pub at: Timestamp,
    /// Succeeded, failed or cancelled.
    pub status: RunStatus,
    /// Why, where it did not end well.
    pub error: Option<String>,
    /// What it used, together with the runs below it.
    pub totals: Totals,
}

/// A question that a person can answer now: of the run itself, or of one below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenAsk<'v> {
    /// The run that asks, which is the one to answer.
    pub run: RunId,
    /// Its node that asks.
    pub node: Option<&'v NodeId>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The question.
    pub request: &'v InputRequest,
}

impl SubRunView {
    pub(super) fn begin(started: &SubRunStarted, node: Option<&NodeId>, at: Timestamp) -> Self {
        Self {
            call: started.call.clone(),
            node: node.cloned(),
            run: started.run,
            title: started.title.clone(),
            started_at: at,
            asks: Vec::new(),
            outcome: None,
        }
    }
}
