//! Runs that a node starts and waits for.

use std::collections::BTreeMap;

use futures::future::join_all;
use journal::{Journal, JournalError};
use protocol::{
    Body, CallId, Digest, Event, Limits, Parent, Product, RunId, RunRequest, RunStatus, RunSummary, Stopped,
    SubRunAsk, SubRunAwaits, SubRunFinished, SubRunStarted, Timestamp, Workflow,
};
use uuid::Uuid;

use crate::{Engine, EngineError, Lane, NodeError, asked, progress::SubRunEnd, run_log::RunLog};

/// How a run that a node started has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SubRun {
    /// The run.
    pub run: RunId,
    /// Succeeded, failed or cancelled.
    pub status: RunStatus,
    /// Why, where it did not end well.
    pub error: Option<String>,
    /// What it has brought forth, in order.
    pub products: Vec<Product>,
}

impl Lane {
    /// Starts a run for this run's owner, and waits for its end, also across restarts of the server: one call is one
    /// run. Meanwhile this run gives its place away, unless something else of it is at work; both count as one
    /// accepted run. It has the same flow, model and right to ask people, pauses before every node if this run does,
    /// and has what is left of this run's limits: what it uses counts for them. What it asks people shows here as
    /// well. It ends with this run.
    ///
    /// # Errors
    /// The workflow cannot be run, a limit is reached, or the log cannot be read or written.
    pub async fn start(&self, workflow: Workflow) -> Result<SubRun, NodeError> {
        let call = self.next_call();
        let log = &self.shared().log;
        let digest = asked::of_workflow(&workflow)?;
        let known = {
            let progress = log.progress();
            progress.check_sub_run(&call, &digest)?;
            progress.sub_run(&call)
        };
        if let Some((run, Some((status, error)))) = known {
            let products = Followed::read(log.journal(), run).await?.products(log.journal()).await?;
            return Ok(SubRun { run, status, error, products });
        }
        self.check_going_on()?;
        if let Some(limit) = log.limit_reached().await? {
            return Err(NodeError::Limit(limit));
        }
        let run = self.begin_below(known.map(|(run, _)| run), workflow, &call, digest).await?;
        let followed = {
            let _waiting = log.waits.sub_run(&self.shared().plan.id);
            self.unless_stopped(self.follow(run, &call)).await??
        };
        log.slot.take().await;
        let (status, error) = finish(log, run, call, &followed).await?;
        let products = followed.products(log.journal()).await?;
        Ok(SubRun { run, status, error, products })
    }

    /// Starts the run of a call, unless it was started already. This run's log names it before there is any of it,
    /// so that a repeated visit finds it.
    async fn begin_below(
        &self,
        known: Option<RunId>,
        workflow: Workflow,
        call: &CallId,
        asked: Digest,
    ) -> Result<RunId, NodeError> {
        let (log, engine) = (&self.shared().log, &self.shared().engine);
        let refused = |error: EngineError| NodeError::failed(error.to_string());
        let run = known.unwrap_or_else(|| RunId(Uuid::now_v7()));
        if known.is_some() && log.journal().summary(run).await?.is_some() {
            return Ok(run);
        }
        let planned = engine.plan(run, self.request_of(workflow), log.account.id.clone()).await;
        let planned = planned.map_err(|error| refused(error.into()))?;
        let approval = planned.request.approval.clone();
        if known.is_none() {
            let (call, title) = (call.clone(), planned.title().to_owned());
            self.append(vec![Body::SubRunStarted(SubRunStarted { call, run, title, asked })]).await?;
        }
        let parent = Parent { run: log.run, call: call.clone() };
        engine.start_below(planned, parent).await.map_err(refused)?;
        let (changed, by) = {
            let progress = log.progress();
            (progress.approval.below(), progress.approval_by.clone())
        };
        // A change that came while the run was being started did not find it.
        if let Some(by) = by.filter(|_| changed != approval) {
            engine.set_approval_of(run, &changed, &by).await.map_err(refused)?;
        }
        Ok(run)
    }

    fn request_of(&self, workflow: Workflow) -> RunRequest {
        let RunRequest { flow, model, questions, .. } = self.request().clone();
        let limits = self.shared().log.limits_left();
        let approval = self.shared().log.progress().approval.below();
        RunRequest {
            flow,
            model,
            questions,
            limits,
            approval,
            ..RunRequest::new(workflow, self.request().flow.clone())
        }
    }

