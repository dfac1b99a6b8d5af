use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use journal::{Journal, JournalError};
use llm::ChatModel;
use protocol::{Body, RunFinished, RunId, RunRequest, RunStatus};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    Graph, GraphError, LiveCalls,
    execution::{Ending, Execution},
    run_log::RunLog,
};

/// A run's graph, and the model that answers in it.
pub struct Plan {
    /// The graph.
    pub graph: Graph,
    /// The model.
    pub model: Arc<dyn ChatModel>,
}

/// Makes plans of requests. The same request must give the same graph.
pub trait Workflows: Send + Sync {
    /// Plans a run.
    ///
    /// # Errors
    /// A sentence that says why the request cannot be run.
    fn plan(&self, run: RunId, request: &RunRequest) -> Result<Plan, String>;
}

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Runs that work at the same time; further ones are queued.
    pub concurrent_runs: usize,
    /// Runs that may be queued or working; further ones are refused.
    pub accepted_runs: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { concurrent_runs: 8, accepted_runs: 256 }
    }
}

/// Why the engine refuses.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be run.
    #[error("{0}")]
    Refused(String),
    /// The workflow's graph is wrong.
    #[error("The workflow cannot be run: {0}")]
    Graph(#[from] GraphError),
    /// The run is over, or was never started.
    #[error("The run is not active, so it cannot be stopped.")]
    NotActive,
    /// Too many runs.
    #[error(
        "{0} runs are working or queued, the most that this server accepts. Wait for one to end, or stop one."
    )]
    Full(usize),
    /// The log cannot be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

/// Starts, stops and resumes runs. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    journal: Journal,
    workflows: Arc<dyn Workflows>,
    options: EngineOptions,
    places: Semaphore,
    active: Mutex<HashMap<RunId, Active>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// A run that is queued or at work.
#[derive(Clone)]
struct Active {
    live: Arc<LiveCalls>,
    stop: CancellationToken,
    stopped: Arc<Mutex<Option<String>>>,
}

impl Engine {
    /// An engine with no runs. Call [`Engine::resume`] before anything else is started.
    pub fn new(journal: Journal, workflows: Arc<dyn Workflows>, options: EngineOptions) -> Self {
        Self(Arc::new(Shared {
            journal,
            workflows,
            places: Semaphore::new(options.concurrent_runs),
            options,
            active: Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }))
    }

    /// Starts a run; it is in the log when this returns.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn start(&self, request: RunRequest) -> Result<RunId, EngineError> {
        if self.active().len() >= self.0.options.accepted_runs {
            return Err(EngineError::Full(self.0.options.accepted_runs));
        }
        let run = RunId(Uuid::now_v7());
        let plan = self.0.workflows.plan(run, &request).map_err(EngineError::Refused)?;
        plan.graph.validate()?;
        let log = RunLog::begin(self.0.journal.clone(), run, request, plan.graph).await?;
        self.launch(log, plan.model, false);
        Ok(run)
    }

    /// Stops a run: no further call begins, and those in flight are dropped. `by` and the
    /// reason are kept in the log.
    ///
    /// # Errors
    /// [`EngineError::NotActive`].
    pub fn stop(&self, run: RunId, by: &str, reason: Option<&str>) -> Result<(), EngineError> {
        let active = self.active().get(&run).cloned().ok_or(EngineError::NotActive)?;
        let words = match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
            Some(reason) => format!("Stopped by {by}: {reason}"),
            None => format!("Stopped by {by}."),
        };
        // The first stop counts.
        active.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(words);
        active.stop.cancel();
        Ok(())
    }

    /// Takes up all runs that an earlier server left unfinished. Returns how many.
    ///
    /// # Errors
    /// The log cannot be read or written. A run that cannot be planned any more ends as failed.
    pub async fn resume(&self) -> Result<usize, EngineError> {
        let unfinished = self.0.journal.unfinished().await?;
        let count = unfinished.len();
        // Oldest first, as they were started.
        for summary in unfinished.into_iter().rev() {
            self.resume_run(summary.run, summary.request).await?;
        }
        Ok(count)
    }

    /// The text of the run's calls in flight; `None` if the run is not active.
    pub fn live(&self, run: RunId) -> Option<Arc<LiveCalls>> {
        self.active().get(&run).map(|active| active.live.clone())
    }

    /// Ends all work at once and leaves the runs to be resumed.
    pub async fn shut_down(&self) {
        self.0.shutdown.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    async fn resume_run(&self, run: RunId, request: RunRequest) -> Result<(), EngineError> {
        let plan = match self.0.workflows.plan(run, &request) {
            Ok(plan) if self.is_as_planned(run, &plan.graph).await? => plan,
            Ok(_) => {
                let why = "The run was planned by another version of Pitwall and cannot be continued. Start it again.";
                return self.give_up(run, why).await;
            }
            Err(why) => return self.give_up(run, &format!("The run cannot be continued: {why}")).await,
        };
        let log = RunLog::resume(self.0.journal.clone(), run, request, plan.graph).await?;
        self.launch(log, plan.model, true);
        Ok(())
    }

    /// Whether the log's planned nodes are those of `graph`.
    async fn is_as_planned(&self, run: RunId, graph: &Graph) -> Result<bool, JournalError> {
        let planned = u32::try_from(1 + graph.announcement().count()).unwrap_or(u32::MAX);
        let events = self.0.journal.read(run, 0, planned).await?;
        let logged: BTreeSet<_> = events
            .iter()
            .filter_map(|event| match &event.body {
                Body::NodeAdded(plan) => Some(&plan.id),
                _ => None,
            })
            .collect();
        Ok(logged == graph.plans().iter().map(|plan| &plan.id).collect())
    }

    async fn give_up(&self, run: RunId, why: &str) -> Result<(), EngineError> {
        let epoch = self.0.journal.claim(run).await?;
        let totals = self.0.journal.summary(run).await?.map(|summary| summary.totals).unwrap_or_default();
        let finished = RunFinished { status: RunStatus::Failed, error: Some(why.to_owned()), totals };
        let event =
            protocol::NewEvent { at: crate::run_log::now(), node: None, body: Body::RunFinished(finished) };
        self.0.journal.append(run, epoch, vec![event]).await?;
        Ok(())
    }

    fn launch(&self, log: Arc<RunLog>, model: Arc<dyn ChatModel>, resumed: bool) {
        let active = Active { live: Arc::default(), stop: CancellationToken::new(), stopped: Arc::default() };
        let run = log.run;
        self.active().insert(run, active.clone());
        let execution = Execution { log, model, live: active.live, stop: active.stop };
        let engine = self.clone();
        self.0.tasks.spawn(async move {
            let work = engine.work(&execution, &active.stopped, resumed);
            let ended = tokio::select! {
                ended = work => ended,
                () = engine.0.shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::error!(%run, %error, "the run's log cannot be written; it is left to be resumed");
            }
            engine.active().remove(&run);
        });
    }

    async fn work(
        &self,
        execution: &Execution,
        stopped: &Mutex<Option<String>>,
        resumed: bool,
    ) -> Result<(), JournalError> {
        let mut ending = tokio::select! {
            biased;
            () = execution.stop.cancelled() => Ending { status: RunStatus::Cancelled, error: None },
            // The semaphore is never closed.
            _place = self.0.places.acquire() => execution.run(resumed).await?,
        };
        if ending.status == RunStatus::Cancelled {
            ending.error = stopped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        }
        execution.finish(ending).await
    }

    fn active(&self) -> MutexGuard<'_, HashMap<RunId, Active>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
