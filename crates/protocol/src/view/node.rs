//! Nodes and edges, as far as the log tells.

use serde::{Deserialize, Serialize};

use crate::{
    Answer, CallFinished, Decimal, EdgeAdded, NodeAdded, NodeFinished, NodeStatus, Timestamp, Totals,
};

/// A node with what happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeView {
    /// What was planned.
    pub plan: NodeAdded,
    /// Where it stands.
    pub status: NodeStatus,
    /// Why, where it failed, waits or was skipped.
    pub reason: Option<String>,
    /// What it had to do without.
    pub degraded: Option<String>,
    /// That a fallback model answered one of its calls, and why: the last time that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Its visits, oldest first.
    pub visits: Vec<Visit>,
    /// The model that answered last.
    pub model: Option<String>,
    /// Tokens in and out, of all visits.
    pub tokens: u64,
    /// US dollars of the calls whose price is known; `None` if no call's is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// Attempts at calls whose cost is not known.
    #[serde(default)]
    pub calls_of_unknown_cost: u32,
    /// The line that it said last.
    pub headline: Option<String>,
}

impl NodeView {
    /// Time in finished visits, in milliseconds.
    pub fn worked_ms(&self) -> u64 {
        self.visits.iter().filter_map(|visit| visit.duration_ms).sum()
    }

    /// When the visit that is under way began.
    pub fn working_since(&self) -> Option<Timestamp> {
        let visit = self.visits.last()?;
        (self.status == NodeStatus::Running && visit.duration_ms.is_none()).then_some(visit.started_at)
    }
}

/// One visit to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visit {
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took; `None` while it lasts.
    pub duration_ms: Option<u64>,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it was made by the run that this one continues.
    #[serde(default)]
    pub inherited: bool,
}

/// An edge, and how often it passed work on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeView {
    /// What was planned.
    pub plan: EdgeAdded,
    /// Times that work passed.
    pub taken: u32,
}

impl NodeView {
    pub(super) fn planned(plan: NodeAdded) -> Self {
        Self {
            plan,
            status: NodeStatus::Pending,
            reason: None,
            degraded: None,
            fallback: None,
            visits: Vec::new(),
            model: None,
            tokens: 0,
            cost: None,
            calls_of_unknown_cost: 0,
            headline: None,
        }
    }

    /// A question of the node was answered.
    pub(super) fn end_wait(&mut self, answer: &Answer) {
        let is_working = self.visits.last().is_some_and(|visit| visit.duration_ms.is_none());
        self.reason = None;
        self.status = match answer {
            _ if is_working => NodeStatus::Running,
            Answer::Approved { .. } => NodeStatus::Ready,
            _ if self.visits.is_empty() => NodeStatus::Pending,
            _ => NodeStatus::Succeeded,
        };
    }

    /// A run that the node started asks people, or does not any more.
    pub(super) fn wait_with_sub_run(&mut self, prompt: Option<String>) {
        let is_working = self.visits.last().is_some_and(|visit| visit.duration_ms.is_none());
        if is_working {
            self.status = if prompt.is_some() { NodeStatus::Waiting } else { NodeStatus::Running };
            self.reason = prompt;
        }
    }

    pub(super) fn begin_visit(&mut self, number: u32, at: Timestamp, inherited: bool) {
        self.status = NodeStatus::Running;
        self.reason = None;
        let visit = Visit { number, started_at: at, duration_ms: None, failed: false, inherited };
        match self.visits.last_mut() {
            // Repeated after a crash: the first attempt's time is lost with its server.
            Some(last) if last.number == number => *last = visit,
            _ => self.visits.push(visit),
        }
    }

    pub(super) fn end_visit(&mut self, finished: &NodeFinished) {
        self.status = finished.status;
        self.reason.clone_from(&finished.reason);
        self.degraded.clone_from(&finished.degraded);
        if let Some(visit) = self.visits.last_mut() {
            visit.duration_ms = Some(finished.duration_ms);
            visit.failed = finished.status == NodeStatus::Failed;
        }
    }

    pub(super) fn count_call(&mut self, finished: &CallFinished) {
        self.model = Some(finished.model.clone());
        self.fallback = finished.fallback_note().or(self.fallback.take());
        let mut used = Totals::default();
        used.count_call(finished);
        self.tokens = self.tokens.saturating_add(used.tokens());
        self.calls_of_unknown_cost = self.calls_of_unknown_cost.saturating_add(used.calls_of_unknown_cost);
        if used.calls_of_unknown_cost == 0 || !used.cost.is_zero() {
            self.cost = self.cost.unwrap_or_default().checked_add(used.cost);
        }
        if let Some(line) = headline(finished.answer.shown()) {
            self.headline = Some(line);
        }
    }
}

/// The first line of prose in a Markdown text, without its markup.
pub(super) fn headline(markdown: &str) -> Option<String> {
    markdown
        .lines()
        .map(|line| line.trim().trim_start_matches(['-', '*', '>', ' ']))
        .find(|line| !line.is_empty() && !line.starts_with(['#', '|', '`', '{', '[']))
        .map(|line| line.replace("**", "").replace('`', "").chars().take(140).collect())
}
