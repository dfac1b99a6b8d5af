use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Instant,
};

use futures::{FutureExt, future::BoxFuture};
use journal::JournalError;
use llm::ChatModel;
use protocol::{
    Body, CallFinished, NodeFinished, NodeId, NodeStarted, NodeStatus, NodeStatusChanged, Patch, RunFinished,
    RunStatus, StatusChanged, Stopped,
};
use tokio::{
    sync::mpsc,
    task::{Id, JoinSet, coop::consume_budget},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, LiveCalls, NodeContext, NodeError, Outcome,
    approval::Permission,
    command::{Command, Commands},
    lane::{self, milliseconds},
    run_graph::Number,
    run_log::{RunLog, leaves_run, now},
};

/// The reason of a node that failed by a panic.
const NODE_DEFECT: &str = "The node failed by a defect of Pitwall; the server's log says more.";
/// The reason of a run that failed by a panic.
pub(crate) const DEFECT: &str = "The run failed by a defect of Pitwall; the server's log says more.";
/// Begins and ends of visits that may be ahead of the disk, where a large result counts as many; beyond it, no
/// further visit begins.
pub(crate) const MOST_STAGED: usize = 512;
/// After so many visits that only compute, everything else has its turn.
const MOST_IN_A_ROW: usize = 16;
/// Bytes of the sentence that says why a run or a node failed.
const LONGEST_REASON: usize = 4 * 1024;

/// The executor of one run, from its log as it stands to its end.
pub(crate) struct Execution {
    pub engine: Engine,
    pub log: Arc<RunLog>,
    pub model: Arc<dyn ChatModel>,
    pub live: Arc<LiveCalls>,
    pub commands: Commands,
    /// Cancelled by a stop and whenever else the run ends: no further call or visit may begin.
    pub stop: CancellationToken,
}

/// How a run ends.
pub(crate) struct Ending {
    pub status: RunStatus,
    pub error: Option<String>,
    /// The person who stopped or rejected it, if one did.
    pub stopped: Option<Stopped>,
}

impl Ending {
    /// Ended by a person.
    pub fn stopped(stopped: Stopped) -> Self {
        Self { status: RunStatus::Cancelled, error: Some(stopped.sentence()), stopped: Some(stopped) }
    }

    fn succeeded() -> Self {
        Self { status: RunStatus::Succeeded, error: None, stopped: None }
    }

    /// Ended by an error or a limit.
    pub fn failed(error: impl Into<String>) -> Self {
        Self { status: RunStatus::Failed, error: Some(shortened(error.into())), stopped: None }
    }
}

/// The visits in flight.
#[derive(Default)]
struct Working {
    tasks: JoinSet<Result<Outcome, NodeError>>,
    visits: HashMap<Id, Visit>,
    /// Visits that only computed: their work was over before it would have become a task.
    computed: VecDeque<(Visit, Result<Outcome, NodeError>)>,
    /// How many of these were taken since everything else had its turn.
    in_a_row: usize,
    /// Visits whose own work has ended, while nodes within them may have something to do, with what came of it.
    opened: HashMap<Number, (Visit, Outcome)>,
}

impl Working {
    /// Whether nothing is in flight.
    fn is_empty(&self) -> bool {
        self.count() == 0 && self.opened.is_empty()
    }

    /// How many visits have work of their own under way, or over and not taken.
    fn count(&self) -> usize {
        self.tasks.len() + self.computed.len()
    }

    /// The next visit that only computed, unless so many were taken that everything else is to have its turn.
    fn computed_at_once(&mut self) -> Option<(Visit, Result<Outcome, NodeError>)> {
        let next = if self.in_a_row < MOST_IN_A_ROW { self.computed.pop_front() } else { None };
        self.in_a_row = if next.is_some() { self.in_a_row + 1 } else { 0 };
        next
    }

