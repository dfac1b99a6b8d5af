//! Runs that a run starts.

use serde::{Deserialize, Serialize};

use crate::{CallId, Digest, InputRequest, NodeId, RunId, RunStatus, Timestamp, Totals};

/// The run that started another one, and the call in which it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parent {
    /// The run.
    pub run: RunId,
    /// The call, whose id names the node.
    pub call: CallId,
}

/// A node starts a run. The same call again means: repeated after a crash, with the same run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunStarted {
    /// Pairs start and end.
    pub call: CallId,
    /// The run.
    pub run: RunId,
    /// Its title.
    pub title: String,
    /// SHA-256 of what is to be done.
    pub asked: Digest,
}

/// A run that a node started began to wait for people, or ceased to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunAwaits {
    /// The call that started it.
    pub call: CallId,
    /// The run.
    pub run: RunId,
    /// What it asks, and what the runs ask that it has started itself; empty once all are answered.
    pub asks: Vec<SubRunAsk>,
}

/// An open question of a run that another one has started. It is answered there, by its run and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunAsk {
    /// The run that asks: the started one, or one below it.
    pub run: RunId,
    /// Its node that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The question.
    pub request: InputRequest,
}

/// A run that a node started ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubRunFinished {
    /// Pairs start and end.
    pub call: CallId,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// Why, where it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it used itself, together with the runs that it started.
    pub totals: Totals,
}
