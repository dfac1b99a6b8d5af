//! What people do to a run: approve, answer, edit, continue, ask beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Attempt, CallId, Decimal, Digest, Limits, ModelChoice, NodeId, Patch, RunId, Text, Timestamp,
    Usage, WholeText, Workflow,
};

/// Before which nodes a run pauses until a person approves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Approval {
    /// Before none.
    #[default]
    Off,
    /// Before every node.
    Every,
    /// Before these.
    Nodes {
        /// Their ids.
        nodes: BTreeSet<NodeId>,
    },
}

impl Approval {
    /// What holds for the runs that a run has started: the nodes of a run are not in those.
    #[must_use]
    pub fn below(&self) -> Self {
        match self {
            Self::Every => Self::Every,
            Self::Off | Self::Nodes { .. } => Self::Off,
        }
    }

    /// What the mode does, in words.
    pub fn label(&self) -> String {
        match self {
            Self::Off => "no pauses".to_owned(),
            Self::Every => "pauses before every node".to_owned(),
            Self::Nodes { nodes } => {
                let nodes: Vec<_> = nodes.iter().map(NodeId::as_str).collect();
                format!("pauses before {}", nodes.join(", "))
            }
        }
    }

    /// Whether a run pauses before this node.
    pub fn applies_to(&self, node: &NodeId) -> bool {
        match self {
            Self::Off => false,
            Self::Every => true,
            Self::Nodes { nodes } => nodes.contains(node),
        }
    }
}

/// Where a run that continues another one goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ForkPoint {
    /// The node's visit is made again, and what followed from it. Called a re-run.
    Before {
        /// The node.
        node: NodeId,
        /// Which of its visits; 1 is the first.
        #[serde(default = "first_visit")]
        visit: u32,
    },
    /// The first visits to all nodes of a phase are made again, and what followed from them.
    Phase {
        /// The phase, as in the plan.
        phase: String,
    },
    /// The node's visit stands, and what followed from it is made again.
    After {
        /// The node.
        node: NodeId,
        /// Which of its visits; 1 is the first.
        #[serde(default = "first_visit")]
        visit: u32,
    },
    /// Everything that succeeded stands: a run that failed, was stopped or reached a limit goes on.
    End,
}

fn first_visit() -> u32 {
    1
}

/// The run that another one continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Origin {
    /// The run.
    pub run: RunId,
    /// The place in that run at which this one begins.
    pub point: ForkPoint,
    /// Number of the last event that was taken over. They follow the plan, in their old order and
    /// with their old times.
    pub through: u64,
}

/// A request to continue a run in a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForkRun {
    /// The place in the present run at which the new one begins.
    pub point: ForkPoint,
    /// Values of the run's state to begin with, as JSON texts; each takes the place of the old one.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, WholeText>))]
    pub edits: Edits,
    /// Other parameters; those of the original if absent.
    #[serde(default)]
    pub workflow: Option<Workflow>,
    /// Another model; that of the original if absent.
    #[serde(default)]
    pub model: Option<ModelChoice>,
    /// Other limits; those of the original if absent.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// Another approve mode; that of the original, as it was set last, if absent.
    #[serde(default)]
    pub approval: Option<Approval>,
}

/// A person's changes of the run's state as they come from outside: each value is JSON text.
pub type Edits = BTreeMap<String, WholeText>;

fn patch(edits: Edits) -> Patch {
    edits.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// A person's change of the run's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateEdited {
    /// The new values; each takes the place of the old one.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Text>))]
    pub patch: Patch,
    /// The account that made the change.
    pub by: AccountId,
}

impl StateEdited {
    /// The change that this person asks for.
    pub fn new(edits: Edits, by: AccountId) -> Self {
        Self { patch: patch(edits), by }
    }
}

/// A person's change of the approve mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalChanged {
    /// The new mode.
    pub approval: Approval,
    /// The account that made the change.
    pub by: AccountId,
}

/// A person says something to a node, which reads it when it next looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Told {
    /// What was said, as Markdown.
    pub content: Text,
    /// The account that said it.
    pub by: AccountId,
}

/// A person is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputRequest {
    /// Pairs question and answer. The same again means: asked anew, as what was shown has changed.
    pub input: CallId,
    /// The question.
    pub prompt: String,
    /// The reason for which the node asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The form of the answer.
    pub form: InputForm,
    /// Until when an answer is awaited; `None` is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The answer at the deadline, as JSON text; without one, the node fails then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Text>,
}

impl InputRequest {
    /// Every text of it that may be long.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Text> {
        let form = match &mut self.form {
            InputForm::Text | InputForm::Choice { .. } => None,
            InputForm::Object { schema } => Some(schema),
            InputForm::Approval(approval) => approval.subject.as_mut(),
        };
        form.into_iter().chain(self.default.as_mut())
    }
}

