use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use crate::{
    AccountId, Approval, Body, CallId, Date, Decimal, Event, FlowId, InputRequest, NodeId, Origin,
    PortfolioId, ProfileName, RunId, Ticker, Timestamp, Totals,
};

/// What a person or a program asks to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunRequest {
    /// What is to be done.
    #[cfg_attr(feature = "openapi", schema(value_type = AnyWorkflow))]
    pub workflow: Workflow,
    /// The flow that the run belongs to.
    pub flow: FlowId,
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

impl RunRequest {
    /// A request with the configured model, the usual limits and no pauses.
    pub fn new(workflow: Workflow, flow: FlowId) -> Self {
        Self {
            workflow,
            flow,
            model: ModelChoice::default(),
            limits: Limits::default(),
            approval: Approval::default(),
            questions: false,
        }
    }

    /// The run's title, such as `Pipeline · AAPL · 2022-06-30`.
    pub fn title(&self) -> String {
        match &self.workflow {
            Workflow::Pipeline { ticker, date, .. } => format!("Pipeline · {ticker} · {date}"),
            Workflow::Portfolio { portfolio, date } => format!("Portfolio · {portfolio} · {date}"),
            Workflow::Unknown(UnknownWorkflow { kind, .. }) => format!("{kind} · made by another version"),
        }
    }
}

/// A workflow with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Workflow {
    /// Analysts, debates and a rating for one stock.
    Pipeline {
        /// The stock.
        ticker: Ticker,
        /// The day of the analysis; nothing later is seen.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
        date: Date,
        /// Who looks at it; at least one.
        #[cfg_attr(feature = "openapi", schema(required = false))]
        analysts: Vec<Analyst>,
    },
    /// A review of one portfolio, a decision, and its trades.
    Portfolio {
        /// The portfolio that trades.
        portfolio: PortfolioId,
        /// The day of the decision and of its prices.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
        date: Date,
    },
    /// One that this version of Pitwall does not know. Its runs are listed, opened, exported and
    /// deleted; it cannot be run.
    #[serde(untagged, skip_deserializing)]
    Unknown(UnknownWorkflow),
}

/// A workflow of a kind that this version does not know, kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnknownWorkflow {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its parameters.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, Value>))]
    pub parameters: Map<String, Value>,
}

impl UnknownWorkflow {
    /// What stands for a workflow of which only the kind is left. Without its parameters it is none of
    /// a kind that this version reads strictly: it gets a name of its own, or no page could read it.
    pub fn of_kind(kind: String) -> Self {
        let kind = if is_known(&kind) { format!("unreadable {kind}") } else { kind };
        Self { kind, parameters: Map::new() }
    }
}

/// Whether [`KnownWorkflow`] has this kind.
fn is_known(kind: &str) -> bool {
    matches!(kind, "pipeline" | "portfolio")
}

/// What a [`Workflow`] is where it is read, for the OpenAPI document: only one that is known can be
/// asked for.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema, Serialize)]
#[serde(untagged)]
pub enum AnyWorkflow {
    /// One that this version knows.
    Known(Workflow),
    /// Another one.
    Other(UnknownWorkflow),
}

/// The workflows that this version knows. Beside one that is not, serde would not say what is wrong
/// with them.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum KnownWorkflow {
    Pipeline {
        ticker: Ticker,
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        #[serde(default = "Analyst::all")]
        analysts: Vec<Analyst>,
    },
    Portfolio {
        portfolio: PortfolioId,
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
    },
}

/// A kind that is known is read strictly, so that a mistake in it is named; only another kind is
/// kept as it is.
impl<'de> Deserialize<'de> for Workflow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        match fields.get("type").and_then(Value::as_str) {
            Some(kind) if is_known(kind) => {
                Ok(match serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)? {
                    KnownWorkflow::Pipeline { ticker, date, analysts } => {
                        Self::Pipeline { ticker, date, analysts }
                    }
                    KnownWorkflow::Portfolio { portfolio, date } => Self::Portfolio { portfolio, date },
                })
            }
            Some(kind) => {
                let kind = kind.to_owned();
                fields.shift_remove("type");
                Ok(Self::Unknown(UnknownWorkflow { kind, parameters: fields }))
            }
            None => Err(D::Error::missing_field("type")),
        }
    }
}

impl Workflow {
    /// The kind as shown in lists and used in filters.
    pub fn kind(&self) -> WorkflowKind {
        match self {
            Self::Pipeline { .. } => WorkflowKind::Pipeline,
            Self::Portfolio { .. } => WorkflowKind::Portfolio,
            Self::Unknown(_) => WorkflowKind::Other,
        }
    }

    /// The kind as it stands in the JSON.
    pub fn kind_word(&self) -> &str {
        match self {
            Self::Pipeline { .. } => "pipeline",
            Self::Portfolio { .. } => "portfolio",
            Self::Unknown(unknown) => &unknown.kind,
        }
    }

