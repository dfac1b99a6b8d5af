//! What lists show of runs.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    Awaited, Date, FlowId, KindSpec, Parent, RunId, RunPage, RunStatus, RunSummary, Timestamp, Totals,
    WorkflowKind, document::DocumentReference, workflow::version_named,
};

/// A part of a run's [`RunSummary`], under the same names, so that it is read from whatever holds one. Pages that list
/// runs do without the rest, and without the code that would read it: parameters, models, limits, pauses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRun {
    /// The run.
    pub run: RunId,
    /// Number of the last event that this contains.
    pub seq: u64,
    /// What was asked for.
    pub request: ListedRequest,
    /// Title for people.
    pub title: String,
    /// What it is about, in a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The day as of which it works.
    #[serde(
        default,
        deserialize_with = "crate::date::deserialize_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<Date>,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The headline of its last result.
    pub result: Option<String>,
    /// The phase that works now.
    pub phase: Option<String>,
    /// Planned nodes.
    pub nodes: u32,
    /// Nodes that are done with all they were planned for.
    pub nodes_done: u32,
    /// What it used so far, with what it took over.
    pub totals: Totals,
    /// What the runs that it started have used with all below them, of those that have ended.
    #[serde(default, skip_serializing_if = "Totals::is_nothing")]
    pub below: Totals,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<Awaited>,
    /// The run that has started it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The id that it had where it was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<RunId>,
    /// Why its log cannot be read, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// The part of a [`RunRequest`](crate::RunRequest) that lists show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRequest {
    /// What is to be done.
    pub workflow: ListedWorkflow,
    /// The flow that the run belongs to.
    pub flow: FlowId,
}

/// A [`Workflow`](crate::Workflow) without its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedWorkflow {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: WorkflowKind,
    /// The document that the run is made from, whichever parameter names it: [`Workflow::document`](crate::Workflow::document).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentReference>,
}

impl<'de> Deserialize<'de> for ListedWorkflow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(rename = "type")]
            kind: WorkflowKind,
            #[serde(flatten)]
            parameters: Map<String, Value>,
        }
        let Fields { kind, parameters } = Fields::deserialize(deserializer)?;
        Ok(Self { kind, document: parameters.values().find_map(version_named) })
    }
}

/// A page of a list of runs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRuns {
    /// The runs.
    pub runs: Vec<ListedRun>,
    /// Whether older ones match, too.
    pub more: bool,
}

/// A part of a [`KindSpec`], under the same names: what lists show of a kind of workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKind {
    /// The kind.
    pub kind: WorkflowKind,
    /// Its name for people.
    pub label: String,
    /// What it does, in a sentence.
    pub hint: String,
    /// Its icon, by the words that also choose those of nodes.
    pub icon: String,
    /// Whether its runs are started by other runs alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_below: bool,
}

impl From<KindSpec> for ListedKind {
    fn from(spec: KindSpec) -> Self {
        let KindSpec { kind, label, hint, icon, only_below, .. } = spec;
        Self { kind, label, hint, icon, only_below }
    }
}

impl ListedRun {
    /// The kind of its workflow.
    pub fn kind(&self) -> &WorkflowKind {
        &self.request.workflow.kind
    }

    /// What it used so far together with the runs that it started, of those that have ended.
    pub fn used(&self) -> Totals {
        self.totals.with(&self.below)
    }

    /// The flow that it belongs to.
    pub fn flow(&self) -> &FlowId {
        &self.request.flow
    }

    /// The document that it is made from, with its version.
    pub fn document(&self) -> Option<DocumentReference> {
        self.request.workflow.document
    }
}

impl From<RunSummary> for ListedRun {
    fn from(summary: RunSummary) -> Self {
        let workflow = &summary.request.workflow;
        let workflow = ListedWorkflow { kind: workflow.kind().clone(), document: workflow.document() };
        Self {
            run: summary.run,
            seq: summary.seq,
            request: ListedRequest { workflow, flow: summary.request.flow },
            title: summary.title,
            subject: summary.subject,
            as_of: summary.as_of,
            status: summary.status,
            created_at: summary.created_at,
            finished_at: summary.finished_at,
            error: summary.error,
            result: summary.result,
            phase: summary.phase,
            nodes: summary.nodes,
            nodes_done: summary.nodes_done,
            totals: summary.totals,
            below: summary.below,
            awaited: summary.awaited,
            parent: summary.parent,
            imported_from: summary.imported_from,
            unreadable: summary.unreadable,
        }
    }
}

impl From<RunPage> for ListedRuns {
    fn from(page: RunPage) -> Self {
        Self { runs: page.runs.into_iter().map(ListedRun::from).collect(), more: page.more }
    }
}