/// What a person can answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputForm {
    /// Any text but an empty one.
    Text,
    /// One of these.
    Choice {
        /// The answers on offer.
        options: Vec<String>,
    },
    /// A JSON value by a schema.
    Object {
        /// The JSON schema, as JSON text.
        schema: Text,
    },
    /// Whether a node may begin.
    Approval(ApprovalForm),
}

/// What a person approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalForm {
    /// The visit that is to begin.
    pub visit: u32,
    /// What exactly is about to be done, as JSON text, such as the orders of a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Text>,
    /// SHA-256 of what is approved: an answer is good for this alone.
    pub digest: Digest,
    /// Nodes that the work can be sent back to.
    #[serde(default)]
    pub back: Vec<NodeId>,
    /// Nodes that can be taken instead.
    #[serde(default)]
    pub routes: Vec<NodeId>,
}

/// A person answered, or the deadline passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputReceived {
    /// Pairs question and answer.
    pub input: CallId,
    /// The answer.
    pub answer: Answer,
    /// Who answered; `None`: nobody, until the deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<AccountId>,
}

/// An answer as a person gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum GivenAnswer {
    /// The text, the choice or the object.
    Value {
        /// As JSON text.
        json: WholeText,
    },
    /// The node may begin.
    Approved {
        /// What was approved: the request's digest.
        digest: Digest,
        /// Values of the state to change first, as JSON texts.
        #[serde(default)]
        edits: Edits,
    },
    /// A node before this one shall do its work again.
    SentBack {
        /// The node that works again.
        to: NodeId,
        /// What it shall do differently.
        comment: String,
    },
    /// Other nodes are taken instead.
    Rerouted {
        /// The node to go to instead.
        to: NodeId,
    },
    /// The run ends here.
    Rejected {
        /// The reason, as the person gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl From<GivenAnswer> for Answer {
    fn from(given: GivenAnswer) -> Self {
        match given {
            GivenAnswer::Value { json } => Self::Value { json: json.into() },
            GivenAnswer::Approved { digest, edits } => Self::Approved { digest, edits: patch(edits) },
            GivenAnswer::SentBack { to, comment } => Self::SentBack { to, comment },
            GivenAnswer::Rerouted { to } => Self::Rerouted { to },
            GivenAnswer::Rejected { reason } => Self::Rejected { reason },
        }
    }
}

/// An answer to a question, in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// The text, the choice or the object.
    Value {
        /// As JSON text.
        json: Text,
    },
    /// The node may begin.
    Approved {
        /// What was approved: the request's digest.
        digest: Digest,
        /// Values of the state to change first, as JSON texts.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Text>))]
        edits: Patch,
    },
    /// A node before this one shall do its work again.
    SentBack {
        /// The node that works again.
        to: NodeId,
        /// What it shall do differently.
        comment: String,
    },
    /// Other nodes are taken instead.
    Rerouted {
        /// The node to go to instead.
        to: NodeId,
    },
    /// The run ends here.
    Rejected {
        /// The reason, as the person gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Nobody answered until the deadline.
    Expired,
}

impl Answer {
    /// What was answered, in a few words.
    pub fn label(&self) -> String {
        match self {
            Self::Value { json } => match serde_json::from_str::<String>(json.shown()) {
                Ok(text) => text,
                Err(_) => json.shown().to_owned(),
            },
            Self::Approved { edits, .. } if edits.is_empty() => "approved".to_owned(),
            Self::Approved { .. } => "approved with changes".to_owned(),
            Self::SentBack { to, .. } => format!("sent back to {to}"),
            Self::Rerouted { to } => format!("sent on to {to}"),
            Self::Rejected { .. } => "rejected".to_owned(),
            Self::Expired => "not answered in time".to_owned(),
        }
    }
}

/// A question to a run, beside its work. May also follow the run's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatAsked {
    /// Pairs question and answer; counts from 1.
    pub chat: u32,
    /// The question.
    pub question: Text,
    /// The account that asked.
    pub by: AccountId,
}

/// The answer to a question beside a run, from its state at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatAnswered {
    /// Pairs question and answer.
    pub chat: u32,
    /// The model that answered.
    pub model: String,
    /// The answer, as Markdown; empty where there is none.
    #[serde(default)]
    pub answer: Text,
    /// Tokens, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars; `None` if not known.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// The time until the answer, in milliseconds.
    pub latency_ms: u64,
    /// The attempts that failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Who ended a run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stopped {
    /// The account that stopped the run.
    pub by: AccountId,
    /// The reason, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Stopped {
    /// Who and why, in a sentence.
    pub fn sentence(&self) -> String {
        let by = if self.by == AccountId::local() { "you" } else { self.by.as_str() };
        match &self.reason {
            Some(reason) => format!("Stopped by {by}: {reason}"),
            None => format!("Stopped by {by}."),
        }
    }
}
