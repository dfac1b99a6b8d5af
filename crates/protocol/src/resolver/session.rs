use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::request::TaskRequest;
use crate::{
    ChatView, FlowId, InvalidWorkflow, ModelChoice, RunId, RunStatus, RunSummary, RunView, StartRun,
    Timestamp, Totals,
};

/// A conversation about tasks: the tasks and the refinements of one flow, oldest first, with what was asked beside
/// them. It is stored nowhere: all of it follows from its runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSession {
    /// The flow, whose id is the session's.
    pub flow: FlowId,
    /// Its runs, oldest first; the last ones of a very long session.
    pub runs: Vec<SessionRun>,
}

/// A run of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRun {
    /// The run.
    pub run: RunId,
    /// What was asked for.
    pub request: TaskRequest,
    /// Which model answers.
    pub model: ModelChoice,
    /// Where it stands.
    pub status: RunStatus,
    /// The phase that works now, one of [`TaskPhase`].
    pub phase: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The headline of its report.
    pub result: Option<String>,
    /// What it used so far.
    pub totals: Totals,
}

/// A session as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskConversation {
    /// The session.
    pub session: TaskSession,
    /// What was asked beside each of its runs, with the answers.
    pub exchanges: BTreeMap<RunId, Vec<Arc<ChatView>>>,
    /// The last run, all of it; `None` in a session without any.
    pub last: Option<RunView>,
    /// The task that the last run's report rests on, where that is another run and still there.
    pub task: Option<RunView>,
}

/// The phases of the runs of this family, by the names that stand in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskPhase {
    /// The planner works.
    Plan,
    /// Steps are carried out.
    Steps,
    /// The report is written.
    Report,
    /// A report is written anew.
    Refinement,
}

impl TaskPhase {
    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "Plan",
            Self::Steps => "Steps",
            Self::Report => "Report",
            Self::Refinement => "Refinement",
        }
    }

    /// The phase of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plan, Self::Steps, Self::Report, Self::Refinement]
            .into_iter()
            .find(|phase| phase.name() == name)
    }
}

/// Where a session stands. What a message does depends on it: see [`TaskSession::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// Nothing was asked for yet.
    #[serde(rename = "idle")]
    Idle,
    /// A plan is made, or the task waits for its place.
    #[serde(rename = "planning")]
    Planning,
    /// Steps are carried out.
    #[serde(rename = "EXECUTING")]
    Executing,
    /// A report is written, for the first time or anew.
    #[serde(rename = "aggregating")]
    Aggregating,
    /// There is a report, which can be written anew.
    #[serde(rename = "REFINEMENT_READY")]
    RefinementReady,
    /// The last run failed or was stopped.
    #[serde(rename = "error")]
    Error,
}

impl SessionState {
    /// Where a session stands whose last run stands here.
    pub fn of(status: RunStatus, phase: Option<TaskPhase>, request: &TaskRequest) -> Self {
        match (status, phase, request) {
            (RunStatus::Succeeded, ..) => Self::RefinementReady,
            (RunStatus::Failed | RunStatus::Cancelled, ..) => Self::Error,
            // A refinement has no plan and no steps.
            (_, _, TaskRequest::Refinement { .. })
            | (_, Some(TaskPhase::Report | TaskPhase::Refinement), _) => Self::Aggregating,
            (_, Some(TaskPhase::Steps), _) => Self::Executing,
            (_, Some(TaskPhase::Plan) | None, _) => Self::Planning,
        }
    }

    /// The word on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Planning => "Planning",
            Self::Executing => "Executing",
            Self::Aggregating => "Writing the report",
            Self::RefinementReady => "Report ready",
            Self::Error => "Ended with an error",
        }
    }
}

/// What a message of a person is, by where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MessageMeaning {
    /// A new task.
    Task,
    /// A question beside this run, for the clarifier.
    Question {
        /// The run at work.
        run: RunId,
    },
    /// What is to be different in this run's report.
    Refinement {
        /// The run of the report.
        of: RunId,
    },
}

impl TaskSession {
    /// The most runs of a session that are shown and followed: the last ones.
    pub const MOST_RUNS: usize = 100;

