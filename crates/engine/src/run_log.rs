use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use journal::{Epoch, Journal, JournalError};
use protocol::{
    AccountId, Body, Event, NewEvent, NodeFinished, NodeId, NodeStatus, Origin, Patch, RunId, RunRequest,
    RunStarted, Timestamp,
};
use tokio::sync::{RwLock, watch};
use tokio_util::task::TaskTracker;

use crate::{Allowances, Graph, allowance, progress::Progress, queue::Seat, waits::Waits};

/// One run's log, claimed for writing, with the progress that its events fold to.
pub(crate) struct RunLog {
    pub run: RunId,
    pub request: RunRequest,
    pub graph: Graph,
    pub started_at: Timestamp,
    journal: Journal,
    epoch: Epoch,
    progress: Mutex<Progress>,
    /// Events that the progress counts already and that are not written yet.
    staged: Mutex<Vec<(Option<NodeId>, Body)>>,
    /// Whether the run's end is written. An append holds the read lock until its events are both written and
    /// counted; the end takes the write lock, so that its totals leave out no event of the log.
    over: RwLock<bool>,
    pub account: Account,
    /// The run's slot in the queue.
    pub seat: Seat,
    /// Tracks work that a stop must wait for.
    pub commits: TaskTracker,
    /// Which nodes only wait for people.
    pub waits: Waits,
    /// Wakes nodes when an answer came; the value has no meaning.
    pub answers: watch::Sender<u64>,
}

/// The account that owns the run, and its allowances.
pub(crate) struct Account {
    pub id: AccountId,
    pub allowances: Arc<dyn Allowances>,
}

impl RunLog {
    /// Begins a new run: its start, its plan and what it takes over are one append.
    pub async fn begin(
        journal: Journal,
        run: RunId,
        started: RunStarted,
        graph: Graph,
        taken_over: Vec<NewEvent>,
        account: Account,
        seat: Seat,
    ) -> Result<Arc<Self>, JournalError> {
        let epoch = journal.claim(run).await?;
        let at = now();
        let mut progress = Progress::planned(&graph, started.request.approval.clone());
        for event in &taken_over {
            let mut event = event.clone();
            make_whole(&journal, &mut event.body).await?;
            progress.apply(&graph, event.at, event.node.as_ref(), &event.body);
        }
        progress.inherit();
        let request = started.request.clone();
        let plan = std::iter::once(Body::RunStarted(started)).chain(graph.announcement());
        let plan = plan.map(|body| NewEvent { at, node: None, body });
        journal.append(run, epoch, plan.chain(taken_over).collect()).await?;
        Ok(Self::new(journal, epoch, run, request, graph, at, progress, account, seat))
    }

