//! Runs that an earlier process left unfinished.

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
};

use futures::FutureExt;
use journal::JournalError;
use protocol::{Body, CallFinished, NewEvent, RunFinished, RunId, RunSummary};

use super::{Engine, EngineError, Plan, PlanError};
use crate::{
    execution::Ending,
    run_graph::RunGraph,
    run_log::{RunLog, now},
};

impl Engine {
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
        let (account, slot) = self.account(run, &owner, accepted);
        let journal = self.0.journal.clone();
        let log = RunLog::resume(journal, run, request, origin.as_ref(), graph, account, slot, above).await?;
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
    pub(super) async fn give_up(&self, run: RunId, ending: Ending) -> Result<(), JournalError> {
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
}
