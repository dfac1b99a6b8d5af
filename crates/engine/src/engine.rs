use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicU32},
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt;
use journal::{Journal, JournalError};
use llm::ChatModel;
use protocol::{
    AccountId, Approval, Body, CallFinished, ChatAnswered, ForkPoint, ForkRun, Heading, InputReceived,
    NewEvent, NodeAdded, NodeId, Origin, Parent, RunFinished, RunId, RunRequest, RunStarted, RunSummary,
    StateEdited, Stopped, Text, Tier, Usage, Workflow, WorkflowKind,
};
use tokio::sync::{OnceCell, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    Allowances, Graph, GraphError, InputError, LiveCalls,
    admission::{Accepted, Admission, Bounds, Full},
    allowance,
    chat::Conversation,
    command::{Command, CommandError, Commands},
    execution::{DEFECT, Ending, Execution},
    fork::{ForkError, taken_over},
    queue::{Queue, Seat},
    run_graph::RunGraph,
    run_log::{Account, RunLog, now},
    sub_run,
};

/// How long a stop waits until the run's end is durable. It takes longer only while the disk cannot be
/// written.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What a run is to do: its parameters and its name, its graph, and the model that answers in it.
pub struct Plan {
    /// What was asked for, with everything that it names resolved. The log holds it in this form.
    pub workflow: Workflow,
    /// What the run is called.
    pub heading: Heading,
    /// The graph.
    pub graph: Graph,
    /// The model.
    pub model: Arc<dyn ChatModel>,
}

/// A run that can be started.
pub(crate) struct Planned {
    pub run: RunId,
    pub request: RunRequest,
    owner: AccountId,
    plan: Plan,
}

impl Planned {
    /// What the run is called.
    pub fn title(&self) -> &str {
        &self.plan.heading.title
    }
}

/// Why a run is not planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It cannot be run, in a sentence. For another account's property it must be the same sentence as for
    /// what does not exist.
    #[error("{0}")]
    Refused(String),
    /// What the request names cannot be read at the moment.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

/// Makes plans of requests. The same request must give the same graph.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Plans a run for its owner. Started, continued and resumed runs are all planned here, so this is where
    /// it is decided whether the owner may use what the request names.
    ///
    /// # Errors
    /// See [`PlanError`].
    async fn plan(&self, run: RunId, request: &RunRequest, owner: &AccountId) -> Result<Plan, PlanError>;

    /// Whether runs of this kind can be planned. Those of other kinds are left as they are: another
    /// version may go on with them.
    fn knows(&self, kind: &WorkflowKind) -> bool;

    /// The model that answers questions beside a run.
    fn model(&self, request: &RunRequest) -> Arc<dyn ChatModel>;
}

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Runs that work at the same time; further ones are queued.
    pub concurrent_runs: usize,
    /// Runs that may be queued or working, of all accounts together; further ones are refused.
    pub accepted_runs: usize,
    /// The same for each account, unless its allowance says otherwise.
    pub accepted_runs_per_account: usize,
    /// Runs of one account that may wait for people; while there are as many, further ones are refused.
    pub waiting_runs_per_account: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            concurrent_runs: 8,
            accepted_runs: 256,
            accepted_runs_per_account: share_of(256),
            waiting_runs_per_account: 1024,
        }
    }
}

