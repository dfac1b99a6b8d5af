use async_trait::async_trait;
use protocol::{CallId, NodeId, Patch, ToolStatus};
use serde::Serialize;
use serde_json::Value;

use crate::{NodeContext, State};

/// What a node does in one visit.
#[async_trait]
pub trait Work: Send + Sync {
    /// Does the work. It may be called again for the same visit after a crash; calls, tools
    /// and emitted events that are in the log are then not repeated. Until it first waits for something, the run begins
    /// nothing else and takes no command.
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError>;

    /// What comes of a visit once nothing within the node is left to do, where nodes are: `outcome` is that of
    /// [`Work::run`], `inside` is the state within the node. Must be a pure function: resuming calls it again.
    ///
    /// # Errors
    /// It has come to nothing; the node fails.
    fn conclude(&self, outcome: Outcome, _inside: &State) -> Result<Outcome, NodeError> {
        Ok(outcome)
    }

    /// What exactly a visit would do in this state, where that is known before it begins. An approval holds
    /// for this subject alone; if it changes, a person is asked again.
    fn subject(&self, _state: &State) -> Option<Value> {
        None
    }
}

/// The result of a visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Changes of the run's state, each as JSON.
    pub patch: Patch,
    /// Why the result is degraded, if it is.
    pub degraded: Option<String>,
    /// Why there is no result although the run goes on, if there is none.
    pub failed: Option<String>,
    /// The nodes that work is passed on to, in place of those that the node's edges lead to.
    pub next: Option<Vec<NodeId>>,
}

impl Outcome {
    /// Sets a state key.
    ///
    /// # Errors
    /// The value has no JSON form.
    pub fn set(mut self, key: &str, value: impl Serialize) -> Result<Self, NodeError> {
        let json = serde_json::to_string(&value).map_err(|error| {
            NodeError::failed(format!("The value of \"{key}\" has no JSON form: {error}"))
        })?;
        self.patch.insert(key.to_owned(), json.into());
        Ok(self)
    }

    /// Passes work on to these nodes alone, whatever the node's edges say; to none, if there are none. They may
    /// be any nodes that are within the same node, also by the name that they have there: what is known only at
    /// work, such as who speaks next, needs no edge. A flow edge to one of them delivers as usual; each other is one
    /// visit.
    #[must_use]
    pub fn to(mut self, next: impl IntoIterator<Item = NodeId>) -> Self {
        self.next = Some(next.into_iter().collect());
        self
    }

    /// Says that the visit has come to nothing, with the reason, which does not end the run: the node is shown as
    /// failed, and work is passed on all the same. Where that would mislead those who come next, return a
    /// [`NodeError`], which ends the run.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>) -> Self {
        self.failed = Some(reason.into());
        self
    }

    /// Marks the result as degraded, with the reason.
    #[must_use]
    pub fn degraded(mut self, reason: impl Into<String>) -> Self {
        self.degraded = Some(reason.into());
        self
    }
}

/// Why a node could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A sentence for a person.
    #[error("{0}")]
    Failed(String),
    /// The model could not answer; the log holds this sentence, too.
    #[error("{0}")]
    Model(String),
    /// The run reached one of its limits.
    #[error("{0}")]
    Limit(String),
    /// A repeated visit asked something else than the log has an answer to.
    #[error(
        "This node was planned by another version: its call {0} asks something else than the log holds \
         the answer to. Re-run from this node."
    )]
    AnotherVersion(CallId),
    /// The run ends, so nothing new may begin.
    #[error("The run was stopped.")]
    Stopped,
    /// The log could not be read or written.
    #[error("{0}")]
    Journal(#[from] journal::JournalError),
}

impl NodeError {
    /// An error in words.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }
}

/// What a tool returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// How it ended.
    pub status: ToolStatus,
    /// The text that the model gets: the result or the error.
    pub text: String,
    /// The vendor that served it.
    pub vendor: Option<String>,
}

impl ToolResult {
    /// A complete result.
    pub fn success(text: impl Into<String>, vendor: impl Into<String>) -> Self {
        Self { status: ToolStatus::Success, text: text.into(), vendor: Some(vendor.into()) }
    }

    /// No result, and why.
    pub fn error(text: impl Into<String>) -> Self {
        Self { status: ToolStatus::Error, text: text.into(), vendor: None }
    }

    /// An incomplete result; the text says what is missing.
    pub fn degraded(text: impl Into<String>, vendor: impl Into<String>) -> Self {
        Self { status: ToolStatus::Degraded, text: text.into(), vendor: Some(vendor.into()) }
    }
}
