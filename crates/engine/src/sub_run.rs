//! Runs that a node starts and waits for.

use futures::future::join_all;
use journal::JournalError;
use protocol::{
    Body, CallId, Limits, Parent, Product, RunId, RunRequest, RunStatus, RunSummary, Stopped, SubRunAwaits,
    SubRunFinished, SubRunStarted, Workflow,
};
use uuid::Uuid;

use crate::{Engine, Lane, NodeError, asked, progress::SubRunEnd, run_log::RunLog};

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
    /// accepted run. It has the same flow, model and right to ask people, and what is left of this run's limits:
    /// what it uses counts for them. It ends with this run.
    ///
    /// # Errors
    /// The workflow cannot be run, a limit is reached, or the log cannot be read or written.
    pub async fn start(&self, workflow: Workflow) -> Result<SubRun, NodeError> {
        let call = self.next_call();
        let (log, engine) = (&self.shared().log, &self.shared().engine);
        let digest = asked::of_workflow(&workflow)?;
        let known = {
            let progress = log.progress();
            progress.check_sub_run(&call, &digest)?;
            progress.sub_run(&call)
        };
        if let Some((run, Some((status, error)))) = known {
            let products = products(log, run).await?;
            return Ok(SubRun { run, status, error, products });
        }
        self.check_going_on()?;
        if let Some(limit) = log.limit_reached().await? {
            return Err(NodeError::Limit(limit));
        }
        let request = self.request_of(workflow);
        let run = match known {
            Some((run, _)) => run,
            None => {
                let run = RunId(Uuid::now_v7());
                let title = engine.title(run, &request, &log.account.id).await;
                let title = title.map_err(|error| NodeError::failed(error.to_string()))?;
                let started = SubRunStarted { call: call.clone(), run, title, asked: digest };
                self.append(vec![Body::SubRunStarted(started)]).await?;
                run
            }
        };
        let parent = Parent { run: log.run, call: call.clone() };
        let started = engine.start_below(run, request, log.account.id.clone(), parent);
        started.await.map_err(|error| NodeError::failed(error.to_string()))?;
        {
            let _waiting = log.waits.sub_run(&self.shared().plan.id);
            self.unless_stopped(self.follow(run, &call)).await??;
        }
        log.seat.take().await;
        let (status, error) = finish(log, run, call).await?;
        let products = products(log, run).await?;
        Ok(SubRun { run, status, error, products })
    }

    fn request_of(&self, workflow: Workflow) -> RunRequest {
        let RunRequest { flow, model, questions, .. } = self.request().clone();
        let limits = self.shared().log.limits_left();
        RunRequest {
            flow,
            model,
            questions,
            limits,
            ..RunRequest::new(workflow, self.request().flow.clone())
        }
    }

    /// Tells this run's log what the other one asks people, until that has ended.
    async fn follow(&self, run: RunId, call: &CallId) -> Result<(), NodeError> {
        let log = &self.shared().log;
        let mut events = log.journal().subscribe(run, 0).await?;
        let mut summary: Option<RunSummary> = None;
        while let Some(batch) = events.next().await? {
            for encoded in batch {
                let event = encoded.decode()?;
                match &mut summary {
                    Some(summary) => summary.apply(&event),
                    None => summary = RunSummary::begin(&event),
                }
            }
            let Some(summary) = &summary else { continue };
            if summary.status.is_over() {
                return Ok(());
            }
            let prompts: Vec<String> = summary.awaited.iter().map(|awaited| awaited.prompt.clone()).collect();
            if prompts != log.progress().prompts(call) {
                let awaits = SubRunAwaits { call: call.clone(), run, prompts };
                self.append(vec![Body::SubRunAwaits(awaits)]).await?;
            }
        }
        Ok(())
    }
}

/// Writes how a run has ended into the log of the one that started it.
async fn finish(log: &RunLog, run: RunId, call: CallId) -> Result<SubRunEnd, JournalError> {
    let summary = log.journal().summary(run).await?.ok_or(JournalError::NoSuchRun(run))?;
    let mut totals = summary.own_totals();
    for event in log.journal().whole(run).await? {
        if let Body::SubRunFinished(below) = event.body {
            totals.add(&below.totals);
        }
    }
    let (status, error) = (summary.status, summary.error);
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
        match finish(log, run, call).await {
            Err(JournalError::NoSuchRun(_)) => Ok(()),
            finished => finished.map(drop),
        }
    });
    join_all(stops).await.into_iter().collect()
}

async fn products(log: &RunLog, run: RunId) -> Result<Vec<Product>, JournalError> {
    let mut products = Vec::new();
    for event in log.journal().whole(run).await? {
        if let Body::Produced(mut product) = event.body {
            product.data = log.journal().resolve(&product.data).await?.into();
            products.push(product);
        }
    }
    Ok(products)
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