/// One account's share of the accepted runs, where nothing else is set: a quarter, and at least 8.
pub fn share_of(accepted_runs: usize) -> usize {
    (accepted_runs / 4).max(8)
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
    #[error("The run is not active, so this cannot be done.")]
    NotActive,
    /// It has begun before.
    #[error("This run has begun already. Make a new one for another task.")]
    Begun,
    /// Another run repeats this one already.
    #[error("The run is being re-run by {0} already. Wait for that to end, or stop it.")]
    ReRunning(RunId),
    /// It cannot be continued there.
    #[error("{0}")]
    Fork(#[from] ForkError),
    /// The answer is not taken.
    #[error("{0}")]
    Input(#[from] InputError),
    /// Too many runs.
    #[error("{0}")]
    Full(#[from] Full),
    /// The log cannot be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl From<PlanError> for EngineError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(why) => Self::Refused(why),
            PlanError::Journal(error) => Self::Journal(error),
        }
    }
}

impl From<CommandError> for EngineError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Input(error) => Self::Input(error),
            CommandError::Journal(error) => Self::Journal(error),
            CommandError::Over => Self::NotActive,
        }
    }
}

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
    conversations: Mutex<HashMap<RunId, Weak<OnceCell<Conversation>>>>,
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
            conversations: Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }))
    }

    /// Starts a run for an account; it is in the log when this returns.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn start(&self, request: RunRequest, owner: AccountId) -> Result<RunId, EngineError> {
        let accepted = self.accept(&owner)?;
        let planned = self.plan(RunId(Uuid::now_v7()), request, owner).await?;
        self.begin(planned, None, Some(accepted), None).await
    }

    /// Starts a run under an id that was given to it before it began, at most once: the same again is refused, whoever
    /// asks first.
    ///
    /// # Errors
    /// [`EngineError::Begun`], and as [`Engine::start`].
    pub async fn start_reserved(
        &self,
        run: RunId,
        request: RunRequest,
        owner: AccountId,
    ) -> Result<(), EngineError> {
        let _beginning = Beginning::of(&self.0, run)?;
        if self.0.journal.summary(run).await?.is_some() {
            return Err(EngineError::Begun);
        }
        let accepted = self.accept(&owner)?;
        let planned = self.plan(run, request, owner).await?;
        self.begin(planned, None, Some(accepted), None).await.map(drop)
    }

    /// Starts a run below another one, with which it counts as one accepted run.
    pub(crate) async fn start_below(&self, planned: Planned, parent: Parent) -> Result<(), EngineError> {
        self.begin(planned, None, None, Some(parent)).await.map(drop)
    }

    /// Plans a run that is to be started, within what its owner may use.
    pub(crate) async fn plan(
        &self,
        run: RunId,
        request: RunRequest,
        owner: AccountId,
    ) -> Result<Planned, PlanError> {
        let allowed = self.0.allowances.of(&owner).run;
        let limits = request.limits.within(&allowed);
        let mut request = RunRequest { limits, ..request };
        let plan = self.0.workflows.plan(run, &request, &owner).await?;
        request.limits.steps = request.limits.steps.max(plan.graph.steps.min(allowed.steps));
        Ok(Planned { run, request, owner, plan })
    }

    /// The nodes that a run of this request would have for this owner, in their order.
    ///
    /// # Errors
    /// [`EngineError::Refused`], or what the request names cannot be read.
    pub async fn planned(
        &self,
        request: &RunRequest,
        owner: &AccountId,
    ) -> Result<Vec<NodeAdded>, EngineError> {
        let run = RunId(Uuid::now_v7());
        let plan = self.0.workflows.plan(run, request, owner).await?;
        Ok(plan.graph.plans)
    }

    /// Continues a run in a new one, which takes over what stays true of the old one's log.
    ///
    /// # Errors
    /// [`EngineError::Fork`], [`EngineError::ReRunning`], and as [`Engine::start`].
    pub async fn fork(&self, origin: RunId, fork: ForkRun, owner: AccountId) -> Result<RunId, EngineError> {
        let summary = self.0.journal.summary(origin).await?.ok_or(JournalError::NoSuchRun(origin))?;
        if summary.imported_from.is_some() {
            return Err(ForkError::Imported.into());
        }
        let request = RunRequest {
            workflow: fork.workflow.clone().unwrap_or(summary.request.workflow),
            model: fork.model.clone().unwrap_or(summary.request.model),
            limits: fork.limits.clone().unwrap_or(summary.request.limits),
            approval: fork.approval.clone().unwrap_or_default(),
            ..summary.request
        };
        let accepted = self.accept(&owner)?;
        let run = RunId(Uuid::now_v7());
        let planned = self.plan(run, request, owner).await?;
        // What makes one visit alone repeats nothing of the origin, and others may do the same meanwhile.
        let re_run = match planned.plan.graph.only {
            Some(_) => None,
            None => self.re_run(run, origin, &fork.point)?,
        };
        self.begin(planned, Some((origin, fork, re_run)), Some(accepted), None).await
    }

    async fn begin(
        &self,
        planned: Planned,
        fork: Option<(RunId, ForkRun, Option<ReRun>)>,
        accepted: Option<Accepted>,
        parent: Option<Parent>,
    ) -> Result<RunId, EngineError> {
        let Planned { run, request, owner, plan } = planned;
        let graph = RunGraph::new(plan.graph)?;
        let (re_run, origin, taken_over) = match fork {
            Some((origin, fork, re_run)) => {
                let (origin, taken_over) = self.inheritance(origin, fork, &graph, &owner).await?;
                (re_run, origin, taken_over)
            }
            None => (None, None, Vec::new()),
        };
        let (account, seat) = self.account(run, &owner, accepted);
        let request = RunRequest { workflow: plan.workflow, ..request };
        let above = parent.as_ref().and_then(|parent| self.log_of(parent.run));
        let started = RunStarted { owner, origin, parent, ..RunStarted::new(request, plan.heading) };
        let journal = self.0.journal.clone();
        let log = RunLog::begin(journal, run, started, graph, taken_over, account, seat, above).await?;
        self.launch(log, plan.model, re_run, false);
        Ok(run)
    }

    /// The events that a continued run takes over from its origin.
    async fn inheritance(
        &self,
        origin: RunId,
        fork: ForkRun,
        graph: &RunGraph,
        by: &AccountId,
    ) -> Result<(Option<Origin>, Vec<NewEvent>), EngineError> {
        let events = self.0.journal.whole(origin).await?;
        let other_questions = !fork.edits.is_empty() || fork.workflow.is_some();
        let mut events = taken_over(events, graph, &fork.point, other_questions)?;
        let planned = 1 + graph.announcement().count();
        let through = (planned + events.len()) as u64;
        if !fork.edits.is_empty() {
            let edited = StateEdited::new(fork.edits, by.clone());
            events.push(NewEvent { at: now(), node: None, body: Body::StateEdited(edited) });
        }
        Ok((Some(Origin { run: origin, point: fork.point, through }), events))
    }

    /// Registers that `run` repeats `origin`, if the fork point is a re-run.
    ///
    /// # Errors
    /// [`EngineError::ReRunning`]: another run does already.
    fn re_run(&self, run: RunId, origin: RunId, point: &ForkPoint) -> Result<Option<ReRun>, EngineError> {
        match point {
            ForkPoint::Before { .. } | ForkPoint::Phase { .. } | ForkPoint::End => {}
            ForkPoint::After { .. } => return Ok(None),
        }
        match lock(&self.0.re_runs).entry(origin) {
            Entry::Occupied(other) => Err(EngineError::ReRunning(*other.get())),
            Entry::Vacant(free) => {
                free.insert(run);
                Ok(Some(ReRun { engine: self.clone(), origin }))
            }
        }
    }

    /// Stops a run: no further call begins, and calls in flight are dropped. Returns whether the run's end is
    /// in the log, with who stopped it and why; `false`: it follows as soon as the disk can be written. A run
    /// without an executor, such as one that this version cannot plan, is ended as well.
    ///
    /// # Errors
    /// [`EngineError::NotActive`], or the log cannot be read or written.
    pub async fn stop(&self, run: RunId, by: AccountId, reason: Option<&str>) -> Result<bool, EngineError> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
        let stopped = Stopped { by, reason };
        let active = self.active().get(&run).cloned();
        let Some(active) = active else {
            let summary = self.0.journal.summary(run).await?;
            if summary.is_none_or(|summary| summary.status.is_over()) {
                return Err(EngineError::NotActive);
            }
            self.give_up(run, Ending::stopped(stopped)).await?;
            return Ok(true);
        };
        // The first stop wins.
        lock(&active.stopped).get_or_insert(stopped);
        active.stop.cancel();
        let is_over = tokio::time::timeout(STOP_PATIENCE, active.over.cancelled()).await.is_ok();
        // A shutdown cancels it too, but leaves runs to be resumed.
        Ok(is_over && self.0.journal.summary(run).await?.is_some_and(|summary| summary.status.is_over()))
    }

    /// Gives a person's answer to a question of a run; it is in the log when this returns. The
    /// first valid answer counts.
    ///
    /// # Errors
    /// [`EngineError::Input`], [`EngineError::NotActive`].
    pub async fn answer(&self, run: RunId, received: InputReceived) -> Result<(), EngineError> {
        Ok(self.active_run(run)?.commands.answer(received).await?)
    }

    /// Changes before which nodes a run pauses, and whether the runs that it has started pause before all of theirs.
    /// One of those that pauses before some of its nodes goes on doing so, unless it is to pause before all.
    ///
    /// # Errors
    /// [`EngineError::NotActive`].
    pub async fn set_approval(
        &self,
        run: RunId,
        approval: Approval,
        by: AccountId,
    ) -> Result<(), EngineError> {
        let active = self.active_run(run)?;
        active.commands.set_approval(approval.clone(), by.clone()).await?;
        let below = active.log.progress().open_sub_runs();
        for (_, run) in below {
            match Box::pin(self.set_approval_of(run, &approval.below(), &by)).await {
                // It has ended, or begins, and looks what was asked for by itself.
                Ok(()) | Err(EngineError::NotActive) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Changes whether a run that another one has started pauses before every node.
    pub(crate) async fn set_approval_of(
        &self,
        run: RunId,
        approval: &Approval,
        by: &AccountId,
    ) -> Result<(), EngineError> {
        let now = self.active_run(run)?.log.progress().approval.clone();
        match (&now, approval) {
            (Approval::Nodes { .. }, Approval::Off) => Ok(()),
            _ if now == *approval => Ok(()),
            _ => self.set_approval(run, approval.clone(), by.clone()).await,
        }
    }

    /// Says something to a node of a run; it is in the log when this returns, and the node reads it when it next
    /// looks, in a visit under way or in a later one.
    ///
    /// # Errors
    /// [`EngineError::Input`], [`EngineError::NotActive`].
    pub async fn tell(
        &self,
        run: RunId,
        node: NodeId,
        content: &str,
        by: AccountId,
    ) -> Result<(), EngineError> {
        Ok(self.active_run(run)?.commands.tell(node, content.to_owned(), by).await?)
    }

    /// Asks a question beside a run and returns its number. The answer follows in the log.
    ///
    /// # Errors
    /// There is no such run, or the log cannot be written.
    pub async fn chat(&self, run: RunId, question: &str, by: AccountId) -> Result<u32, EngineError> {
        let summary = self.0.journal.summary(run).await?.ok_or(JournalError::NoSuchRun(run))?;
        let cell = self.conversation(run);
        cell.get_or_try_init(|| self.converse(&summary)).await?;
        let model = self.0.workflows.model(&summary.request);
        let allowance = self.0.allowances.of(&summary.owner);
        let refusal = allowance::limit_reached(&self.0.journal, &summary.owner, &allowance).await?;
        let chat = match cell.get() {
            Some(conversation) => conversation.ask(question, by).await?,
            None => return Err(EngineError::NotActive),
        };
        let question = question.to_owned();
        let shutdown = self.0.shutdown.clone();
        self.0.tasks.spawn(async move {
            let Some(conversation) = cell.get() else { return };
            let answered = tokio::select! {
                answered = conversation.answer(chat, &question, model.as_ref(), refusal) => answered,
                () = shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = answered {
                tracing::error!(%run, %error, "an answer beside the run cannot be written");
            }
        });
        Ok(chat)
    }

    /// Resumes all runs that an earlier process left unfinished. Returns how many.
    ///
    /// Each one is resumed independently. One that cannot be planned any more ends as failed. One that this
    /// version does not know or cannot read is left unchanged for a version that can.
    ///
    /// # Errors
    /// The list of unfinished runs cannot be read.
    pub async fn resume(&self) -> Result<usize, EngineError> {
        let mut unfinished = self.0.journal.unfinished().await?;
        let mut count = 0;
        // In the order in which they were started, but those that others have started after these.
        let parents: HashMap<_, _> = unfinished.iter().map(|it| (it.run, it.parent.clone())).collect();
        let above = |run: &RunId| parents.get(run)?.as_ref().map(|parent| parent.run);
        unfinished.sort_by_cached_key(|it| std::iter::successors(Some(it.run), above).take(100).count());
        for summary in unfinished {
            let run = summary.run;
            match AssertUnwindSafe(self.take_up(summary)).catch_unwind().await {
                Ok(Ok(true)) => count += 1,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::error!(%run, %error, "the run is left alone"),
                Err(_) => {
                    tracing::error!(%run, "the run is left alone: it met a defect when it was taken up");
                }
            }
        }
        Ok(count)
    }

    /// Resumes one run. Returns whether it is active now.
    async fn take_up(&self, summary: RunSummary) -> Result<bool, EngineError> {
        let run = summary.run;
        if let Some(why) = &summary.unreadable {
            tracing::warn!(%run, %why, "the run is left alone");
            return Ok(false);
        }
        self.close_questions(&summary).await?;
        if summary.status.is_over() {
            return Ok(false);
        }
        let kind = summary.request.workflow.kind();
        if !self.knows(kind) {
            tracing::warn!(%run, %kind, "the run is left alone: another version made it");
            return Ok(false);
        }
        self.resume_run(summary).await
    }

    /// The live text of the run's calls in flight; `None` if neither its executor nor a question beside it
    /// is at work.
    pub fn live(&self, run: RunId) -> Option<Arc<LiveCalls>> {
        if let Some(active) = self.active().get(&run) {
            return Some(active.live.clone());
        }
        let cell = self.conversations().get(&run).and_then(Weak::upgrade)?;
        cell.get().map(|conversation| conversation.live.clone())
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

    async fn resume_run(&self, summary: RunSummary) -> Result<bool, EngineError> {
        let waits = !summary.awaited.is_empty();
        let RunSummary { run, request, owner, origin, parent, .. } = summary;
        // Parents are taken up first, so this one's is at work again, unless it has ended or is left as it is.
        let above = parent.as_ref().and_then(|parent| self.log_of(parent.run));
        if let (Some(parent), None) = (&parent, &above) {
            let above = self.0.journal.summary(parent.run).await?;
            if above.is_none_or(|above| above.status.is_over()) {
                self.give_up(run, Ending::failed("The run that started this one has ended.")).await?;
            }
            return Ok(false);
        }
        let (graph, model) = match self.0.workflows.plan(run, &request, &owner).await {
            Ok(Plan { graph, model, .. }) => match RunGraph::new(graph) {
                Ok(graph) if self.is_as_planned(run, &graph).await? => (graph, model),
                Ok(_) | Err(_) => {
                    let why = "The run was planned by another version of Pitwall and cannot be continued. Start it again.";
                    self.give_up(run, Ending::failed(why)).await?;
                    return Ok(false);
                }
            },
            // A later start may read what this one could not.
            Err(PlanError::Journal(error)) => return Err(error.into()),
            Err(PlanError::Refused(why)) => {
                self.give_up(run, Ending::failed(format!("The run cannot be continued: {why}"))).await?;
                return Ok(false);
            }
        };
        let accepted = parent.is_none().then(|| self.0.admission.accept_again(&owner, waits));
        let (account, seat) = self.account(run, &owner, accepted);
        let journal = self.0.journal.clone();
        let log = RunLog::resume(journal, run, request, origin.as_ref(), graph, account, seat, above).await?;
        let re_run = origin.and_then(|origin| self.re_run(run, origin.run, &origin.point).ok().flatten());
        self.launch(log, model, re_run, true);
        Ok(true)
    }

    /// Whether the nodes that the log announces are those of `graph`.
    async fn is_as_planned(&self, run: RunId, graph: &RunGraph) -> Result<bool, JournalError> {
        let planned = u32::try_from(1 + graph.announcement().count()).unwrap_or(u32::MAX);
        let events = self.0.journal.read(run, 0, planned).await?;
        let logged: BTreeSet<_> = events
            .iter()
            .filter_map(|event| match &event.body {
                Body::NodeAdded(plan) => Some(&plan.id),
                _ => None,
            })
            .collect();
        Ok(logged == graph.plans().map(|plan| &plan.id).collect())
    }

    /// Ends a run that has no executor, from its summary and log alone.
    async fn give_up(&self, run: RunId, ending: Ending) -> Result<(), JournalError> {
        let Ending { status, error, stopped } = ending;
        let epoch = self.0.journal.claim(run).await?;
        let summary = self.0.journal.summary(run).await?.ok_or(JournalError::NoSuchRun(run))?;
        let (mut totals, mut open) = (summary.totals, summary.open_calls);
        let mut events = Vec::new();
        if !open.is_empty() {
            for event in self.0.journal.whole(run).await? {
                if let Body::CallStarted(started) = event.body
                    && open.contains(&started.call)
                {
                    let latency = now().since(event.at);
                    let dropped =
                        Body::CallFinished(CallFinished::dropped(started.call, started.model, latency));
                    totals.count(&mut open, &dropped);
                    events.push(NewEvent { at: now(), node: event.node, body: dropped });
                }
            }
        }
        let finished = RunFinished { status, error, stopped, totals };
        events.push(NewEvent { at: now(), node: None, body: Body::RunFinished(finished) });
        self.0.journal.append_patiently(run, epoch, events).await.map(drop)
    }

    /// Ends questions beside a run whose answers were lost when the process ended.
    async fn close_questions(&self, summary: &RunSummary) -> Result<(), EngineError> {
        if summary.open_chats == 0 {
            return Ok(());
        }
        let events = self.0.journal.whole(summary.run).await?;
        let mut open = BTreeSet::new();
        for event in &events {
            match &event.body {
                Body::ChatAsked(asked) => drop(open.insert(asked.chat)),
                Body::ChatAnswered(answered) => drop(open.remove(&answered.chat)),
                _ => {}
            }
        }
        let model = self.0.workflows.model(&summary.request).model(Tier::Quick);
        let answered = open.into_iter().map(|chat| ChatAnswered {
            chat,
            model: model.clone(),
            answer: Text::default(),
            usage: Usage::default(),
            cost: None,
            latency_ms: 0,
            attempts: Vec::new(),
            error: Some("The server was restarted before the answer was there. Ask again.".to_owned()),
        });
        let events = answered.map(|it| NewEvent { at: now(), node: None, body: Body::ChatAnswered(it) });
        let epoch = self.0.journal.claim(summary.run).await?;
        self.0.journal.append(summary.run, epoch, events.collect::<Vec<_>>()).await?;
        Ok(())
    }

    fn launch(&self, log: Arc<RunLog>, model: Arc<dyn ChatModel>, re_run: Option<ReRun>, resumed: bool) {
        let (commands, orders) = Commands::new();
        let active = Active {
            log: log.clone(),
            live: Arc::default(),
            commands: commands.clone(),
            stop: CancellationToken::new(),
            stopped: Arc::default(),
            over: CancellationToken::new(),
        };
        let run = log.run;
        self.active().insert(run, active.clone());
        let Active { live, stop, .. } = active.clone();
        let execution = Execution { engine: self.clone(), log, model, live, commands, stop };
        let left = Left { engine: self.clone(), active, _re_run: re_run };
        self.0.tasks.spawn(async move {
            let Left { engine, active, .. } = &left;
            let work = async {
                let work = AssertUnwindSafe(work(&execution, orders, &active.stopped, resumed));
                match work.catch_unwind().await {
                    Ok(ended) => ended,
                    Err(_) => engine.fail_by_defect(&execution).await,
                }
            };
            let ended = tokio::select! {
                ended = work => ended,
                () = engine.0.shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::error!(%run, %error, "the run is left to whoever has its log");
            }
        });
    }

    /// Ends a run whose executor panicked. If its progress makes that panic as well, the end is written from
    /// the run's summary and log alone.
    async fn fail_by_defect(&self, execution: &Execution) -> Result<(), JournalError> {
        tracing::error!(run = %execution.log.run, "the run met a defect");
        execution.stop.cancel();
        let finished = AssertUnwindSafe(async {
            sub_run::stop_all(self, &execution.log, None).await?;
            execution.finish(Ending::failed(DEFECT)).await
        });
        let finished = finished.catch_unwind().await;
        match finished {
            Ok(finished) => finished,
            Err(_) => self.give_up(execution.log.run, Ending::failed(DEFECT)).await,
        }
    }

    /// Reserves a run's place among the accepted ones, before it is planned: requests at the same time cannot exceed
    /// the bounds together.
    fn accept(&self, owner: &AccountId) -> Result<Accepted, Full> {
        let options = &self.0.options;
        let account = self.0.allowances.of(owner).accepted_runs.unwrap_or(options.accepted_runs_per_account);
        let bounds =
            Bounds { all: options.accepted_runs, account, waiting: options.waiting_runs_per_account };
        self.0.admission.accept(owner, bounds)
    }

    /// The account of a run, and its slot in the queue.
    fn account(&self, run: RunId, owner: &AccountId, accepted: Option<Accepted>) -> (Account, Seat) {
        let allowances = self.0.allowances.clone();
        let allowed = allowances.of(owner).concurrent_runs.unwrap_or(self.0.options.concurrent_runs);
        let seat = Seat::new(self.0.queue.clone(), run, owner.clone(), allowed, accepted);
        (Account { id: owner.clone(), allowances }, seat)
    }

    fn conversation(&self, run: RunId) -> Arc<OnceCell<Conversation>> {
        let mut conversations = self.conversations();
        conversations.retain(|_, cell| cell.strong_count() > 0);
        if let Some(cell) = conversations.get(&run).and_then(Weak::upgrade) {
            return cell;
        }
        let cell = Arc::new(OnceCell::new());
        conversations.insert(run, Arc::downgrade(&cell));
        cell
    }

    async fn converse(&self, summary: &RunSummary) -> Result<Conversation, JournalError> {
        let run = summary.run;
        let active = self.active().get(&run).cloned();
        let (epoch, live, log) = match active {
            Some(active) => (active.log.epoch(), active.live, Arc::downgrade(&active.log)),
            None => (self.0.journal.claim(run).await?, Arc::default(), Weak::new()),
        };
        let events = self.0.journal.whole(run).await?;
        let asked = events.iter().filter(|event| matches!(event.body, Body::ChatAsked(_))).count();
        let next = AtomicU32::new(u32::try_from(asked).unwrap_or(u32::MAX).saturating_add(1));
        Ok(Conversation { run, epoch, next, journal: self.0.journal.clone(), live, log })
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

    fn conversations(&self) -> MutexGuard<'_, HashMap<RunId, Weak<OnceCell<Conversation>>>> {
        lock(&self.0.conversations)
    }
}

/// Removes an active run when its executor ends in any way, a panic included, so that its place is never
/// lost.
struct Left {
    engine: Engine,
    active: Active,
    _re_run: Option<ReRun>,
}

impl Drop for Left {
    fn drop(&mut self) {
        let log = &self.active.log;
        log.seat.leave();
        self.engine.active().remove(&log.run);
        self.active.over.cancel();
    }
}

/// Marks `origin` as being repeated until it is dropped.
struct ReRun {
    engine: Engine,
    origin: RunId,
}

impl Drop for ReRun {
    fn drop(&mut self) {
        lock(&self.engine.0.re_runs).remove(&self.origin);
    }
}

/// Marks a run as one that is about to begin, until this is dropped.
struct Beginning<'s> {
    shared: &'s Shared,
    run: RunId,
}

impl<'s> Beginning<'s> {
    fn of(shared: &'s Shared, run: RunId) -> Result<Self, EngineError> {
        let is_first = lock(&shared.beginning).insert(run);
        if is_first { Ok(Self { shared, run }) } else { Err(EngineError::Begun) }
    }
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        lock(&self.shared.beginning).remove(&self.run);
    }
}

/// Runs the executor and writes the run's end.
async fn work(
    execution: &Execution,
    mut commands: mpsc::Receiver<Command>,
    stopped: &Mutex<Option<Stopped>>,
    resumed: bool,
) -> Result<(), JournalError> {
    let ending = execution.run(resumed, &mut commands).await?;
    let by_person = || lock(stopped).clone().unwrap_or(Stopped { by: AccountId::local(), reason: None });
    let ending = ending.unwrap_or_else(|| Ending::stopped(by_person()));
    sub_run::stop_all(&execution.engine, &execution.log, ending.stopped.as_ref()).await?;
    execution.finish(ending).await
}

/// Each critical section leaves the value consistent at every statement, so a poisoned lock is still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
