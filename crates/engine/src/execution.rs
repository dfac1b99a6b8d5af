use std::{collections::HashMap, sync::Arc, time::Instant};

use journal::JournalError;
use llm::ChatModel;
use protocol::{
    Body, NodeFinished, NodeId, NodeStarted, NodeStatus, NodeStatusChanged, RunFinished, RunStatus,
    StatusChanged,
};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    LiveCalls, NodeContext, NodeError, Outcome, context::milliseconds, run_log::RunLog, state::encode,
};

/// Drives one run from where its log stands to its end.
pub(crate) struct Execution {
    pub log: Arc<RunLog>,
    pub model: Arc<dyn ChatModel>,
    pub live: Arc<LiveCalls>,
    /// Cancelled by a person's stop.
    pub stop: CancellationToken,
}

/// How a run ends.
pub(crate) struct Ending {
    pub status: RunStatus,
    pub error: Option<String>,
}

/// A visit under way.
#[derive(Clone)]
struct Visit {
    node: NodeId,
    number: u32,
    clock: Instant,
}

type Finished = Result<(Id, Result<Outcome, NodeError>), JoinError>;

impl Execution {
    /// Runs until nothing is left to do, a node fails, a limit is reached, or the run is
    /// stopped; writes the end into the log unless a person's stop is to be worded by the caller.
    ///
    /// Dropping the future ends all work at once and leaves the log as it is, to be resumed.
    pub async fn run(&self, resumed: bool) -> Result<Ending, JournalError> {
        let reason = resumed.then(|| "Continued after a restart of the server.".to_owned());
        let running = StatusChanged { status: RunStatus::Running, reason };
        self.log.append(None, vec![Body::StatusChanged(running)]).await?;

        let mut working = JoinSet::new();
        let mut visits = HashMap::new();
        let in_flight = self.log.progress().in_flight();
        for (node, number) in in_flight {
            self.begin(node, number, &mut working, &mut visits).await?;
        }
        loop {
            if let Some(limit) = self.begin_ready(&mut working, &mut visits).await? {
                return Ok(failed(limit));
            }
            if working.is_empty() {
                return Ok(Ending { status: RunStatus::Succeeded, error: None });
            }
            let finished = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(Ending { status: RunStatus::Cancelled, error: None }),
                () = self.out_of_time() => {
                    let seconds = self.log.request.limits.seconds.unwrap_or_default();
                    return Ok(failed(format!("The run took {seconds} seconds, its limit.")));
                }
                finished = working.join_next_with_id() => finished,
            };
            if let Some(finished) = finished
                && let Some(ending) = self.end(finished, &mut visits).await?
            {
                return Ok(ending);
            }
        }
    }

    /// Writes the end of the run: what was under way or never reached is marked so.
    pub async fn finish(&self, ending: Ending) -> Result<(), JournalError> {
        let (totals, unfinished) = {
            let progress = self.log.progress();
            let under_way = progress.in_flight().into_iter().map(|(node, _)| (node, "ended with the run"));
            let not_reached = progress.never_visited().cloned().map(|node| (node, "not reached"));
            (progress.totals.clone(), under_way.chain(not_reached).collect::<Vec<_>>())
        };
        let skipped = unfinished.into_iter().map(|(node, reason)| {
            let reason = Some(reason.to_owned());
            (Some(node), Body::NodeStatusChanged(NodeStatusChanged { status: NodeStatus::Skipped, reason }))
        });
        let finished = RunFinished { status: ending.status, error: ending.error, totals };
        let events = skipped.chain([(None, Body::RunFinished(finished))]).collect();
        self.log.append_each(events).await
    }

    /// Begins what is ready, up to the limits. Returns the limit that ends the run.
    async fn begin_ready(
        &self,
        working: &mut JoinSet<Result<Outcome, NodeError>>,
        visits: &mut HashMap<Id, Visit>,
    ) -> Result<Option<String>, JournalError> {
        let limits = &self.log.request.limits;
        let mut ready = self.log.progress().ready(&self.log.graph);
        if ready.is_empty() && working.is_empty() {
            ready = self.log.progress().partly_joined(&self.log.graph);
        }
        for (node, number) in ready {
            if working.len() >= limits.concurrent_nodes.max(1) as usize {
                break;
            }
            let steps = self.log.progress().steps;
            if steps >= limits.steps {
                return Ok(Some(format!("The run took {steps} steps, its limit.")));
            }
            self.begin(node, number, working, visits).await?;
        }
        Ok(None)
    }

    async fn begin(
        &self,
        node: NodeId,
        number: u32,
        working: &mut JoinSet<Result<Outcome, NodeError>>,
        visits: &mut HashMap<Id, Visit>,
    ) -> Result<(), JournalError> {
        let (Some(plan), Some(work)) = (self.log.graph.plan(&node), self.log.graph.work(&node)) else {
            return Ok(());
        };
        let started = NodeStarted { visit: number, phase: plan.phase.clone() };
        self.log.append(Some(&node), vec![Body::NodeStarted(started)]).await?;
        let context =
            NodeContext::new(self.log.clone(), self.model.clone(), self.live.clone(), plan.clone(), number);
        let task = working.spawn(async move { work.run(&context).await });
        visits.insert(task.id(), Visit { node, number, clock: Instant::now() });
        Ok(())
    }

    /// Writes the end of a visit. Returns how the run ends, if it ends by this.
    async fn end(
        &self,
        finished: Finished,
        visits: &mut HashMap<Id, Visit>,
    ) -> Result<Option<Ending>, JournalError> {
        let (task, result) = match finished {
            Ok((task, result)) => (task, result),
            Err(error) if error.is_panic() => {
                let sentence = "The node failed by a defect of Pitwall; the server's log says more.";
                (error.id(), Err(NodeError::failed(sentence)))
            }
            Err(_) => return Ok(None),
        };
        let Some(visit) = visits.remove(&task) else { return Ok(None) };
        match result {
            Ok(outcome) => self.succeed(&visit, outcome).await.map(|()| None),
            Err(NodeError::Journal(error)) => Err(error),
            Err(error) => self.fail(&visit, &error).await.map(Some),
        }
    }

    async fn succeed(&self, visit: &Visit, outcome: Outcome) -> Result<(), JournalError> {
        let graph = &self.log.graph;
        let patch = encode(outcome.patch);
        let mut state = self.log.progress().state.clone();
        state.merge(&patch, graph.merges());
        let next = graph.next(&visit.node, &state, visit.number);
        let finished = NodeFinished {
            status: NodeStatus::Succeeded,
            degraded: outcome.degraded,
            patch,
            next,
            ..self.finished(visit)
        };
        self.log.append(Some(&visit.node), vec![Body::NodeFinished(finished)]).await
    }

    async fn fail(&self, visit: &Visit, error: &NodeError) -> Result<Ending, JournalError> {
        let reason = Some(error.to_string());
        let finished = NodeFinished { status: NodeStatus::Failed, reason, ..self.finished(visit) };
        self.log.append(Some(&visit.node), vec![Body::NodeFinished(finished)]).await?;
        let label = self.log.graph.plan(&visit.node).map_or(visit.node.as_str(), |plan| &plan.label);
        Ok(match error {
            NodeError::Limit(limit) => failed(limit.clone()),
            error => failed(format!("{label}: {error}")),
        })
    }

    fn finished(&self, visit: &Visit) -> NodeFinished {
        let planned = self.log.graph.plan(&visit.node).map_or(1, |plan| plan.planned_visits);
        NodeFinished {
            visit: visit.number,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms: milliseconds(visit.clock),
            patch: protocol::Patch::new(),
            next: Vec::new(),
            complete: visit.number == planned,
        }
    }

    async fn out_of_time(&self) {
        match self.log.time_left() {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    }
}

fn failed(error: String) -> Ending {
    Ending { status: RunStatus::Failed, error: Some(error) }
}
