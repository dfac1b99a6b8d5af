//! The entries of a run's log.

mod call;
mod node;
mod output;
mod prompt;
mod run;
mod sub_run;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::{RawValue, Value};

pub use call::{Attempt, CallFinished, CallStarted, ToolInvoked, ToolRequest, ToolReturned, ToolStatus};
pub use node::{
    EdgeAdded, EdgeKind, GrownNode, Growth, Heard, Join, NodeAdded, NodeFinished, NodeKind, NodeStarted,
    NodeStatus, NodeStatusChanged, Patch, Tier,
};
pub use output::{Figure, LogLevel, LogLine, Report, Said};
pub use prompt::{Beginning, Prompt, WholePrompt};
pub use run::{RunFinished, RunStarted, StatusChanged};
pub use sub_run::{Parent, SubRunAsk, SubRunAwaits, SubRunFinished, SubRunStarted};

use crate::{
    Answer, ApprovalChanged, ChatAnswered, ChatAsked, InputReceived, InputRequest, NodeId, Product, RunId,
    StateEdited, Text, Timestamp, Told, upcast,
};

/// One entry of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// The run.
    pub run: RunId,
    /// Its number: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// When it was made. Order is by number: a clock may be set back.
    pub at: Timestamp,
    /// The node that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// What happened.
    pub body: Body,
}

/// An event that has no number yet: the journal gives it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// When it was made.
    pub at: Timestamp,
    /// The node that it belongs to.
    pub node: Option<NodeId>,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Body {
    /// Always the first event.
    RunStarted(RunStarted),
    /// The run changed between queued, running and waiting.
    StatusChanged(StatusChanged),
    /// The last event, but for questions beside the run.
    RunFinished(RunFinished),
    /// A node is planned, or appeared while running.
    NodeAdded(NodeAdded),
    /// Two nodes are connected.
    EdgeAdded(EdgeAdded),
    /// A node at work added nodes and edges.
    Grown(Growth),
    /// A node begins a visit.
    NodeStarted(NodeStarted),
    /// A node waits, is ready, or will not run.
    NodeStatusChanged(NodeStatusChanged),
    /// A node ended a visit; carries what it changed in the run's state.
    NodeFinished(NodeFinished),
    /// A model is asked.
    CallStarted(CallStarted),
    /// A model answered, or could not.
    CallFinished(CallFinished),
    /// A tool is called.
    ToolInvoked(ToolInvoked),
    /// A tool returned.
    ToolReturned(ToolReturned),
    /// A node starts a run.
    SubRunStarted(SubRunStarted),
    /// A run that a node started waits for people, or does not any more.
    SubRunAwaits(SubRunAwaits),
    /// A run that a node started ended.
    SubRunFinished(SubRunFinished),
    /// A person is asked; the node waits.
    InputRequested(InputRequest),
    /// A person answered, or the deadline passed.
    InputReceived(InputReceived),
    /// A person said something to a node.
    Told(Told),
    /// A node looked for what it was told.
    Heard(Heard),
    /// A person changed the run's state.
    StateEdited(StateEdited),
    /// A person changed before which nodes the run pauses.
    ApprovalChanged(ApprovalChanged),
    /// A question beside the run.
    ChatAsked(ChatAsked),
    /// Its answer.
    ChatAnswered(ChatAnswered),
    /// Somebody said something.
    Said(Said),
    /// A report is complete.
    Reported(Report),
    /// Something was brought forth: what the run is for, or a part of the way there.
    Produced(Product),
    /// A line for the reader of the log.
    Logged(LogLine),
    /// An event of a newer Pitwall, kept as it is.
    #[serde(untagged)]
    Unknown(UnknownBody),
}

/// A body whose kind this version does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnknownBody {
    /// The kind.
    pub kind: String,
    /// The data.
    #[serde(default)]
    pub data: Value,
}

/// Reads and names the kinds of [`Body`]; the compiler misses one that is not in the list.
macro_rules! kinds {
    ($($variant:ident => $kind:literal,)*) => {
        impl Body {
            /// The kind as it stands in the JSON.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Unknown(unknown) => &unknown.kind,
                }
            }

            fn read(kind: &str, data: &str) -> serde_json::Result<Self> {
                match kind {
                    $($kind => serde_json::from_str(data).map(Self::$variant),)*
                    other => upcast::body(other, data).ok_or_else(|| serde_json::Error::custom(other)),
                }
            }
        }
    };
}

kinds! {
    RunStarted => "run_started",
    StatusChanged => "status_changed",
    RunFinished => "run_finished",
    NodeAdded => "node_added",
    EdgeAdded => "edge_added",
    Grown => "grown",
    NodeStarted => "node_started",
    NodeStatusChanged => "node_status_changed",
    NodeFinished => "node_finished",
    CallStarted => "call_started",
    CallFinished => "call_finished",
    ToolInvoked => "tool_invoked",
    ToolReturned => "tool_returned",
    SubRunStarted => "sub_run_started",
    SubRunAwaits => "sub_run_awaits",
    SubRunFinished => "sub_run_finished",
    InputRequested => "input_requested",
    InputReceived => "input_received",
    Told => "told",
    Heard => "heard",
    StateEdited => "state_edited",
    ApprovalChanged => "approval_changed",
    ChatAsked => "chat_asked",
    ChatAnswered => "chat_answered",
    Said => "said",
    Reported => "reported",
    Produced => "produced",
    Logged => "logged",
}