    /// Resumes a run from its log. Events taken over from its origin do not count as its own.
    pub async fn resume(
        journal: Journal,
        run: RunId,
        request: RunRequest,
        origin: Option<&Origin>,
        graph: Graph,
        account: Account,
        seat: Seat,
    ) -> Result<Arc<Self>, JournalError> {
        let epoch = journal.claim(run).await?;
        let mut progress = Progress::planned(&graph, request.approval.clone());
        let mut started_at = Timestamp::default();
        let mut after = 0;
        loop {
            let events = journal.read(run, after, 512).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for Event { seq, at, node, mut body, .. } in events {
                if seq == 1 {
                    started_at = at;
                }
                make_whole(&journal, &mut body).await?;
                progress.apply(&graph, at, node.as_ref(), &body);
                if origin.is_some_and(|origin| origin.through == seq) {
                    progress.inherit();
                }
            }
        }
        Ok(Self::new(journal, epoch, run, request, graph, started_at, progress, account, seat))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    fn new(
        journal: Journal,
        epoch: Epoch,
        run: RunId,
        request: RunRequest,
        graph: Graph,
        started_at: Timestamp,
        progress: Progress,
        account: Account,
        seat: Seat,
    ) -> Arc<Self> {
        Arc::new(Self {
            run,
            request,
            graph,
            started_at,
            journal,
            epoch,
            progress: Mutex::new(progress),
            staged: Mutex::default(),
            over: RwLock::new(false),
            account,
            seat,
            commits: TaskTracker::new(),
            waits: Waits::default(),
            answers: watch::Sender::default(),
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Appends events of `node`, and returns when they are durable. While the disk cannot be written, it
    /// retries: the run pauses, and nothing is lost.
    ///
    /// Writing and counting are one step, which dropping the future does not cut in two.
    pub async fn append(
        self: &Arc<Self>,
        node: Option<&NodeId>,
        bodies: Vec<Body>,
    ) -> Result<(), JournalError> {
        let events: Vec<_> = bodies.into_iter().map(|body| (node.cloned(), body)).collect();
        let log = self.clone();
        undropped(async move {
            let over = log.over.read().await;
            if *over {
                return Err(JournalError::Finished(log.run));
            }
            log.write_and_count(&events).await
        })
        .await
    }

    /// The same for an event beside the run, which is allowed after its end.
    pub async fn append_beside(self: &Arc<Self>, body: Body) -> Result<(), JournalError> {
        let log = self.clone();
        undropped(async move {
            let _over = log.over.read().await;
            log.write_and_count(&[(None, body)]).await
        })
        .await
    }

    /// Returns once all appends under way are counted in the progress. A reader of the log sees an event as
    /// soon as it is durable, which is a moment before that.
    pub async fn counted(&self) {
        drop(self.over.write().await);
    }

    /// Writes the run's end, which `end` makes from the final progress.
    pub async fn finish(
        &self,
        end: impl FnOnce(&Progress) -> Vec<(Option<NodeId>, Body)>,
    ) -> Result<(), JournalError> {
        let mut over = self.over.write().await;
        let events = end(&self.progress());
        self.write_and_count(&events).await?;
        *over = true;
        Ok(())
    }

    /// Counts an event at once, to be written by the next [`RunLog::flush`]. What the executor decides
    /// between two waits is one append, and nothing begins before it is durable.
    pub fn stage(&self, node: &NodeId, body: Body) {
        self.count(now(), Some(node), &body);
        self.staged().push((Some(node.clone()), body));
    }

    /// Writes the staged events. One that the journal refuses, such as a result that is too large, is left
    /// out, and a visit that ended with it has failed.
    pub async fn flush(&self) -> Result<(), JournalError> {
        let events = std::mem::take(&mut *self.staged());
        if events.is_empty() {
            return Ok(());
        }
        let written = self.write(now(), &events).await;
        if let Err(refusal) = &written
            && !leaves_run(refusal)
        {
            for event in events {
                self.write_or_fail(event).await?;
            }
        }
        written
    }

    async fn write_or_fail(&self, (node, body): (Option<NodeId>, Body)) -> Result<(), JournalError> {
        match (self.write(now(), &[(node.clone(), body.clone())]).await, body) {
            (Err(refusal), Body::NodeFinished(finished)) if !leaves_run(&refusal) => {
                let failed = NodeFinished {
                    status: NodeStatus::Failed,
                    reason: Some(refusal.to_string()),
                    patch: Patch::new(),
                    ..finished
                };
                self.write(now(), &[(node, Body::NodeFinished(failed))]).await
            }
            (Err(refusal), _) if !leaves_run(&refusal) => Ok(()),
            (written, _) => written,
        }
    }

    async fn write_and_count(&self, events: &[(Option<NodeId>, Body)]) -> Result<(), JournalError> {
        let at = now();
        self.write(at, events).await?;
        for (node, body) in events {
            self.count(at, node.as_ref(), body);
        }
        Ok(())
    }

    fn count(&self, at: Timestamp, node: Option<&NodeId>, body: &Body) {
        self.progress().apply(&self.graph, at, node, body);
    }

    fn staged(&self) -> MutexGuard<'_, Vec<(Option<NodeId>, Body)>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, at: Timestamp, events: &[(Option<NodeId>, Body)]) -> Result<(), JournalError> {
        let new_events = || events.iter().cloned().map(|(node, body)| NewEvent { at, node, body }).collect();
        self.journal.append_patiently(self.run, self.epoch, new_events).await.map(drop)
    }

    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit that the run has reached, as a sentence. What it took over from its origin counts for none
    /// of its own limits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn limit_reached(&self) -> Result<Option<String>, JournalError> {
        let limits = &self.request.limits;
        let totals = self.progress().own_totals();
        if limits.tokens.is_some_and(|limit| totals.tokens() >= limit) {
            return Ok(Some(format!("The run used {} tokens, its limit.", totals.tokens())));
        }
        if limits.cost.is_some_and(|limit| totals.cost >= limit) {
            return Ok(Some(format!("The run cost ${}, its limit.", totals.cost)));
        }
        let Account { id, allowances } = &self.account;
        allowance::limit_reached(&self.journal, id, &allowances.of(id)).await
    }

    /// The wall time that is left, if it is limited.
    pub fn time_left(&self) -> Option<Duration> {
        let allowed = Duration::from_secs(self.request.limits.seconds?);
        Some(allowed.saturating_sub(Duration::from_millis(now().since(self.started_at))))
    }
}

/// Loads the texts that the fold needs; prompts and reports are not needed.
async fn make_whole(journal: &Journal, body: &mut Body) -> Result<(), JournalError> {
    let is_needed = matches!(
        body,
        Body::CallFinished(_)
            | Body::ToolReturned(_)
            | Body::NodeFinished(_)
            | Body::InputRequested(_)
            | Body::InputReceived(_)
            | Body::StateEdited(_)
    );
    if is_needed {
        for text in body.texts_mut() {
            if text.stored().is_some() {
                *text = journal.resolve(text).await?.into();
            }
        }
    }
    Ok(())
}

/// Whether this error means that the engine no longer owns the run: its claim is fenced off, it is over, or
/// the journal has ended. Any other error refuses one append and fails the run. Errors that may pass are
/// retried before.
pub(crate) fn leaves_run(error: &JournalError) -> bool {
    match error {
        JournalError::Fenced(_)
        | JournalError::Finished(_)
        | JournalError::Closed
        | JournalError::Dead(_) => true,
        JournalError::AtWork(_)
        | JournalError::NoSuchRun(_)
        | JournalError::OutOfOrder(_)
        | JournalError::NoSuchText(_)
        | JournalError::TooLarge { .. }
        | JournalError::InUse(_)
        | JournalError::File(_)
        | JournalError::Corrupt(_)
        | JournalError::Full
        | JournalError::ReadOnly
        | JournalError::Unwritable
        | JournalError::Refused(_)
        | JournalError::Panicked(_)
        | JournalError::Database(_)
        | JournalError::Unreadable(_) => false,
    }
}

/// Runs work in a task of its own, so that dropping the future that awaits it does not cancel it.
async fn undropped(
    work: impl Future<Output = Result<(), JournalError>> + Send + 'static,
) -> Result<(), JournalError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(JournalError::Closed),
        },
    }
}

/// The present moment.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
