//! What is asked of a run, and how it stands.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    AccountId, Approval, Body, CallId, Date, Decimal, Event, FlowId, Heading, InputRequest, NodeId, Origin,
    Parent, ProfileName, RunId, Standing, SubRunAwaits, SubRunFinished, Timestamp, Totals, Workflow, upcast,
};

/// What a person or a program asks to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunRequest {
    /// What is to be done.
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
#[serde(remote = "Self")]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// Whose run it is.
    #[serde(default)]
    pub owner: AccountId,
    /// The run that it continues.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
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
    /// Title for people, as its [`Heading`] says.
    pub title: String,
    /// What it is about, in a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A remark that stands beside the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<String>,
    /// The day as of which it works.
    #[serde(
        default,
        deserialize_with = "crate::date::deserialize_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
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
    /// Model calls in flight: should one never end, it counts as of unknown cost.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open_calls: BTreeSet<CallId>,
    /// What the events that it took over had used.
    #[serde(default)]
    pub inherited: Totals,
    /// What the events that came from a file had used.
    #[serde(default)]
    pub imported: Totals,
    /// What the runs that it started have used with all below them, of those that have ended.
    #[serde(default, skip_serializing_if = "Totals::is_nothing")]
    pub below: Totals,
    /// What of that the events that it took over tell of.
    #[serde(default, skip_serializing_if = "Totals::is_nothing")]
    pub inherited_below: Totals,
    /// What it waits for.
    #[serde(default)]
    pub awaited: Vec<Awaited>,
    /// Runs that it started and that wait for people.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting_sub_runs: BTreeSet<RunId>,
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
    /// The node that asks.
    pub node: Option<NodeId>,
    /// The question.
    pub prompt: String,
    /// When it was asked.
    pub since: Timestamp,
    /// Until when an answer is awaited.
    pub deadline: Option<Timestamp>,
}

impl Serialize for RunSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// A summary of an earlier version has no more of its heading than the title.
impl<'de> Deserialize<'de> for RunSummary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut summary = Self::deserialize(deserializer)?;
        if summary.subject.is_none() {
            let heading = upcast::heading(&summary.request.workflow);
            if heading.title == summary.title {
                (summary.subject, summary.as_of) = (heading.subject, heading.as_of);
            }
        }
        Ok(summary)
    }
}

impl RunSummary {
    /// The summary after a run's first event; `None` if that is not [`Body::RunStarted`].
    pub fn begin(event: &Event) -> Option<Self> {
        let Body::RunStarted(started) = &event.body else { return None };
        Some(Self {
            seq: event.seq,
            owner: started.owner.clone(),
            origin: started.origin.clone(),
            parent: started.parent.clone(),
            imported_from: started.imported_from,
            imported_through: started.imported_through,
            ..Self::new(event.run, started.request.clone(), started.heading.clone(), event.at)
        })
    }

    /// Folds a log: its first event begins the summary, and each later one is applied to it.
    pub fn fold(summary: &mut Option<Self>, event: &Event) {
        match summary {
            Some(summary) => summary.apply(event),
            None => *summary = Self::begin(event),
        }
    }

    /// A run of this server's one account that was just accepted.
    pub fn new(run: RunId, request: RunRequest, heading: Heading, created_at: Timestamp) -> Self {
        let Heading { title, subject, badge, as_of } = heading;
        Self {
            run,
            owner: AccountId::local(),
            origin: None,
            parent: None,
            imported_from: None,
            imported_through: None,
            seq: 1,
            title,
            subject,
            badge,
            as_of,
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
            below: Totals::default(),
            inherited_below: Totals::default(),
            inherited: Totals::default(),
            imported: Totals::default(),
            awaited: Vec::new(),
            waiting_sub_runs: BTreeSet::new(),
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
        if let Body::SubRunFinished(finished) = &event.body {
            self.below.add(&finished.totals);
        }
        match &event.body {
            Body::NodeAdded(_) => self.nodes += 1,
            Body::Grown(growth) => {
                let grown = u32::try_from(growth.nodes.len()).unwrap_or(u32::MAX);
                self.nodes = self.nodes.saturating_add(grown);
            }
            // A run that is taken up again still waits for what it waited for.
            Body::StatusChanged(changed) if self.waits() && !changed.status.is_over() => {}
            Body::StatusChanged(changed) => self.status = changed.status,
            Body::NodeStarted(started) => self.phase = Some(started.phase.clone()),
            Body::NodeFinished(finished) if finished.complete => self.nodes_done += 1,
            Body::InputRequested(request) => self.await_input(event, request),
            Body::InputReceived(received) => self.end_wait(&received.input),
            Body::SubRunAwaits(awaits) if !awaits.asks.is_empty() => {
                self.waiting_sub_runs.insert(awaits.run);
                self.status = RunStatus::Waiting;
            }
            Body::SubRunAwaits(SubRunAwaits { run, .. })
            | Body::SubRunFinished(SubRunFinished { run, .. }) => {
                self.waiting_sub_runs.remove(run);
                self.go_on();
            }
            Body::ChatAsked(_) => self.open_chats += 1,
            Body::ChatAnswered(_) => self.open_chats = self.open_chats.saturating_sub(1),
            Body::Produced(product) if product.standing == Standing::Result => {
                self.result = Some(product.headline.clone());
            }
            Body::RunFinished(finished) => {
                self.status = finished.status;
                self.error.clone_from(&finished.error);
                self.finished_at = Some(event.at);
                self.phase = None;
                self.awaited.clear();
                self.waiting_sub_runs.clear();
            }
            _ => {}
        }
        if self.origin.as_ref().is_some_and(|origin| event.seq <= origin.through) {
            self.inherited = self.totals.clone();
            self.inherited_below = self.below.clone();
        }
        if self.imported_through.is_some_and(|through| event.seq <= through) {
            self.imported = self.totals.clone();
        }
    }

    /// What it used so far together with the runs that it started, of those that have ended.
    pub fn used(&self) -> Totals {
        self.totals.with(&self.below)
    }

    /// The same without what it took over: what counts for its limits.
    pub fn own_used(&self) -> Totals {
        self.own_totals().with(&self.below.since(&self.inherited_below))
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
        self.go_on();
    }

    fn waits(&self) -> bool {
        !self.awaited.is_empty() || !self.waiting_sub_runs.is_empty()
    }

    fn go_on(&mut self) {
        if !self.waits() && self.status == RunStatus::Waiting {
            self.status = RunStatus::Running;
        }
    }
}
