//! The entries of a run's log.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::{RawValue, Value};

use crate::{
    AccountId, Answer, ApprovalChanged, CallId, ChatAnswered, ChatAsked, Decimal, Digest, Heading, InputForm,
    InputReceived, InputRequest, NodeId, Origin, Product, RunId, RunRequest, RunStatus, StateEdited, Stopped,
    Text, Timestamp, Totals, Usage, upcast,
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
    /// A person is asked; the node waits.
    InputRequested(InputRequest),
    /// A person answered, or the deadline passed.
    InputReceived(InputReceived),
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

/// The start of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStarted {
    /// What was asked for.
    pub request: RunRequest,
    /// What the run is called.
    pub heading: Heading,
    /// Whose run it is.
    #[serde(default)]
    pub owner: AccountId,
    /// The run that this one continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The id that it had where it was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<RunId>,
    /// The last event that came from the file; what follows was added here. `None` in an imported run
    /// of an earlier version: all counts as from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_through: Option<u64>,
}

impl RunStarted {
    /// The start of a run that continues no other, on a server without accounts.
    pub fn new(request: RunRequest, heading: Heading) -> Self {
        Self {
            request,
            heading,
            owner: AccountId::local(),
            origin: None,
            imported_from: None,
            imported_through: None,
        }
    }
}

/// The start of a run that an earlier version began has no heading.
impl<'de> Deserialize<'de> for RunStarted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            request: RunRequest,
            heading: Option<Heading>,
            #[serde(default)]
            owner: AccountId,
            origin: Option<Origin>,
            imported_from: Option<RunId>,
            imported_through: Option<u64>,
        }
        let Stored { request, heading, owner, origin, imported_from, imported_through } =
            Stored::deserialize(deserializer)?;
        let heading = heading.unwrap_or_else(|| upcast::heading(&request.workflow));
        Ok(Self { request, heading, owner, origin, imported_from, imported_through })
    }
}

/// The run stands somewhere else now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusChanged {
    /// Where it stands.
    pub status: RunStatus,
    /// Why, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunFinished {
    /// Succeeded, failed or cancelled.
    pub status: RunStatus,
    /// The error or limit that ended it, or who stopped it and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who stopped it and why, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What it used.
    pub totals: Totals,
}

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
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Changes of the run's state: each value is JSON text.
pub type Patch = BTreeMap<String, Text>;

/// A visit ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeFinished {
    /// Which visit.
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

/// A model is asked. The same call again means: repeated after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallStarted {
    /// Pairs start and end.
    pub call: CallId,
    /// The model that is asked.
    pub model: String,
    /// Its tier.
    pub tier: Tier,
    /// All messages, as `[role] text` blocks.
    pub prompt: Text,
    /// Names of the tools that are offered.
    #[serde(default)]
    pub tools: Vec<String>,
    /// SHA-256 of all that is asked: tier, messages, tools and form of the answer. A replay that asks
    /// something else under the same id must not take the old answer. `None` in logs of old versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Digest>,
}

/// A tool call that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolRequest {
    /// The provider's id of the request.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments, as JSON text; as the model wrote them, where they cannot be read.
    pub arguments: Text,
    /// Why the arguments cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Fields beside the request that its provider demands back with it, as a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Text>,
}

/// An attempt at a model call that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// The model that was asked.
    pub model: String,
    /// Why it failed, in a sentence.
    pub error: String,
    /// Tokens, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars; nothing where the provider refused before it began, `None` if not known.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// In milliseconds, without the wait before the next attempt.
    pub latency_ms: u64,
}