    /// The session of a flow that has these runs, in any order. Runs of other families, those that other runs have
    /// started, and imported ones, which are looked at and never continued, are no part of it.
    pub fn new(flow: FlowId, runs: impl IntoIterator<Item = RunSummary>) -> Self {
        let mut runs: Vec<SessionRun> = runs.into_iter().filter_map(SessionRun::of).collect();
        // Ids sort by creation.
        runs.sort_by_key(|run| run.run);
        runs.dedup_by_key(|run| run.run);
        runs.drain(..runs.len().saturating_sub(Self::MOST_RUNS));
        Self { flow, runs }
    }

    /// Where it stands.
    pub fn state(&self) -> SessionState {
        self.runs.last().map_or(SessionState::Idle, SessionRun::state)
    }

    /// What a message is now.
    pub fn next(&self) -> MessageMeaning {
        self.next_in(self.state())
    }

    /// What a message is once the last run stands so. Where that came to nothing, a message is what it was asked: a
    /// task again, or the same report once more.
    pub fn next_in(&self, state: SessionState) -> MessageMeaning {
        let Some(last) = self.runs.last() else { return MessageMeaning::Task };
        match (state, &last.request) {
            (SessionState::RefinementReady, _) => MessageMeaning::Refinement { of: last.run },
            (SessionState::Error, TaskRequest::Refinement { of, .. }) => {
                MessageMeaning::Refinement { of: *of }
            }
            (SessionState::Error | SessionState::Idle, _) => MessageMeaning::Task,
            (SessionState::Planning | SessionState::Executing | SessionState::Aggregating, _) => {
                MessageMeaning::Question { run: last.run }
            }
        }
    }

    /// The last run that has a report.
    pub fn last_report(&self) -> Option<RunId> {
        let with_one = |run: &&SessionRun| run.status == RunStatus::Succeeded;
        self.runs.iter().rev().find(with_one).map(|run| run.run)
    }

    /// The run with this id, if it belongs to the session.
    pub fn run(&self, run: RunId) -> Option<&SessionRun> {
        self.runs.iter().find(|known| known.run == run)
    }

    /// The run that begins with a request, with the model of the last one.
    ///
    /// # Errors
    /// The texts are too long together.
    pub fn start(&self, request: TaskRequest) -> Result<StartRun, InvalidWorkflow> {
        let model = self.runs.last().map(|last| last.model.clone()).unwrap_or_default();
        Ok(StartRun { flow: Some(self.flow.clone()), model, ..StartRun::new(request.workflow()?) })
    }
}

impl SessionRun {
    /// A run as its session shows it; `None` for one that belongs to no session.
    pub fn of(summary: RunSummary) -> Option<Self> {
        if summary.parent.is_some() || summary.imported_from.is_some() || summary.unreadable.is_some() {
            return None;
        }
        let request = TaskRequest::read(&summary.request.workflow)?.ok()?;
        Some(Self {
            run: summary.run,
            request,
            model: summary.request.model,
            status: summary.status,
            phase: summary.phase,
            created_at: summary.created_at,
            finished_at: summary.finished_at,
            error: summary.error,
            result: summary.result,
            totals: summary.totals,
        })
    }

    /// Where a session stands of which this is the last run.
    pub fn state(&self) -> SessionState {
        let phase = self.phase.as_deref().and_then(TaskPhase::named);
        SessionState::of(self.status, phase, &self.request)
    }