    /// Waits for the next visit whose own work is over; `None` where that was cut off, or none is at work. Cancel-safe.
    async fn ended(&mut self) -> Option<(Visit, Result<Outcome, NodeError>)> {
        if !self.computed.is_empty() {
            // Other tasks get their turn as well, however long a chain of visits only computes.
            consume_budget().await;
            return self.computed.pop_front();
        }
        let (task, result) = self.tasks.join_next_with_id().await?.ok()?;
        Some((self.visits.remove(&task)?, result))
    }
}

/// A visit in flight.
struct Visit {
    node: NodeId,
    number: u32,
    clock: Instant,
}

impl Execution {
    /// Waits for a place, then runs until nothing is left to do, a node fails, a limit is reached, or a
    /// person ends the run. `None`: it was stopped through `stop`, and the caller knows by whom.
    ///
    /// Dropping the future cancels all work and leaves the log to be resumed.
    ///
    /// # Errors
    /// The engine no longer owns the run.
    pub async fn run(
        &self,
        resumed: bool,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Option<Ending>, JournalError> {
        let mut working = Working::default();
        // Catches a panic of the executor itself, as in a `choose` function, so that visits in flight end in
        // order.
        let driven = AssertUnwindSafe(self.drive(resumed, &mut working, commands)).catch_unwind().await;
        let driven = driven.unwrap_or_else(|_| Ok(Some(Ending::failed(DEFECT))));
        let ending = self.unless_refused(driven)?.unwrap_or_else(|refusal| Some(Ending::failed(refusal)));
        let flushed = self.log.flush().await;
        let ending =
            self.unless_refused(flushed)?.map_or_else(|refusal| Some(Ending::failed(refusal)), |()| ending);
        // Waits for work run by `NodeContext::commit`, and drops all else.
        self.stop.cancel();
        self.log.commits.close();
        self.log.commits.wait().await;
        Ok(ending)
    }

    /// Commands are taken at every turn of the loop, also while the run waits for its first place.
    async fn drive(
        &self,
        resumed: bool,
        working: &mut Working,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Option<Ending>, JournalError> {
        let mut has_begun = false;
        // Kept across turns of the loop: dropping it would lose the position in the queue.
        let mut taking_slot: Option<BoxFuture<'_, ()>> = None;
        // Nodes that only compute do not wait for the disk between each other.
        let mut flushing: Option<BoxFuture<'_, Result<(), JournalError>>> = None;
        loop {
            let rejected = self.log.progress().rejected.clone();
            if let Some(stopped) = rejected {
                return Ok(Some(Ending::stopped(stopped)));
            }
            if let Some(ending) = self.conclude(working) {
                return Ok(Some(ending));
            }
            let next = if has_begun { self.begin_ready(working)? } else { Next::WantsSlot };
            if let Next::Limit(limit) = next {
                return Ok(Some(Ending::failed(limit)));
            }
            if working.is_empty() && next == Next::Nothing {
                return Ok(Some(Ending::succeeded()));
            }
            if next == Next::WantsSlot {
                taking_slot.get_or_insert_with(|| Box::pin(self.log.slot.take()));
            } else {
                taking_slot = None;
                if working.count() == self.log.waits.count() {
                    // All that is left waits for people, so another run may have the place.
                    self.log.slot.release(!self.log.waits.has_sub_runs());
                }
            }
            if self.log.staged() > 0 {
                flushing.get_or_insert_with(|| Box::pin(self.log.written()));
            }
            // To look at everything that may have come takes longer than many a visit that only computes.
            if let Some((visit, result)) = working.computed_at_once() {
                consume_budget().await;
                match self.end(visit, result, working)? {
                    Some(ending) => return Ok(Some(ending)),
                    None => continue,
                }
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                () = self.out_of_time() => {
                    let seconds = self.log.request.limits.seconds.unwrap_or_default();
                    return Ok(Some(Ending::failed(format!("The run took {seconds} seconds, its limit."))));
                }
                flushed = done(&mut flushing) => {
                    flushing = None;
                    flushed?;
                }
                Some(command) = commands.recv() => command.carry_out(&self.log).await?,
                () = self.log.waits.changed() => {}
                () = done(&mut taking_slot) => {
                    taking_slot = None;
                    if !has_begun {
                        has_begun = true;
                        self.take_up(resumed, working);
                    }
                }
                ended = working.ended(), if working.count() > 0 => {
                    if let Some((visit, result)) = ended
                        && let Some(ending) = self.end(visit, result, working)?
                    {
                        return Ok(Some(ending));
                    }
                }
            }
        }
    }

    /// Notes the status "running", and begins the visits in flight again.
    fn take_up(&self, resumed: bool, working: &mut Working) {
        let reason = resumed.then(|| "Continued after a restart of the server.".to_owned());
        self.log.stage_of_run(Body::StatusChanged(StatusChanged { status: RunStatus::Running, reason }));
        let to_repeat = self.log.progress().to_repeat();
        for (node, number) in to_repeat {
            self.begin(node, number, working);
        }
    }

    /// Appends the run's end: dropped calls are ended with what they had written, and nodes that were in flight or
    /// never reached get their final status.
    pub async fn finish(&self, ending: Ending) -> Result<(), JournalError> {
        let Ending { status, error, stopped } = ending;
        let live = self.live.clone();
        self.log
            .finish(move |progress| {
                let dropped = progress.dropped_calls(now()).into_iter();
                let dropped = dropped.map(|(node, call)| {
                    let cut_off = live.written(&call.call);
                    (Some(node), Body::CallFinished(CallFinished { cut_off, ..call }))
                });
                let in_flight = progress.in_flight().into_iter();
                let under_way = in_flight.map(|(node, _)| skipped(node, "ended with the run"));
                let not_reached = progress.never_visited().map(|(node, is_joining)| {
                    let why = if is_joining { "not reached by all that it joins" } else { "not reached" };
                    skipped(node.clone(), why)
                });
                let mut events: Vec<_> = dropped.chain(under_way).chain(not_reached).collect();
                let totals = progress.totals_with(events.iter().map(|(_, body)| body));
                events.push((None, Body::RunFinished(RunFinished { status, error, stopped, totals })));
                events
            })
            .await
    }

    /// Turns an error that ends this run alone into its sentence. `Err`: the engine no longer owns the run.
    fn unless_refused<T>(&self, done: Result<T, JournalError>) -> Result<Result<T, String>, JournalError> {
        match done {
            Err(error) if leaves_run(&error) => Err(error),
            Err(refusal) => {
                tracing::warn!(run = %self.log.run, %refusal, "the log refuses what the run wants to write");
                Ok(Err(refusal.to_string()))
            }
            Ok(done) => Ok(Ok(done)),
        }
    }

    /// Begins ready visits, up to the limit of concurrent nodes.
    fn begin_ready(&self, working: &mut Working) -> Result<Next, JournalError> {
        let limits = &self.log.request.limits;
        let mut next = Next::Nothing;
        let mut partly_joined =
            self.log.progress().partly_joined(|number| working.opened.contains_key(&number)).into_iter();
        let mut last = None;
        loop {
            let candidate = match partly_joined.next() {
                Some(visit) => Some(visit),
                None => self.log.progress().next_ready(last).map(|(number, visit)| {
                    last = Some(number);
                    visit
                }),
            };
            let Some((node, visit)) = candidate else { return Ok(next) };
            if working.count() >= limits.concurrent_nodes.max(1) as usize {
                return Ok(next);
            }
            if self.log.staged() >= MOST_STAGED {
                return Ok(Next::Awaits);
            }
            let steps = self.log.progress().own_steps();
            if steps >= limits.steps {
                return Ok(Next::Limit(format!("The run took {steps} steps, its limit.")));
            }
            match self.log.permission(&node, visit)? {
                Permission::Given if self.log.slot.is_taken() => self.begin(node, visit, working),
                Permission::Given => next = Next::WantsSlot,
                Permission::Awaited if next == Next::Nothing => next = Next::Awaits,
                Permission::Awaited => {}
            }
        }
    }

    fn begin(&self, node: NodeId, number: u32, working: &mut Working) {
        let planned = {
            let progress = self.log.progress();
            progress.graph.plan(&node).cloned().zip(progress.graph.work(&node))
        };
        let Some((plan, work)) = planned else { return };
        let started = NodeStarted { visit: number, phase: plan.phase.clone() };
        self.log.stage(&node, Body::NodeStarted(started));
        let (state, comments) = {
            let progress = self.log.progress();
            (progress.state_of_visit(&node), progress.comments(&node))
        };
        let context = NodeContext::new(lane::Visit {
            log: self.log.clone(),
            model: self.model.clone(),
            live: self.live.clone(),
            engine: self.engine.clone(),
            commands: self.commands.clone(),
            stop: self.stop.clone(),
            plan,
            number,
            state,
            comments,
            lanes: Mutex::default(),
        });
        let visit = Visit { node, number, clock: Instant::now() };
        let work = AssertUnwindSafe(async move { work.run(&context).await }).catch_unwind();
        let mut work =
            Box::pin(work.map(|ended| ended.unwrap_or_else(|_| Err(NodeError::failed(NODE_DEFECT)))));
        // What only computes is over here. To make it a task would cost more than most of it does: another core is
        // woken for each.
        match work.as_mut().now_or_never() {
            Some(result) => working.computed.push_back((visit, result)),
            None => drop(working.visits.insert(working.tasks.spawn(work).id(), visit)),
        }
    }

    /// Stages the end of a visit. Returns the run's end if this visit causes it.
    fn end(
        &self,
        visit: Visit,
        result: Result<Outcome, NodeError>,
        working: &mut Working,
    ) -> Result<Option<Ending>, JournalError> {
        let opened = {
            let progress = self.log.progress();
            let number = progress.graph.number(&visit.node);
            number.filter(|number| !progress.graph.inside(*number).is_empty())
        };
        match result {
            Ok(outcome) if let Some(number) = opened => {
                working.opened.insert(number, (visit, outcome));
                Ok(None)
            }
            Ok(outcome) => Ok(self.succeed(&visit, outcome).err().map(|error| self.fail(&visit, &error))),
            Err(NodeError::Journal(error)) if leaves_run(&error) => Err(error),
            // The run is ending already, so its end is written elsewhere.
            Err(NodeError::Stopped) if self.stop.is_cancelled() => Ok(None),
            Err(NodeError::Stopped) => {
                let error = NodeError::failed("It gave up as if the run were stopped, which it is not.");
                Ok(Some(self.fail(&visit, &error)))
            }
            Err(error) => Ok(Some(self.fail(&visit, &error))),
        }
    }

    /// Stages the ends of visits whose own work has ended and within whose nodes nothing is left to do. Returns the
    /// run's end if one of them causes it.
    fn conclude(&self, working: &mut Working) -> Option<Ending> {
        loop {
            let (number, work, inside) = {
                let progress = self.log.progress();
                let number = progress.concluded(|number| working.opened.contains_key(&number))?;
                (number, progress.graph.work(progress.graph.id(number))?, progress.state_inside(number))
            };
            let (visit, outcome) = working.opened.remove(&number)?;
            let concluded = work.conclude(outcome, &inside);
            if let Err(error) = concluded.and_then(|outcome| self.succeed(&visit, outcome)) {
                return Some(self.fail(&visit, &error));
            }
        }
    }

    /// Stages the end of a visit that passes work on: it went well, or came to nothing that the run could not do
    /// without.
    ///
    /// # Errors
    /// It passes work on to what is no node.
    fn succeed(&self, visit: &Visit, outcome: Outcome) -> Result<(), NodeError> {
        let Outcome { patch, degraded, failed, next } = outcome;
        let (appended, next) = {
            let progress = self.log.progress();
            let lists = patch.keys().filter(|key| progress.graph.is_list(&visit.node, key));
            let appended: BTreeSet<String> = lists.cloned().collect();
            let beside = |name: &NodeId| {
                progress.graph.beside(&visit.node, name).cloned().ok_or_else(|| {
                    let sentence =
                        format!("It passes work on to \"{name}\", and there is no such node beside it.");
                    NodeError::failed(sentence)
                })
            };
            let next = next.map(|next| next.iter().map(beside).collect::<Result<Vec<_>, _>>()).transpose()?;
            (appended, next)
        };
        let next = next.unwrap_or_else(|| self.next(visit, &patch, &appended));
        let status = if failed.is_some() { NodeStatus::Failed } else { NodeStatus::Succeeded };
        let reason = failed.map(shortened);
        let finished =
            NodeFinished { status, reason, degraded, patch, appended, next, ..self.finished(visit) };
        self.log.stage(&visit.node, Body::NodeFinished(finished));
        Ok(())
    }

    /// The nodes that the edges pass work on to after this visit.
    fn next(&self, visit: &Visit, patch: &Patch, appended: &BTreeSet<String>) -> Vec<NodeId> {
        let (mut next, choose, mut state) = {
            let progress = self.log.progress();
            let flow = progress.graph.flow_targets(&visit.node).cloned().collect::<Vec<_>>();
            (flow, progress.graph.choose(&visit.node), progress.state_around(&visit.node))
        };
        if let Some(choose) = choose {
            state.merge(patch, |key| appended.contains(key));
            let chosen = choose(&state, visit.number);
            let progress = self.log.progress();
            let beside = chosen.iter().filter_map(|name| progress.graph.beside(&visit.node, name));
            let is_target =
                |node: &&NodeId| progress.graph.targets(&visit.node).any(|target| target == *node);
            next.extend(beside.filter(is_target).cloned());
        }
        next
    }

    fn fail(&self, visit: &Visit, error: &NodeError) -> Ending {
        let reason = Some(shortened(error.to_string()));
        let anew = matches!(error, NodeError::AnotherVersion(_));
        let finished = NodeFinished { status: NodeStatus::Failed, reason, anew, ..self.finished(visit) };
        self.log.stage(&visit.node, Body::NodeFinished(finished));
        let label = self.log.progress().graph.label(&visit.node);
        match error {
            NodeError::Limit(limit) => Ending::failed(limit.clone()),
            error => Ending::failed(format!("{label}: {error}")),
        }
    }

    fn finished(&self, visit: &Visit) -> NodeFinished {
        let planned = self.log.progress().graph.plan(&visit.node).map_or(1, |plan| plan.planned_visits);
        NodeFinished {
            visit: visit.number,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms: milliseconds(visit.clock),
            patch: Patch::new(),
            appended: BTreeSet::new(),
            next: Vec::new(),
            complete: visit.number == planned,
            anew: false,
        }
    }

    async fn out_of_time(&self) {
        match self.log.time_left() {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    }
}

fn skipped(node: NodeId, reason: &str) -> (Option<NodeId>, Body) {
    let reason = Some(reason.to_owned());
    (Some(node), Body::NodeStatusChanged(NodeStatusChanged { status: NodeStatus::Skipped, reason }))
}

/// Cuts a node's reason, which may have any length.
fn shortened(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    reason
}

/// Polls an optional future; pending for ever if there is none.
async fn done<T>(future: &mut Option<BoxFuture<'_, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// The result of [`Execution::begin_ready`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing can begin now.
    Nothing,
    /// Visits wait for approval, or for the disk.
    Awaits,
    /// A visit could begin, but the run has no place.
    WantsSlot,
    /// A limit is reached, which ends the run.
    Limit(String),
}