    /// Reads the other run's log until that has ended, and tells this run's log what it asks people.
    async fn follow(&self, run: RunId, call: &CallId) -> Result<Followed, NodeError> {
        let log = &self.shared().log;
        let mut events = log.journal().subscribe(run, 0).await?;
        let mut followed = Followed::default();
        while let Some(batch) = events.next().await? {
            for encoded in batch {
                followed.take(encoded.decode()?);
            }
            if followed.is_over() {
                break;
            }
            let asks: Vec<SubRunAsk> = followed.asks().cloned().collect();
            if asks.iter().map(ask_key).collect::<Vec<_>>() != log.progress().asks(call) {
                let mut awaits = Body::SubRunAwaits(SubRunAwaits { call: call.clone(), run, asks });
                // A digest in the other run's log can only be read there.
                for text in awaits.texts_mut() {
                    if text.stored().is_some() {
                        *text = log.journal().resolve(text).await?.into();
                    }
                }
                self.append(vec![awaits]).await?;
            }
        }
        Ok(followed)
    }
}

/// Which question it is, and when it was asked: asked anew, it is another one.
pub(crate) fn ask_key(ask: &SubRunAsk) -> (RunId, CallId, Timestamp) {
    (ask.run, ask.request.input.clone(), ask.asked_at)
}

/// What the log of a run says to the one that has started it.
#[derive(Default)]
struct Followed {
    summary: Option<RunSummary>,
    /// Its own open questions, oldest first.
    asks: Vec<SubRunAsk>,
    /// Those of the runs that it has started itself.
    asks_below: BTreeMap<CallId, Vec<SubRunAsk>>,
    products: Vec<Product>,
}

impl Followed {
    /// The whole log of a run; of one that was never begun, nothing.
    async fn read(journal: &Journal, run: RunId) -> Result<Self, JournalError> {
        let mut followed = Self::default();
        journal.whole(run).await?.into_iter().for_each(|event| followed.take(event));
        Ok(followed)
    }

    fn take(&mut self, event: Event) {
        RunSummary::fold(&mut self.summary, &event);
        match event.body {
            Body::InputRequested(request) => {
                self.asks.retain(|ask| ask.request.input != request.input);
                self.asks.push(SubRunAsk { run: event.run, node: event.node, asked_at: event.at, request });
            }
            Body::InputReceived(received) => self.asks.retain(|ask| ask.request.input != received.input),
            Body::SubRunAwaits(awaits) => drop(self.asks_below.insert(awaits.call, awaits.asks)),
            Body::SubRunFinished(finished) => drop(self.asks_below.remove(&finished.call)),
            Body::Produced(product) => self.products.push(product),
            _ => {}
        }
    }

    fn is_over(&self) -> bool {
        self.summary.as_ref().is_some_and(|summary| summary.status.is_over())
    }

    fn asks(&self) -> impl Iterator<Item = &SubRunAsk> {
        self.asks.iter().chain(self.asks_below.values().flatten())
    }

    /// What it has brought forth, with whole texts.
    async fn products(self, journal: &Journal) -> Result<Vec<Product>, JournalError> {
        let mut products = self.products;
        for product in &mut products {
            product.data = journal.resolve(&product.data).await?.into();
        }
        Ok(products)
    }
}

/// Writes how a run has ended into the log of the one that started it.
async fn finish(
    log: &RunLog,
    run: RunId,
    call: CallId,
    followed: &Followed,
) -> Result<SubRunEnd, JournalError> {
    let summary = followed.summary.as_ref().ok_or(JournalError::NoSuchRun(run))?;
    let totals = summary.own_used();
    let (status, error) = (summary.status, summary.error.clone());
    let node = log.progress().node_of_sub_run(&call);
    let finished = SubRunFinished { call, run, status, error: error.clone(), totals };
    log.append(node.as_ref(), vec![Body::SubRunFinished(finished)]).await?;
    Ok((status, error))
}

/// Ends the runs that a run has started, before it ends itself: by the person who stopped it, if one did.
pub(crate) async fn stop_all(
    engine: &Engine,
    log: &RunLog,
    stopped: Option<&Stopped>,
) -> Result<(), JournalError> {
    let open = log.progress().open_sub_runs();
    let with_it = || Stopped {
        by: log.account.id.clone(),
        reason: Some("The run that started this one has ended.".to_owned()),
    };
    let stopped = &stopped.cloned().unwrap_or_else(with_it);
    let stops = open.into_iter().map(async |(call, run)| {
        // What cannot be stopped has ended, or was never begun.
        let _ = engine.stop(run, stopped.by.clone(), stopped.reason.as_deref()).await;
        let followed = Followed::read(log.journal(), run).await?;
        match finish(log, run, call, &followed).await {
            Err(JournalError::NoSuchRun(_)) => Ok(()),
            finished => finished.map(drop),
        }
    });
    join_all(stops).await.into_iter().collect()
}

impl RunLog {
    /// What is left of the run's limits for a run that it starts. Steps and nodes at a time are each run's own.
    pub fn limits_left(&self) -> Limits {
        let used = self.progress().used_below();
        let limits = &self.request.limits;
        Limits {
            seconds: self.time_left().map(|left| left.as_secs().max(1)),
            tokens: limits.tokens.map(|tokens| tokens.saturating_sub(used.tokens())),
            cost: limits.cost.map(|cost| cost - used.cost),
            ..limits.clone()
        }
    }
}