    /// The day that the run works as of; `None` if that is not known.
    pub fn date(&self) -> Option<Date> {
        match self {
            Self::Pipeline { date, .. } | Self::Portfolio { date, .. } => Some(*date),
            Self::Unknown(_) => None,
        }
    }

    /// What the run is about: a ticker or a portfolio; the kind, where that is not known.
    pub fn subject(&self) -> &str {
        match self {
            Self::Pipeline { ticker, .. } => ticker.as_str(),
            Self::Portfolio { portfolio, .. } => portfolio.as_str(),
            Self::Unknown(unknown) => &unknown.kind,
        }
    }
}

/// The kinds of workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkflowKind {
    /// Analysts, debates and a rating for one stock.
    Pipeline,
    /// A portfolio's review, decision and trades.
    Portfolio,
    /// One that this version does not know.
    Other,
}

impl WorkflowKind {
    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pipeline => "Pipeline",
            Self::Portfolio => "Portfolio",
            Self::Other => "Made by another version",
        }
    }
}

/// One of the four analysts of a pipeline run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Analyst {
    /// Prices and indicators.
    Market,
    /// What people say about the stock.
    Social,
    /// Company and world news.
    News,
    /// Statements and ratios.
    Fundamentals,
}

impl Analyst {
    /// All four, in the order of the page.
    pub fn all() -> Vec<Self> {
        vec![Self::Market, Self::Social, Self::News, Self::Fundamentals]
    }

    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Market => "Market",
            Self::Social => "Social",
            Self::News => "News",
            Self::Fundamentals => "Fundamentals",
        }
    }
}

/// Which model answers a run's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ModelChoice {
    /// The configured provider, or the rehearsal where none is configured.
    #[default]
    Configured,
    /// The built-in stand-in that follows fixed rules.
    Rehearsal {
        /// How fast it writes, in characters a second; `None` is its own default.
        #[serde(default)]
        characters_per_second: Option<u32>,
    },
    /// A model that the server's settings name, for all tiers.
    Profile {
        /// Its name.
        name: ProfileName,
    },
}

/// What a run may use. Reaching a limit ends the run with that reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Limits {
    /// Visits to nodes.
    pub steps: u32,
    /// Nodes that work at the same time.
    pub concurrent_nodes: u32,
    /// Wall time in seconds, counted from the run's start.
    pub seconds: Option<u64>,
    /// Tokens in and out together.
    pub tokens: Option<u64>,
    /// Cost in US dollars; calls of unknown price do not count.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
}

impl Limits {
    /// These limits, where `ceiling` does not set narrower ones.
    #[must_use]
    pub fn within(&self, ceiling: &Self) -> Self {
        fn narrower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            }
        }
        Self {
            steps: self.steps.min(ceiling.steps),
            concurrent_nodes: self.concurrent_nodes.min(ceiling.concurrent_nodes),
            seconds: narrower(self.seconds, ceiling.seconds),
            tokens: narrower(self.tokens, ceiling.tokens),
            cost: narrower(self.cost, ceiling.cost),
        }
    }

    /// No limits but those that keep a run finite in any case.
    pub fn widest() -> Self {
        Self { steps: u32::MAX, concurrent_nodes: u32::MAX, seconds: None, tokens: None, cost: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 100, concurrent_nodes: 8, seconds: None, tokens: None, cost: None }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not yet working.
    #[default]
    Queued,
    /// Working.
    Running,
    /// A person's answer is awaited.
    Waiting,
    /// Ended with a result.
    Succeeded,
    /// Ended by an error or a limit.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl RunStatus {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Waiting => "Needs you",
            Self::Succeeded => "Done",
            Self::Failed => "Failed",
            Self::Cancelled => "Stopped",
        }
    }
}

/// A run in a list: the fold of its log that needs no texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// Whose run it is.
    #[serde(default)]
    pub owner: AccountId,
    /// The run that it continues.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The id that it had where it was exported: what it says was not done here.
    #[serde(default)]
    pub imported_from: Option<RunId>,
    /// The last event that came from the file that it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_through: Option<u64>,
    /// Number of the last event that this summary contains.
    pub seq: u64,
    /// What was asked for.
    pub request: RunRequest,
    /// Title for people.
    pub title: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The result in a few words, such as `Overweight, medium confidence`.
    pub result: Option<String>,
    /// The phase that works now.
    pub phase: Option<String>,
    /// Planned nodes.
    pub nodes: u32,
    /// Nodes that are done with all they were planned for.
    pub nodes_done: u32,
    /// What it used so far, with what it took over.
    pub totals: Totals,
    /// Model calls in flight: should one never end, it counts as of unknown cost.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open_calls: BTreeSet<CallId>,
    /// What the events that it took over had used.
    #[serde(default)]
    pub inherited: Totals,
    /// What the events that came from a file had used.
    #[serde(default)]
    pub imported: Totals,
    /// What it waits for.
    #[serde(default)]
    pub awaited: Vec<Awaited>,
    /// Questions beside it that are not answered yet.
    #[serde(default)]
    pub open_chats: u32,
    /// Why its log cannot be read, in a sentence. Such a run is listed, exported and deleted only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// A question that a run waits with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Awaited {
    /// The question's id.
    pub input: CallId,
    /// Who asks.
    pub node: Option<NodeId>,
    /// What is asked.
    pub prompt: String,
    /// When it was asked.
    pub since: Timestamp,
    /// Until when an answer is awaited.
    pub deadline: Option<Timestamp>,
}

