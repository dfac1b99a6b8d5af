//! What crosses the wire, and what server and browser must agree on: ids, events,
//! the views folded from them, and the documents of the REST interface.
//!
//! Everything a person sees of a run is [`RunView`], a fold of the run's numbered
//! [`Event`]s. The server and the page use this one implementation.
//!
//! - [`workflow`], [`kind`], [`product`]: what families say, in words that need no family
//! - [`event`], [`run`], [`view`], [`totals`], [`steering`]: a run's log, and what it adds up to
//! - [`document`]: what people make and keep
//! - [`frame`]: what a socket sends; [`api`], [`account`], [`model`], [`tool`]: documents of the REST interface
//! - [`id`], [`text`], [`money`], [`time`]: what all of them are made of
//! - [`resolver`], [`team`], [`trading`]: the documents of families. Nothing general knows them, but for `upcast`,
//!   which reads what versions wrote that had trading alone

pub mod account;
pub mod api;
mod date;
pub mod document;
pub mod event;
mod figures;
pub mod frame;
pub mod id;
pub mod kind;
mod listed;
pub mod model;
pub mod money;
mod past;
pub mod product;
pub mod resolver;
pub mod run;
pub mod steering;
pub mod team;
pub mod text;
pub mod time;
pub mod tool;
pub mod totals;
pub mod trading;
pub mod trial;
mod upcast;
pub mod view;
pub mod workflow;

pub use account::{
    AccessMode, AccountSummary, Allowance, Audience, CredentialId, Identity, NewShare, NewToken, Role,
    SessionSummary, ShareSummary, SignInRefusal, TokenSummary,
};
pub use api::{Problem, RunAccepted, RunFilter, RunPage, RunStopped, SERVER_TIME, ServerStatus, StartRun};
pub use date::{month_name, parse_date};
pub use event::{
    Attempt, Beginning, Body, CallFinished, CallStarted, EdgeAdded, EdgeKind, Event, Figure, GrownNode,
    Growth, Heard, Join, LogLevel, LogLine, NewEvent, NodeAdded, NodeFinished, NodeKind, NodeStarted,
    NodeStatus, NodeStatusChanged, Parent, Patch, Prompt, Report, RunFinished, RunStarted, Said,
    StatusChanged, SubRunAsk, SubRunAwaits, SubRunFinished, SubRunStarted, Tier, ToolInvoked, ToolRequest,
    ToolReturned, ToolStatus, UnknownBody, WholePrompt,
};
pub use frame::{Control, Frame, Trouble};
pub use id::{
    AccountId, CallId, Digest, FlowId, InvalidId, LaneId, NodeId, ProductKind, ProfileName, RunId, ToolName,
    ToolServerName, WorkflowKind,
};
pub use jiff::civil::Date;
pub use kind::{
    FlowReads, FlowSpec, KindSpec, ParameterRemark, PhaseSpec, PlannedNode, StartOptions, Startable, Subject,
};
pub use listed::{ListedKind, ListedRequest, ListedRun, ListedRuns, ListedWorkflow};
pub use model::{ModelProfile, ModelTest};
#[cfg(feature = "openapi")]
pub use money::Amount;
pub use money::{grouped, percent, signed};
pub use past::PastRun;
pub use product::{Product, ProductData, ProductTone, Standing};
pub use run::{Awaited, Limits, ModelChoice, RunRequest, RunStatus, RunSummary};
pub use rust_decimal::Decimal;
pub use steering::{
    Answer, Approval, ApprovalChanged, ApprovalForm, ChatAnswered, ChatAsked, Edits, ForkPoint, ForkRun,
    GivenAnswer, InputForm, InputReceived, InputRequest, Origin, StateEdited, Stopped, Told,
};
pub use text::{Text, WholeText};
pub use time::Timestamp;
pub use tool::{ToolServer, ToolServerReach, ToolServerState, ToolSummary};
pub use totals::{Totals, Usage, checked_cost};
pub use trial::{
    PromptEdit, PromptMessage, Replacement, StartTrials, StepOutcome, Temperature, Trial, TrialEstimate,
    TrialOutcome, TrialReport, TrialsStarted, TriedStep, Variant, VariantEstimate,
};
pub use view::{
    Applied, CallOutcome, CallView, ChatView, EdgeView, Entries, Entry, InputView, NodeView, RunView,
    StateEntry, ToolOutcome, ToolView, Turn, TurnContent, Visit,
};
pub use workflow::{Heading, InvalidWorkflow, Workflow};