    /// The task whose steps its report rests on: itself, for a task.
    pub fn task(&self) -> Option<RunId> {
        match &self.request {
            TaskRequest::Task { .. } => Some(self.run),
            TaskRequest::Refinement { task, .. } => *task,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Parent, RunRequest};

    fn run(number: u64) -> RunId {
        format!("0190f7d4-0000-7000-8000-{number:012}").parse().unwrap()
    }

    fn task() -> TaskRequest {
        TaskRequest::Task { request: "Compare them.".into(), context: String::new() }
    }

    fn refinement(of: u64) -> TaskRequest {
        TaskRequest::Refinement { of: run(of), instruction: "Shorter.".into(), task: Some(run(1)) }
    }

    fn stands(number: u64, request: TaskRequest, status: RunStatus, phase: Option<&str>) -> RunSummary {
        let heading = request.heading();
        let request = RunRequest::new(request.workflow().unwrap(), "talk".parse().unwrap());
        let summary = RunSummary::new(run(number), request, heading, Timestamp(0));
        RunSummary { status, phase: phase.map(str::to_owned), ..summary }
    }

    fn session(runs: Vec<RunSummary>) -> TaskSession {
        TaskSession::new("talk".parse().unwrap(), runs)
    }

    #[test]
    fn where_a_session_stands_follows_from_its_last_run() {
        use RunStatus::{Cancelled, Failed, Queued, Running, Succeeded, Waiting};
        assert_eq!(session(Vec::new()).state(), SessionState::Idle);
        for (status, phase, state) in [
            (Queued, None, SessionState::Planning),
            (Running, Some("Plan"), SessionState::Planning),
            (Running, Some("Steps"), SessionState::Executing),
            (Waiting, Some("Steps"), SessionState::Executing),
            (Running, Some("Report"), SessionState::Aggregating),
            (Succeeded, None, SessionState::RefinementReady),
            (Failed, None, SessionState::Error),
            (Cancelled, None, SessionState::Error),
        ] {
            assert_eq!(
                session(vec![stands(1, task(), status, phase)]).state(),
                state,
                "{status:?} {phase:?}"
            );
        }
        let refined = stands(2, refinement(1), Queued, None);
        let done = stands(1, task(), Succeeded, None);
        assert_eq!(session(vec![refined, done]).state(), SessionState::Aggregating, "the last by its id");
    }

    #[test]
    fn a_message_begins_asks_or_refines_by_where_the_session_stands() {
        use MessageMeaning::{Question, Refinement, Task};
        use RunStatus::{Failed, Running, Succeeded};
        assert_eq!(session(Vec::new()).next(), Task);
        assert_eq!(session(vec![stands(1, task(), Running, Some("Plan"))]).next(), Question { run: run(1) });
        let done = stands(1, task(), Succeeded, None);
        assert_eq!(session(vec![done.clone()]).next(), Refinement { of: run(1) });
        let again = |status| session(vec![done.clone(), stands(2, refinement(1), status, None)]).next();
        assert_eq!(again(Running), Question { run: run(2) });
        assert_eq!(again(Succeeded), Refinement { of: run(2) });
        assert_eq!(again(Failed), Refinement { of: run(1) }, "the report that there is");
        assert_eq!(session(vec![stands(1, task(), Failed, None)]).next(), Task);
    }

    #[test]
    fn a_session_has_the_tasks_and_refinements_that_its_owner_began_here() {
        let own = stands(1, task(), RunStatus::Succeeded, None);
        let parent = Parent { run: run(9), call: "a:1:1".parse().unwrap() };
        let below = RunSummary { parent: Some(parent), ..stands(2, task(), RunStatus::Running, None) };
        let imported =
            RunSummary { imported_from: Some(run(8)), ..stands(3, task(), RunStatus::Failed, None) };
        let runs = session(vec![below, imported, own]).runs;
        assert_eq!(runs.iter().map(|run| run.run).collect::<Vec<_>>(), [run(1)]);
    }

    #[test]
    fn a_very_long_session_is_its_last_runs() {
        let runs = (1..=150).map(|number| stands(number, task(), RunStatus::Succeeded, None)).collect();
        let runs = session(runs).runs;
        assert_eq!((runs.len(), runs[0].run), (100, run(51)));
    }

    #[test]
    fn states_have_the_names_of_the_wire() {
        let names = [
            (SessionState::Idle, "idle"),
            (SessionState::Planning, "planning"),
            (SessionState::Executing, "EXECUTING"),
            (SessionState::Aggregating, "aggregating"),
            (SessionState::RefinementReady, "REFINEMENT_READY"),
            (SessionState::Error, "error"),
        ];
        for (state, name) in names {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }
}
