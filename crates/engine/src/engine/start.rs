//! Runs begin: new ones, those below others, and those that continue an earlier one.

use std::collections::hash_map::Entry;

use journal::JournalError;
use protocol::{
    AccountId, Approval, Body, ForkPoint, ForkRun, NewEvent, Origin, Parent, RunId, RunRequest, RunStarted,
    StateEdited,
};
use uuid::Uuid;

use super::{Engine, EngineError, Planned, Shared, lock};
use crate::{
    admission::{Accepted, Bounds, Full},
    fork::{ForkError, taken_over},
    queue::Slot,
    run_graph::RunGraph,
    run_log::{Account, RunLog, now},
};

impl Engine {
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

    /// Continues a run in a new one, which takes over what stays true of the old one's log.
    ///
    /// # Errors
    /// [`EngineError::Fork`], [`EngineError::ReRunning`], and as [`Engine::start`].
    pub async fn fork(&self, origin: RunId, fork: ForkRun, owner: AccountId) -> Result<RunId, EngineError> {
        let summary = self.0.journal.summary(origin).await?.ok_or(JournalError::NoSuchRun(origin))?;
        if summary.imported_from.is_some() {
            return Err(ForkError::Imported.into());
        }
        let approval = match &fork.approval {
            Some(approval) => approval.clone(),
            None => self.approval_of(origin).await?,
        };
        let request = RunRequest {
            workflow: fork.workflow.clone().unwrap_or(summary.request.workflow),
            model: fork.model.clone().unwrap_or(summary.request.model),
            limits: fork.limits.clone().unwrap_or(summary.request.limits),
            approval,
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

    /// The approve mode of a run, as it was set last: what waited for a person there waits here, too.
    async fn approval_of(&self, run: RunId) -> Result<Approval, EngineError> {
        let view = self.0.journal.fold_outline(run, u64::MAX).await?;
        Ok(view.map(|view| view.approval).unwrap_or_default())
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
        let (account, slot) = self.account(run, &owner, accepted);
        let request = RunRequest { workflow: plan.workflow, ..request };
        let above = parent.as_ref().and_then(|parent| self.log_of(parent.run));
        let started = RunStarted { owner, origin, parent, ..RunStarted::new(request, plan.heading) };
        let journal = self.0.journal.clone();
        let log = RunLog::begin(journal, run, started, graph, taken_over, account, slot, above).await?;
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
    pub(super) fn re_run(
        &self,
        run: RunId,
        origin: RunId,
        point: &ForkPoint,
    ) -> Result<Option<ReRun>, EngineError> {
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
    pub(super) fn account(
        &self,
        run: RunId,
        owner: &AccountId,
        accepted: Option<Accepted>,
    ) -> (Account, Slot) {
        let allowances = self.0.allowances.clone();
        let allowed = allowances.of(owner).concurrent_runs.unwrap_or(self.0.options.concurrent_runs);
        let slot = Slot::new(self.0.queue.clone(), run, owner.clone(), allowed, accepted);
        (Account { id: owner.clone(), allowances }, slot)
    }
}

/// Marks `origin` as being repeated until it is dropped.
pub(super) struct ReRun {
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