/// Reads what the derived `Serialize` writes. A derived `Deserialize` would compile every
/// kind of data three times, since it reads from a copy in memory what it cannot name yet;
/// here each is read from the JSON itself. Data that this version cannot read are kept.
impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tagged {
            kind: String,
            #[serde(default)]
            data: Option<Box<RawValue>>,
        }
        let Tagged { kind, data } = Tagged::deserialize(deserializer)?;
        let data = data.as_ref().map_or("null", |data| data.get());
        Self::read(&kind, data).or_else(|_| {
            let data: Value = serde_json::from_str(data).map_err(D::Error::custom)?;
            // What is kept is written without its repeated keys. Should it be readable then, it has to
            // be read so at once: an event must not become another one in the log.
            let written = data.to_string();
            Ok(Self::read(&kind, &written).unwrap_or_else(|_| Self::Unknown(UnknownBody { kind, data })))
        })
    }
}

impl Body {
    /// Whether it is of a conversation beside the run, which may go on after the run's end.
    pub fn is_beside(&self) -> bool {
        matches!(self, Self::ChatAsked(_) | Self::ChatAnswered(_))
    }

    /// Whether a run's work ends with this event.
    pub fn ends_run(&self) -> bool {
        matches!(self, Self::RunFinished(_))
    }

    /// Whether a node's work writes it, such as a message, a report or a result. A visit that is
    /// repeated after a crash counts these, and does not write them again.
    pub fn is_emitted(&self) -> bool {
        match self {
            Self::Grown(_) | Self::Said(_) | Self::Reported(_) | Self::Produced(_) | Self::Logged(_) => true,
            // Named one by one, so that whoever adds a kind has to say it: what is forgotten here
            // would be written twice.
            Self::RunStarted(_)
            | Self::StatusChanged(_)
            | Self::RunFinished(_)
            | Self::NodeAdded(_)
            | Self::EdgeAdded(_)
            | Self::NodeStarted(_)
            | Self::NodeStatusChanged(_)
            | Self::NodeFinished(_)
            | Self::CallStarted(_)
            | Self::CallFinished(_)
            | Self::ToolInvoked(_)
            | Self::ToolReturned(_)
            | Self::SubRunStarted(_)
            | Self::SubRunAwaits(_)
            | Self::SubRunFinished(_)
            | Self::InputRequested(_)
            | Self::InputReceived(_)
            | Self::Told(_)
            | Self::Heard(_)
            | Self::StateEdited(_)
            | Self::ApprovalChanged(_)
            | Self::ChatAsked(_)
            | Self::ChatAnswered(_)
            | Self::Unknown(_) => false,
        }
    }

    /// Every text that may be long, so that the journal can store it beside the event.
    pub fn texts_mut(&mut self) -> Vec<&mut Text> {
        match self {
            Self::Grown(growth) => growth.nodes.iter_mut().map(|node| &mut node.spec).collect(),
            Self::NodeFinished(finished) => finished.patch.values_mut().collect(),
            Self::CallStarted(started) => started.prompt.own_mut().iter_mut().collect(),
            Self::CallFinished(finished) => {
                let requests = finished.tool_requests.iter_mut();
                let requests = requests
                    .flat_map(|request| std::iter::once(&mut request.arguments).chain(request.echo.as_mut()));
                [&mut finished.answer, &mut finished.thoughts, &mut finished.cut_off]
                    .into_iter()
                    .chain(finished.echo.as_mut())
                    .chain(requests)
                    .collect()
            }
            Self::ToolInvoked(invoked) => vec![&mut invoked.arguments],
            Self::ToolReturned(returned) => vec![&mut returned.result],
            Self::InputRequested(request) => request.texts_mut().collect(),
            Self::SubRunAwaits(awaits) => {
                awaits.asks.iter_mut().flat_map(|ask| ask.request.texts_mut()).collect()
            }
            Self::InputReceived(received) => match &mut received.answer {
                Answer::Value { json } => vec![json],
                Answer::Approved { edits, .. } => edits.values_mut().collect(),
                Answer::SentBack { .. }
                | Answer::Rerouted { .. }
                | Answer::Rejected { .. }
                | Answer::Expired => Vec::new(),
            },
            Self::Told(told) => vec![&mut told.content],
            Self::StateEdited(edited) => edited.patch.values_mut().collect(),
            Self::ChatAsked(asked) => vec![&mut asked.question],
            Self::ChatAnswered(answered) => vec![&mut answered.answer],
            Self::Said(said) => vec![&mut said.content],
            Self::Reported(report) => vec![&mut report.markdown],
            Self::Produced(product) => vec![&mut product.data],
            // Named one by one, so that whoever adds a kind has to say whether it has long texts.
            Self::RunStarted(_)
            | Self::StatusChanged(_)
            | Self::RunFinished(_)
            | Self::NodeAdded(_)
            | Self::EdgeAdded(_)
            | Self::NodeStarted(_)
            | Self::NodeStatusChanged(_)
            | Self::SubRunStarted(_)
            | Self::SubRunFinished(_)
            | Self::Heard(_)
            | Self::ApprovalChanged(_)
            | Self::Logged(_)
            | Self::Unknown(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_newer_server_is_kept_as_it_is() {
        let json = r#"{"run":"0197a1b2-0000-7000-8000-000000000000","seq":4,"at":5,"body":{"kind":"teleported","data":{"to":"moon"}}}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        assert_eq!(event.body.kind(), "teleported");
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }

    #[test]
    fn the_kind_in_the_json_is_the_kind_of_the_body() {
        let body = Body::Logged(LogLine { level: LogLevel::Info, message: "hello".into() });
        let json = serde_json::to_value(&body).unwrap();
        assert_eq!(json["kind"], body.kind());
        assert_eq!(serde_json::from_value::<Body>(json).unwrap(), body);
    }
}
