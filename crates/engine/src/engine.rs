mod error;
mod launch;
mod options;
mod plan;
mod question;
mod resume;
mod start;
mod steer;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use journal::Journal;
use protocol::{RunId, Stopped, WorkflowKind};
use tokio::sync::{OnceCell, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::plan::Planned;
pub use self::{
    error::EngineError,
    options::{EngineOptions, share_of},
    plan::{Plan, PlanError, Workflows},
};
use crate::{
    Allowances, LiveCalls, admission::Admission, chat::RunChat, command::Commands, queue::Queue,
    run_log::RunLog,
};

/// Starts, steers and resumes runs. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    journal: Journal,
    workflows: Arc<dyn Workflows>,
    allowances: Arc<dyn Allowances>,
    options: EngineOptions,
    queue: Arc<Queue>,
    admission: Arc<Admission>,
    /// Runs that are being repeated, and the runs that repeat them.
    re_runs: Mutex<HashMap<RunId, RunId>>,
    /// Runs that begin under an id that they had before.
    beginning: Mutex<BTreeSet<RunId>>,
    active: Mutex<HashMap<RunId, Active>>,
    chats: Mutex<HashMap<RunId, Weak<OnceCell<RunChat>>>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// A run that is queued or at work.
#[derive(Clone)]
struct Active {
    log: Arc<RunLog>,
    live: Arc<LiveCalls>,
    commands: Commands,
    stop: CancellationToken,
    stopped: Arc<Mutex<Option<Stopped>>>,
    /// Cancelled when the run's end is durable, or when its executor leaves it to be resumed.
    over: CancellationToken,
}

impl Engine {
    /// An engine with no runs. Call [`Engine::resume`] before anything else is started.
    pub fn new(
        journal: Journal,
        workflows: Arc<dyn Workflows>,
        allowances: Arc<dyn Allowances>,
        options: EngineOptions,
    ) -> Self {
        Self(Arc::new(Shared {
            journal,
            workflows,
            allowances,
            queue: Queue::new(options.concurrent_runs),
            options,
            admission: Arc::default(),
            re_runs: Mutex::default(),
            beginning: Mutex::default(),
            active: Mutex::default(),
            chats: Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }))
    }

    /// The live text of the run's calls in flight; `None` if neither its executor nor a question beside it
    /// is at work.
    pub fn live(&self, run: RunId) -> Option<Arc<LiveCalls>> {
        if let Some(active) = self.active().get(&run) {
            return Some(active.live.clone());
        }
        let cell = self.chats().get(&run).and_then(Weak::upgrade)?;
        cell.get().map(|run_chat| run_chat.live.clone())
    }

    /// Whether runs can be started; `false` once shut down.
    pub fn is_open(&self) -> bool {
        !self.0.shutdown.is_cancelled()
    }

    /// Whether runs of this kind can be planned.
    pub fn knows(&self, kind: &WorkflowKind) -> bool {
        self.0.workflows.knows(kind)
    }

    /// How many runs are queued, at work or waiting for people.
    pub fn active_runs(&self) -> usize {
        self.active().len()
    }

    /// The run's position in the queue, from 1; `None` if it does not wait for a place.
    pub fn place_in_queue(&self, run: RunId) -> Option<usize> {
        self.0.queue.position(run)
    }

    /// Wakes when positions in the queue may have changed; the value has no meaning.
    pub fn queue_changes(&self) -> watch::Receiver<u64> {
        self.0.queue.changes()
    }

    /// Cancels all executors at once and leaves their runs to be resumed.
    pub async fn shut_down(&self) {
        self.0.shutdown.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The log of a run that is at work.
    fn log_of(&self, run: RunId) -> Option<Arc<RunLog>> {
        self.active().get(&run).map(|active| active.log.clone())
    }

    fn active_run(&self, run: RunId) -> Result<Active, EngineError> {
        self.active().get(&run).cloned().ok_or(EngineError::NotActive)
    }

    fn active(&self) -> MutexGuard<'_, HashMap<RunId, Active>> {
        lock(&self.0.active)
    }

    fn chats(&self) -> MutexGuard<'_, HashMap<RunId, Weak<OnceCell<RunChat>>>> {
        lock(&self.0.chats)
    }
}

/// Each critical section leaves the value consistent at every statement, so a poisoned lock is still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
