use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use journal::{Epoch, Journal, JournalError};
use protocol::{
    AccountId, Body, CallFinished, CallId, Event, Growth, Heard, NewEvent, NodeId, Origin, RunId, RunRequest,
    RunStarted, Timestamp,
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::{
    Allowances, GraphError, Message, NodeError, allowance,
    live::{CallInFlight, EndedCall},
    log_writer::{Events, LogWriter},
    progress::Progress,
    queue::Slot,
    run_graph::RunGraph,
    waits::Waits,
};

/// One run's log, claimed for writing, with the progress that its events fold to.
pub(crate) struct RunLog {
    pub run: RunId,
    pub request: RunRequest,
    pub started_at: Timestamp,
    journal: Journal,
    epoch: Epoch,
    progress: Arc<Mutex<Progress>>,
    writer: LogWriter,
    pub account: Account,
    /// The run's slot in the queue.
    pub slot: Slot,
    /// The run that started this one, whose limits bound both.
    parent: Option<Arc<RunLog>>,
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
    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    pub async fn begin(
        journal: Journal,
        run: RunId,
        started: RunStarted,
        graph: RunGraph,
        taken_over: Vec<NewEvent>,
        account: Account,
        slot: Slot,
        parent: Option<Arc<Self>>,
    ) -> Result<Arc<Self>, JournalError> {
        let epoch = journal.claim(run).await?;
        let at = now();
        let request = started.request.clone();
        let plan = std::iter::once(Body::RunStarted(started)).chain(graph.announcement());
        let mut events: Vec<_> = plan.map(|body| NewEvent { at, node: None, body }).collect();
        let mut progress = Progress::planned(graph, request.approval.clone());
        for event in &taken_over {
            let mut event = event.clone();
            make_whole(&journal, &mut event.body).await?;
            progress.apply(event.at, event.node.as_ref(), &event.body);
        }
        progress.inherit();
        events.extend(taken_over);
        journal.append(run, epoch, events).await?;
        Ok(Self::new(journal, epoch, run, request, at, progress, account, slot, parent))
    }

    /// Resumes a run from its log. Events taken over from its origin do not count as its own.
    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    pub async fn resume(
        journal: Journal,
        run: RunId,
        request: RunRequest,
        origin: Option<&Origin>,
        graph: RunGraph,
        account: Account,
        slot: Slot,
        parent: Option<Arc<Self>>,
    ) -> Result<Arc<Self>, JournalError> {
        let epoch = journal.claim(run).await?;
        let mut progress = Progress::planned(graph, request.approval.clone());
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
                progress.apply(at, node.as_ref(), &body);
                if origin.is_some_and(|origin| origin.through == seq) {
                    progress.inherit();
                }
            }
        }
        Ok(Self::new(journal, epoch, run, request, started_at, progress, account, slot, parent))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    fn new(
        journal: Journal,
        epoch: Epoch,
        run: RunId,
        request: RunRequest,
        started_at: Timestamp,
        progress: Progress,
        account: Account,
        slot: Slot,
        parent: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let progress = Arc::new(Mutex::new(progress));
        let writer = LogWriter::start(journal.clone(), run, epoch, progress.clone());
        Arc::new(Self {
            run,
            request,
            started_at,
            journal,
            epoch,
            progress,
            writer,
            account,
            slot,
            parent,
            commits: TaskTracker::new(),
            waits: Waits::default(),
            answers: watch::Sender::default(),
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Appends events of `node`, and returns when they are durable and counted. While the disk cannot be
    /// written, it retries: the run pauses, and nothing is lost. Dropping the future cancels nothing.
    pub async fn append(&self, node: Option<&NodeId>, bodies: Vec<Body>) -> Result<(), JournalError> {
        self.writer.append(bodies.into_iter().map(|body| (node.cloned(), body)).collect()).await
    }

    /// The same for an event beside the run, which is allowed after its end.
    pub async fn append_beside(&self, body: Body) -> Result<(), JournalError> {
        self.writer.append_beside(vec![(None, body)]).await
    }

    /// Returns once all appends under way are counted in the progress. A reader of the log sees an event as
    /// soon as it is durable, which is a moment before that.
    pub async fn counted(&self) {
        // What was refused fails the run elsewhere.
        let _ = self.writer.flush().await;
    }

    /// Writes the run's end, which `end` makes from the final progress.
    pub async fn finish(
        &self,
        end: impl FnOnce(&Progress) -> Events + Send + 'static,
    ) -> Result<(), JournalError> {
        self.writer.end(Box::new(end)).await
    }

    /// Counts an event at once, and lets it be written before all that follows. Work that only computes goes
    /// on meanwhile; whatever leaves the process is appended after it, so that nothing of it is lost.
    pub fn stage(&self, node: &NodeId, body: Body) {
        self.stage_with(Some(node), body, None);
    }

    /// The same for an event of no node.
    pub fn stage_of_run(&self, body: Body) {
        self.stage_with(None, body, None);
    }

    /// The same for the end of a call, whose text stays live until it is written.
    pub fn stage_answer(&self, node: &NodeId, finished: CallFinished, live: CallInFlight) {
        self.stage_with(Some(node), Body::CallFinished(finished), Some(live.ended()));
    }

    fn stage_with(&self, node: Option<&NodeId>, body: Body, live: Option<EndedCall>) {
        let at = now();
        // Locked until it is queued, so that the progress counts in the order of the log.
        let mut progress = self.progress();
        progress.apply(at, node, &body);
        self.writer.stage(NewEvent { at, node: node.cloned(), body }, live);
    }

    /// Lets the graph grow as a node wants, unless it cannot. Checked and counted in one step, so that nodes side
    /// by side cannot add what does not fit together.
    pub fn grow(&self, node: &NodeId, growth: Growth) -> Result<(), GraphError> {
        let mut progress = self.progress();
        progress.graph.check_growth(&growth)?;
        let (at, body) = (now(), Body::Grown(growth));
        progress.apply(at, Some(node), &body);
        self.writer.stage(NewEvent { at, node: Some(node.clone()), body }, None);
        Ok(())
    }

    /// What people have told a node, at this place of its visit: as the log has it, or all that no visit has taken.
    pub fn hear(&self, node: &NodeId, look: CallId) -> Result<Vec<Message>, NodeError> {
        let mut progress = self.progress();
        if let Some(heard) = progress.heard(&look) {
            return Ok(heard);
        }
        if progress.is_known(&look) {
            return Err(NodeError::AnotherVersion(look));
        }
        let messages = u32::try_from(progress.waiting_messages(node)).unwrap_or(u32::MAX);
        let (at, body) = (now(), Body::Heard(Heard { look: look.clone(), messages }));
        progress.apply(at, Some(node), &body);
        self.writer.stage(NewEvent { at, node: Some(node.clone()), body }, None);
        Ok(progress.heard(&look).unwrap_or_default())
    }

    /// How many staged events are not durable yet. A large one counts as many.
    pub fn staged(&self) -> usize {
        self.writer.staged()
    }

    /// Returns once all staged events are durable.
    ///
    /// # Errors
    /// The journal refused one, such as a result that is too large: it is left out, a visit that ended with it
    /// has failed, and so has the run.
    pub async fn flush(&self) -> Result<(), JournalError> {
        self.writer.flush().await
    }

    /// The same, but does not make what is queued be written sooner.
    ///
    /// # Errors
    /// A staged event was refused.
    pub async fn written(&self) -> Result<(), JournalError> {
        self.writer.written().await
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
        let Account { id, allowances } = &self.account;
        let allowance = allowances.of(id);
        if self.parent.is_some() || allowance.bounds_spend() {
            // What others count of this run is what is written.
            self.flush().await?;
        }
        let mut bounding = Some(self);
        while let Some(log) = bounding {
            if let Some(limit) = log.own_limit_reached().await? {
                return Ok(Some(limit));
            }
            bounding = log.parent.as_deref();
        }
        allowance::limit_reached(&self.journal, id, &allowance).await
    }

    /// The same for the limits of this run alone, which bound those that it has started as well.
    async fn own_limit_reached(&self) -> Result<Option<String>, JournalError> {
        let limits = &self.request.limits;
        if limits.tokens.is_none() && limits.cost.is_none() {
            return Ok(None);
        }
        let (mut totals, open) = {
            let progress = self.progress();
            (progress.used_below(), progress.open_sub_runs())
        };
        for (_, run) in open {
            let summary = self.journal.summary(run).await?;
            totals.add(&summary.map(|summary| summary.own_totals()).unwrap_or_default());
        }
        if limits.tokens.is_some_and(|limit| totals.tokens() >= limit) {
            return Ok(Some(format!("The run used {} tokens, its limit.", totals.tokens())));
        }
        if limits.cost.is_some_and(|limit| totals.cost >= limit) {
            return Ok(Some(format!("The run cost ${}, its limit.", totals.cost)));
        }
        Ok(None)
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
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
            | Body::Grown(_)
            | Body::Told(_)
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
        | JournalError::OpenedToRead
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

/// The present moment.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