/// A model call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallFinished {
    /// Pairs start and end.
    pub call: CallId,
    /// The model that really answered.
    pub model: String,
    /// The whole answer; empty where it only asks for tools, or failed.
    #[serde(default)]
    pub answer: Text,
    /// What the model thought before it answered, where that was told. Never part of a report or of a
    /// later prompt.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub thoughts: Text,
    /// Tools that the model asks for.
    #[serde(default)]
    pub tool_requests: Vec<ToolRequest>,
    /// Fields of the message that its provider demands back in the next request, as a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Text>,
    /// Tokens of the answer's own attempt, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars of the answer's own attempt; `None` if not known. Nothing where all of the call's
    /// attempts failed: each has its own.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// From the first attempt to the end, in milliseconds.
    pub latency_ms: u64,
    /// How many attempts failed.
    #[serde(default)]
    pub retries: u32,
    /// The attempts that failed, oldest first. Logs of old versions only have their number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl CallFinished {
    /// The end of a call that was dropped while it was in flight, after so many milliseconds: its
    /// provider may charge for it, and nobody can say how much.
    pub fn dropped(call: CallId, model: String, latency_ms: u64) -> Self {
        Self {
            call,
            model,
            answer: Text::default(),
            thoughts: Text::default(),
            tool_requests: Vec::new(),
            echo: None,
            usage: Usage::default(),
            cost: None,
            latency_ms,
            retries: 0,
            attempts: Vec::new(),
            error: Some("The call was dropped when the run ended, before its answer was there.".to_owned()),
        }
    }
}

/// How a tool call ended. A field of its own, never guessed from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// The full result.
    Success,
    /// No result.
    Error,
    /// A result with something missing, or none because the source has no such data.
    Degraded,
}

/// A tool is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolInvoked {
    /// Pairs start and end.
    pub call: CallId,
    /// The tool's name.
    pub tool: String,
    /// Its arguments, as JSON text.
    pub arguments: Text,
    /// SHA-256 of name and arguments, as for [`CallStarted::asked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Digest>,
}

/// A tool returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolReturned {
    /// Pairs start and end.
    pub call: CallId,
    /// How it ended.
    pub status: ToolStatus,
    /// The result or the error, as the model gets it.
    pub result: Text,
    /// Who really served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
}

/// Somebody said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Said {
    /// Who.
    pub source: String,
    /// What, as Markdown.
    pub content: Text,
}

/// A complete report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Its key in the run's state.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its text, as Markdown.
    pub markdown: Text,
    /// The figures that it rests on.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// A figure with its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// Its value as shown, or why there is none.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Good to know.
    Info,
    /// Something is missing or was mended.
    Warning,
    /// Something failed.
    Error,
}

/// A line for the reader of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
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
    NodeStarted => "node_started",
    NodeStatusChanged => "node_status_changed",
    NodeFinished => "node_finished",
    CallStarted => "call_started",
    CallFinished => "call_finished",
    ToolInvoked => "tool_invoked",
    ToolReturned => "tool_returned",
    InputRequested => "input_requested",
    InputReceived => "input_received",
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
            Self::Said(_) | Self::Reported(_) | Self::Produced(_) | Self::Logged(_) => true,
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
            | Self::InputRequested(_)
            | Self::InputReceived(_)
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
            Self::NodeFinished(finished) => finished.patch.values_mut().collect(),
            Self::CallStarted(started) => vec![&mut started.prompt],
            Self::CallFinished(finished) => {
                let requests = finished.tool_requests.iter_mut();
                let requests = requests
                    .flat_map(|request| std::iter::once(&mut request.arguments).chain(request.echo.as_mut()));
                [&mut finished.answer, &mut finished.thoughts]
                    .into_iter()
                    .chain(finished.echo.as_mut())
                    .chain(requests)
                    .collect()
            }
            Self::ToolInvoked(invoked) => vec![&mut invoked.arguments],
            Self::ToolReturned(returned) => vec![&mut returned.result],
            Self::InputRequested(request) => {
                let form = match &mut request.form {
                    InputForm::Text | InputForm::Choice { .. } => None,
                    InputForm::Object { schema } => Some(schema),
                    InputForm::Approval(approval) => approval.subject.as_mut(),
                };
                form.into_iter().chain(request.default.as_mut()).collect()
            }
            Self::InputReceived(received) => match &mut received.answer {
                Answer::Value { json } => vec![json],
                Answer::Approved { edits, .. } => edits.values_mut().collect(),
                Answer::SentBack { .. }
                | Answer::Rerouted { .. }
                | Answer::Rejected { .. }
                | Answer::Expired => Vec::new(),
            },
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
