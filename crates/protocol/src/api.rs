//! Requests and answers of the REST interface.

use serde::{Deserialize, Serialize};

use crate::{
    Approval, FlowId, Limits, ModelChoice, RunId, RunRequest, RunStatus, RunSummary, Workflow, WorkflowKind,
    document::DocumentId,
};

/// A request to start a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartRun {
    /// What is to be done.
    pub workflow: Workflow,
    /// The flow to join; a new one if absent.
    #[serde(default)]
    pub flow: Option<FlowId>,
    /// Which model answers.
    #[serde(default)]
    pub model: ModelChoice,
    /// What the run may use at most.
    #[serde(default)]
    pub limits: Limits,
    /// Before which nodes it pauses until a person approves.
    #[serde(default)]
    pub approval: Approval,
    /// Whether its agents may ask a person.
    #[serde(default)]
    pub questions: bool,
}

impl StartRun {
    /// A request with the configured model, the usual limits and no pauses.
    pub fn new(workflow: Workflow) -> Self {
        Self {
            workflow,
            flow: None,
            model: ModelChoice::default(),
            limits: Limits::default(),
            approval: Approval::default(),
            questions: false,
        }
    }

    /// The same again as an earlier run, in a flow of its own.
    pub fn again(request: RunRequest) -> Self {
        let RunRequest { workflow, flow: _, model, limits, approval, questions } = request;
        Self { workflow, flow: None, model, limits, approval, questions }
    }

    /// The run request, in this flow where none was asked for.
    pub fn in_flow(self, new_flow: FlowId) -> RunRequest {
        RunRequest {
            workflow: self.workflow,
            flow: self.flow.unwrap_or(new_flow),
            model: self.model,
            limits: self.limits,
            approval: self.approval,
            questions: self.questions,
        }
    }
}

/// How a server stands, for those who run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerStatus {
    /// Its version.
    pub version: String,
    /// Runs that are queued, at work or waiting for people.
    pub active_runs: usize,
    /// Sockets that are open.
    pub sockets: usize,
    /// Tasks of its runtime.
    pub tasks: usize,
    /// What keeps it from storing, and what to do.
    pub trouble: Option<String>,
}

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunAccepted {
    /// The run.
    pub run: RunId,
    /// The flow that it belongs to.
    pub flow: FlowId,
}

/// A run that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStopped {
    /// Whether it has ended. Else its end is written as soon as the disk takes it, or what must not be
    /// cut in two has come to its end; nothing new begins.
    pub ended: bool,
}

/// Which runs to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RunFilter {
    /// Words that the title must contain, in any case.
    pub search: String,
    /// Only runs that stand here.
    pub status: Option<RunStatus>,
    /// Only runs of this kind.
    pub kind: Option<WorkflowKind>,
    /// Only runs of this flow.
    pub flow: Option<FlowId>,
    /// Only runs that continue this one.
    pub origin: Option<RunId>,
    /// Only runs that this one has started.
    pub parent: Option<RunId>,
    /// Only runs that are made from this document, in any of its versions.
    pub document: Option<DocumentId>,
    /// Without those that other runs have started.
    pub top: bool,
    /// Only runs created before this one: the last of the page before.
    pub before: Option<RunId>,
    /// At most this many; the server allows 200.
    pub limit: Option<u32>,
}

/// A page of runs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// Whether older ones match, too.
    pub more: bool,
}

/// An error as a client gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{detail}")]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    /// What happened and what to do, in a sentence.
    pub detail: String,
}

/// The header with the server's time in milliseconds, on all of its answers. A page reckons times by it, and
/// tells the server's answers from those of something on the way.
pub const SERVER_TIME: &str = "pitwall-time";

impl Problem {
    /// Something does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self { status: 404, detail: detail.into() }
    }

    /// The request cannot be understood or is not allowed as it is.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { status: 422, detail: detail.into() }
    }

    /// The request does not fit the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self { status: 409, detail: detail.into() }
    }

    /// Something failed on the server; the log says more.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self { status: 500, detail: detail.into() }
    }
}