impl RunSummary {
    /// The summary after a run's first event; `None` if that is not [`Body::RunStarted`].
    pub fn begin(event: &Event) -> Option<Self> {
        let Body::RunStarted(started) = &event.body else { return None };
        Some(Self {
            seq: event.seq,
            owner: started.owner.clone(),
            origin: started.origin.clone(),
            imported_from: started.imported_from,
            imported_through: started.imported_through,
            ..Self::new(event.run, started.request.clone(), event.at)
        })
    }

    /// A run of this server's one account that was just accepted.
    pub fn new(run: RunId, request: RunRequest, created_at: Timestamp) -> Self {
        Self {
            run,
            owner: AccountId::local(),
            origin: None,
            imported_from: None,
            imported_through: None,
            seq: 1,
            title: request.title(),
            request,
            status: RunStatus::Queued,
            created_at,
            finished_at: None,
            error: None,
            result: None,
            phase: None,
            nodes: 0,
            nodes_done: 0,
            totals: Totals::default(),
            open_calls: BTreeSet::new(),
            inherited: Totals::default(),
            imported: Totals::default(),
            awaited: Vec::new(),
            open_chats: 0,
            unreadable: None,
        }
    }

    /// Takes the next event in. An event that was applied before changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.seq {
            return;
        }
        self.seq = event.seq;
        self.totals.count(&mut self.open_calls, &event.body);
        match &event.body {
            Body::NodeAdded(_) => self.nodes += 1,
            // A run that is taken up again still waits for what it waited for.
            Body::StatusChanged(changed) if !self.awaited.is_empty() && !changed.status.is_over() => {}
            Body::StatusChanged(changed) => self.status = changed.status,
            Body::NodeStarted(started) => self.phase = Some(started.phase.clone()),
            Body::NodeFinished(finished) if finished.complete => self.nodes_done += 1,
            Body::InputRequested(request) => self.await_input(event, request),
            Body::InputReceived(received) => self.end_wait(&received.input),
            Body::ChatAsked(_) => self.open_chats += 1,
            Body::ChatAnswered(_) => self.open_chats = self.open_chats.saturating_sub(1),
            Body::Rated(rating) => self.result = Some(rating.headline()),
            Body::DecisionMade(decision) => self.result = Some(decision.headline()),
            Body::RunFinished(finished) => {
                self.status = finished.status;
                self.error.clone_from(&finished.error);
                self.finished_at = Some(event.at);
                self.phase = None;
                self.awaited.clear();
            }
            _ => {}
        }
        if self.origin.as_ref().is_some_and(|origin| event.seq <= origin.through) {
            self.inherited = self.totals.clone();
        }
        if self.imported_through.is_some_and(|through| event.seq <= through) {
            self.imported = self.totals.clone();
        }
    }

    /// What it used itself, without what it took over.
    pub fn own_totals(&self) -> Totals {
        self.totals.since(&self.inherited)
    }

    /// What it has cost its owner here: nothing of what it took over, and of an imported run only what
    /// was asked beside it since.
    pub fn charged(&self) -> Totals {
        match (self.imported_from, self.imported_through) {
            (None, _) => self.own_totals(),
            (Some(_), Some(_)) => self.totals.since(&self.imported),
            (Some(_), None) => Totals::default(),
        }
    }

    /// Whether nothing will be added to the log, unless somebody asks a question beside the run.
    pub fn is_closed(&self) -> bool {
        self.finished_at.is_some() && self.open_chats == 0
    }

    fn await_input(&mut self, event: &Event, request: &InputRequest) {
        self.awaited.retain(|awaited| awaited.input != request.input);
        self.awaited.push(Awaited {
            input: request.input.clone(),
            node: event.node.clone(),
            prompt: request.prompt.clone(),
            since: event.at,
            deadline: request.deadline,
        });
        self.status = RunStatus::Waiting;
    }

    fn end_wait(&mut self, input: &CallId) {
        self.awaited.retain(|awaited| awaited.input != *input);
        if self.awaited.is_empty() && self.status == RunStatus::Waiting {
            self.status = RunStatus::Running;
        }
    }
}
