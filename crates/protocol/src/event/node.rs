//! Nodes, the edges between them, and visits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{CallId, NodeId, Text};

/// What does a node's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A model.
    Agent,
    /// Code alone.
    Code,
    /// A person.
    Person,
}

/// Which of the configured models a node asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Fast and cheap.
    Quick,
    /// Between.
    Mid,
    /// Slow and thorough.
    Deep,
}

impl Tier {
    /// All, the fastest first.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Mid, Self::Deep];

    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Mid => "mid",
            Self::Deep => "deep",
        }
    }
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeAdded {
    /// Its id, unique in the run.
    pub id: NodeId,
    /// Its name for people.
    pub label: String,
    /// What it does, as a short slug that chooses the icon: `market`, `bull`, `trader` …
    pub role: String,
    /// What does the work.
    pub kind: NodeKind,
    /// The phase that it is drawn in.
    pub phase: String,
    /// What it is about, such as a ticker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The node whose sub-graph it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<NodeId>,
    /// The model tier that it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Visits that are planned; more than one for a node in a counted loop.
    pub planned_visits: u32,
}

/// How an edge passes work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// Always; the target waits for all of its flow edges.
    Flow,
    /// When its condition holds.
    Conditional,
    /// Back to a node that was visited before, when its condition holds.
    Loop,
}

/// An edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeAdded {
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// How it passes work on.
    pub kind: EdgeKind,
    /// The condition in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// When a node begins that has incoming flow edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Once all of their sources have delivered since its last visit. Should one of them never be
    /// reached, the node is not reached either.
    #[default]
    All,
    /// The same, but once nothing else is at work it begins with what was delivered.
    Reached,
    /// As soon as one of their sources has delivered; what others deliver before it begins is the same
    /// visit.
    Any,
    /// As soon as so many of their sources have delivered since its last visit.
    Count(u32),
}

/// A node at work added nodes and edges to its run's graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Growth {
    /// The new nodes. Those to which none of the edges leads begin at once.
    pub nodes: Vec<GrownNode>,
    /// The new edges, from or to new nodes or those that were there before.
    #[serde(default)]
    pub edges: Vec<EdgeAdded>,
}

/// A node that appeared while its run was at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrownNode {
    /// What is planned.
    pub plan: NodeAdded,
    /// When it begins, if flow edges lead to it.
    #[serde(default)]
    pub join: Join,
    /// From which its family makes its work, also when the run is resumed or continued.
    pub spec: Text,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Not reached yet.
    #[default]
    Pending,
    /// Reached, waiting for a free place.
    Ready,
    /// Working.
    Running,
    /// Waiting for a person.
    Waiting,
    /// Its last visit ended well.
    Succeeded,
    /// Its last visit failed.
    Failed,
    /// Will not run.
    Skipped,
}

impl NodeStatus {
    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::Ready => "ready",
            Self::Running => "working",
            Self::Waiting => "needs you",
            Self::Succeeded => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A visit begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStarted {
    /// 1 for the first visit. The same number again means: repeated after a crash.
    pub visit: u32,
    /// The node's phase.
    pub phase: String,
}

/// A node stands somewhere else, without a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStatusChanged {
    /// Where it stands.
    pub status: NodeStatus,
    /// The reason of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Changes of the run's state: each value is JSON text.
pub type Patch = BTreeMap<String, Text>;

/// A visit looked whether people have told its node something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heard {
    /// The place of the look among the visit's calls.
    pub look: CallId,
    /// How many messages it took, of those that no visit had taken; the oldest ones.
    pub messages: u32,
}

/// A visit ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeFinished {
    /// The number of the visit.
    pub visit: u32,
    /// Succeeded or failed.
    pub status: NodeStatus,
    /// The error, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the node had to do without, where it succeeded all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// How long the visit took, in milliseconds.
    pub duration_ms: u64,
    /// What it changed in the run's state.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Text>))]
    pub patch: Patch,
    /// Keys of the patch whose values are added to a list; the others take the old value's place.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub appended: BTreeSet<String>,
    /// The nodes that its edges passed work on to.
    #[serde(default)]
    pub next: Vec<NodeId>,
    /// Whether this was the last planned visit.
    pub complete: bool,
    /// Whether what its calls came to is why it failed: a run that continues this one makes it again
    /// from its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}
