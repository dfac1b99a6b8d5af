use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use journal::{Epoch, Journal, JournalError};
use protocol::{AccountId, Body, Event, NewEvent, NodeId, RunId, RunRequest, RunStarted, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use crate::{Allowances, Graph, progress::Progress, queue::Seat, spend::Spend};

/// One run's log as its only owner writes it, with the progress that it adds up to.
pub(crate) struct RunLog {
    pub run: RunId,
    pub request: RunRequest,
    pub graph: Graph,
    pub started_at: Timestamp,
    journal: Journal,
    epoch: Epoch,
    progress: Mutex<Progress>,
    /// What counts already and is still to be written.
    staged: Mutex<Vec<(Option<NodeId>, Body)>>,
    pub account: Account,
    /// The run's place among those at work.
    pub seat: Seat,
    /// Work that a stop must not cut in two.
    pub commits: TaskTracker,
    /// Nodes that wait for people.
    pub waiting: AtomicUsize,
    /// Tells the executor that a node began or ended to wait.
    pub waits: Notify,
    /// Tells nodes that people answered; the value means nothing.
    pub answers: watch::Sender<u64>,
}

/// Whose run it is, and what that account may use.
pub(crate) struct Account {
    pub id: AccountId,
    pub spend: Arc<Spend>,
    pub allowances: Arc<dyn Allowances>,
}

impl RunLog {
    /// Plans a new run: its start, its whole graph and what it takes over are one entry in the log.
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
            progress.apply(&graph, event.node.as_ref(), &event.body);
        }
        let request = started.request.clone();
        let plan = std::iter::once(Body::RunStarted(started)).chain(graph.announcement());
        let plan = plan.map(|body| NewEvent { at, node: None, body });
        journal.append(run, epoch, plan.chain(taken_over).collect()).await?;
        Ok(Self::new(journal, epoch, run, request, graph, at, progress, account, seat))
    }

    /// Takes over a run from its log.
    pub async fn resume(
        journal: Journal,
        run: RunId,
        request: RunRequest,
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
                progress.apply(&graph, node.as_ref(), &body);
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
            account,
            seat,
            commits: TaskTracker::new(),
            waiting: AtomicUsize::new(0),
            waits: Notify::new(),
            answers: watch::Sender::default(),
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Appends events that belong to `node` and returns when they are durable. While the
    /// disk refuses, it tries again: the run pauses, and nothing is lost.
    pub async fn append(&self, node: Option<&NodeId>, bodies: Vec<Body>) -> Result<(), JournalError> {
        self.append_each(bodies.into_iter().map(|body| (node.cloned(), body)).collect()).await
    }

    /// The same for events of several nodes, as one entry.
    pub async fn append_each(&self, events: Vec<(Option<NodeId>, Body)>) -> Result<(), JournalError> {
        self.write(&events).await?;
        for (node, body) in &events {
            self.count(node.as_ref(), body);
        }
        Ok(())
    }

    /// Lets an event count at once, to be written with the next [`RunLog::flush`]: what the executor
    /// decides between two waits is one entry in the log, and nothing begins before it is durable.
    pub fn stage(&self, node: &NodeId, body: Body) {
        self.count(Some(node), &body);
        self.staged().push((Some(node.clone()), body));
    }

    /// Writes what was staged.
    pub async fn flush(&self) -> Result<(), JournalError> {
        let events = std::mem::take(&mut *self.staged());
        if events.is_empty() { Ok(()) } else { self.write(&events).await }
    }

    fn count(&self, node: Option<&NodeId>, body: &Body) {
        self.account.spend.count(body);
        self.progress().apply(&self.graph, node, body);
    }

    fn staged(&self) -> MutexGuard<'_, Vec<(Option<NodeId>, Body)>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, events: &[(Option<NodeId>, Body)]) -> Result<(), JournalError> {
        let at = now();
        let new_events = || events.iter().cloned().map(|(node, body)| NewEvent { at, node, body }).collect();
        self.journal.append_patiently(self.run, self.epoch, new_events).await.map(drop)
    }

    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit that the run has reached, in words.
    pub fn limit_reached(&self) -> Option<String> {
        let limits = &self.request.limits;
        let progress = self.progress();
        let totals = &progress.totals;
        if limits.tokens.is_some_and(|limit| totals.tokens() >= limit) {
            return Some(format!("The run used {} tokens, its limit.", totals.tokens()));
        }
        if limits.cost.is_some_and(|limit| totals.cost >= limit) {
            return Some(format!("The run cost ${}, its limit.", totals.cost));
        }
        drop(progress);
        self.account.spend.limit_reached(&self.account.allowances.of(&self.account.id))
    }

    /// How long the run may go on, if its wall time is limited.
    pub fn time_left(&self) -> Option<Duration> {
        let allowed = Duration::from_secs(self.request.limits.seconds?);
        Some(allowed.saturating_sub(Duration::from_millis(now().since(self.started_at))))
    }
}

/// Fetches the texts that the fold needs; prompts and reports it does not.
async fn make_whole(journal: &Journal, body: &mut Body) -> Result<(), JournalError> {
    let is_needed = matches!(
        body,
        Body::CallFinished(_)
            | Body::ToolReturned(_)
            | Body::NodeFinished(_)
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

/// The present moment.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
