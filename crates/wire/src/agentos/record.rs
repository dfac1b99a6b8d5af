use protocol::{
    Date, Event, RunStatus, RunSummary,
    trading::{Analyst, Task},
};
use serde::Serialize;

use super::{Frame, SocketEvent, Stream};

/// What stands for every kind that AgentOS does not have.
const OTHER: &str = "other";

/// A run as `GET /api/run/` lists it; with its events, as `GET /api/run/{run_id}` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRecord {
    id: String,
    flow_id: String,
    short_rid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: RecordStatus,
    /// Seconds since 1970.
    created_at: f64,
    /// The account that the run belongs to.
    user_id: String,
    params: Parameters,
    rerun_seq: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<SocketEvent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// AgentOS's names for where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordStatus {
    /// Not yet working.
    Queued,
    /// Working, or waiting for a person.
    Running,
    /// Ended with a result.
    Completed,
    /// Ended by an error, a limit or a person.
    Failed,
}

impl From<RunStatus> for RecordStatus {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Queued => Self::Queued,
            RunStatus::Running | RunStatus::Waiting => Self::Running,
            RunStatus::Succeeded => Self::Completed,
            RunStatus::Failed | RunStatus::Cancelled => Self::Failed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Parameters {
    Pipeline { ticker: String, date: Date, analysts: Vec<Analyst>, flow_id: String },
    Portfolio { portfolio_id: String, date: Date, flow_id: String },
    Scan { date: Date, max_tickers: u32, flow_id: String },
    Auto { portfolio_id: String, date: Date, max_tickers: u32, force: bool, flow_id: String },
    Unknown { flow_id: String },
}

impl RunRecord {
    /// The record without its events.
    pub fn new(summary: &RunSummary) -> Self {
        let request = &summary.request;
        let flow_id = request.flow.to_string();
        // AgentOS starts its reflections from the command line: its interface has no run of the kind.
        let task = Task::of(&request.workflow).filter(|task| !matches!(task, Task::Reflect { .. }));
        let kind = task.as_ref().map_or(OTHER, Task::kind);
        let params = match task {
            Some(Task::Pipeline { ticker, date, analysts, .. }) => {
                Parameters::Pipeline { ticker: ticker.to_string(), date, analysts, flow_id: flow_id.clone() }
            }
            Some(Task::Portfolio { portfolio, date, .. }) => {
                Parameters::Portfolio { portfolio_id: portfolio.to_string(), date, flow_id: flow_id.clone() }
            }
            Some(Task::Scan { date, max_tickers, .. }) => {
                Parameters::Scan { date, max_tickers, flow_id: flow_id.clone() }
            }
            Some(Task::Auto { portfolio, date, max_tickers, force, .. }) => Parameters::Auto {
                portfolio_id: portfolio.to_string(),
                date,
                max_tickers,
                force,
                flow_id: flow_id.clone(),
            },
            // The original starts neither.
            Some(Task::Reflect { .. } | Task::Backtest(_) | Task::BacktestDay(_)) | None => {
                Parameters::Unknown { flow_id: flow_id.clone() }
            }
        };
        Self {
            id: summary.run.to_string(),
            short_rid: flow_id.clone(),
            flow_id,
            kind,
            status: summary.status.into(),
            created_at: summary.created_at.0 as f64 / 1000.0,
            user_id: summary.owner.to_string(),
            params,
            rerun_seq: 0,
            events: None,
            error: failure(summary.status, summary.error.as_deref()),
        }
    }

    /// The record with the events of the run's whole log and of those of the runs below it, in the order in which they
    /// happened; their texts should be whole, too.
    pub fn with_events(summary: &RunSummary, logs: &[Vec<Event>]) -> Self {
        let mut all = Vec::new();
        for log in logs {
            let mut stream = match log.first() {
                Some(first) if first.run != summary.run => Stream::of_run_below(first.run),
                _ => Stream::default(),
            };
            all.extend(log.iter().filter_map(|event| match stream.apply(event)? {
                Frame::Event(told) => Some((event.at, *told)),
                Frame::System(_) => None,
            }));
        }
        // What happened at the same moment stays in the order of its log.
        all.sort_by_key(|(at, _)| *at);
        let events = Some(all.into_iter().map(|(_, told)| told).collect());
        Self { events, ..Self::new(summary) }
    }
}

/// Why a run counts as failed; `None` if it does not.
pub(super) fn failure(status: RunStatus, error: Option<&str>) -> Option<String> {
    match (status, error) {
        (RunStatus::Failed, Some(error)) => Some(error.to_owned()),
        (RunStatus::Failed, None) => Some("No reason was recorded".to_owned()),
        (RunStatus::Cancelled, Some(reason)) => Some(format!("Stopped: {reason}")),
        (RunStatus::Cancelled, None) => Some("Stopped by a person".to_owned()),
        _ => None,
    }
}
