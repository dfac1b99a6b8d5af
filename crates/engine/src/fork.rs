//! Which events a continued run takes over from its origin.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::{
    Answer, Body, CallFinished, CallId, CallStarted, Event, ForkPoint, Heard, InputReceived, InputRequest,
    NewEvent, NodeFinished, NodeId, NodeStatus, RunStatus, SubRunAwaits, SubRunFinished, SubRunStarted,
    ToolInvoked, ToolReturned,
};

use crate::{approval::approval_of, run_graph::RunGraph};

/// Why a run cannot be continued there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// The node does not exist, or has no such visit.
    #[error("The run has not finished visit {visit} to \"{node}\", so it cannot be continued there.")]
    NotVisited {
        /// The node.
        node: NodeId,
        /// The visit.
        visit: u32,
    },
    /// The phase does not exist, or was not reached.
    #[error("The run has not reached a phase \"{0}\", so it cannot be continued there.")]
    NoSuchPhase(String),
    /// The origin is still at work.
    #[error("The run is still at work. Stop it first, or continue from one of its finished nodes.")]
    Active,
    /// The origin was imported.
    #[error(
        "This run was imported, so it cannot be continued: what its file says was not done here. \
         Look at it, compare it or export it, and start a run of your own."
    )]
    Imported,
    /// The origin succeeded, so there is nothing to repeat.
    #[error("The run ended well, so there is nothing to continue. Run it again from one of its nodes.")]
    Succeeded,
}

/// The events of a log that stay valid, in order, without its start and plan.
///
/// Events that depend on the fork point are left out: those of all nodes reachable from it, from that point
/// on. Other nodes keep everything they did, so that nothing is paid for twice; of visits that did not end
/// well, everything before the first call that failed or has no answer is kept. `other_questions`: the new
/// run may ask something else than the origin, so unfinished visits keep nothing.
pub(crate) fn taken_over(
    events: Vec<Event>,
    graph: &RunGraph,
    point: &ForkPoint,
    other_questions: bool,
) -> Result<Vec<NewEvent>, ForkError> {
    let ways = Ways::find(&events, graph);
    let mut cuts = Cut::find(&events, graph, &ways, point)?;
    let mut lost = BTreeSet::new();
    let unfinished = loop {
        let is_kept = |event: &&Event| cuts.iter().all(|cut| cut.keeps(event));
        let unfinished = Unfinished::find(events.iter().filter(is_kept), other_questions);
        // Where a visit will not have let the graph grow, what its new nodes did and led to is left out, too.
        let growths = events.iter().filter(|event| !lost.contains(&event.seq) && !unfinished.keeps(event));
        let growth = growths.filter(is_kept).find_map(|event| match &event.body {
            Body::Grown(growth) => Some((event.seq, growth)),
            _ => None,
        });
        let Some((from, growth)) = growth else { break unfinished };
        lost.insert(from);
        let reached = ways.with_reached(growth.nodes.iter().map(|node| &node.plan.id));
        cuts.extend(Cut::all(&events, &ways, from, reached));
    };
    let settled = settled_questions(&events);
    let stays = |event: &Event| match &event.body {
        Body::InputRequested(request) => settled.contains(&request.input),
        Body::InputReceived(received) => settled.contains(&received.input),
        body => is_done_work(body),
    };
    let is_kept = |event: &Event| cuts.iter().all(|cut| cut.keeps(event));
    let kept = events.into_iter().filter(|event| stays(event) && is_kept(event) && unfinished.keeps(event));
    Ok(kept.map(|event| NewEvent { at: event.at, node: event.node, body: event.body }).collect())
}

/// Visits that did not end, or failed, by node.
struct Unfinished(BTreeMap<NodeId, UnfinishedVisit>);

struct UnfinishedVisit {
    /// Sequence number at which each call or question began.
    begun: BTreeMap<CallId, u64>,
    /// Sequence number at which each answered one ended.
    answered: BTreeMap<CallId, u64>,
    /// Sequence number of the visit's start.
    start: u64,
    /// Whether a call's failure is why the visit failed.
    anew: bool,
}

impl Unfinished {
    fn find<'e>(events: impl Iterator<Item = &'e Event>, anew: bool) -> Self {
        let mut visits = BTreeMap::new();
        for event in events {
            let Some(node) = &event.node else { continue };
            match &event.body {
                Body::NodeStarted(_) => {
                    let (begun, answered) = (BTreeMap::new(), BTreeMap::new());
                    let visit = UnfinishedVisit { begun, answered, start: event.seq, anew };
                    visits.entry(node.clone()).or_insert(visit);
                }
                Body::NodeFinished(finished) if is_settled_visit(finished) => {
                    visits.remove(node);
                }
                body => {
                    if let Some(visit) = visits.get_mut(node) {
                        visit.take(event.seq, body);
                    }
                }
            }
        }
        Self(visits)
    }

    fn keeps(&self, event: &Event) -> bool {
        let Some(visit) = event.node.as_ref().and_then(|node| self.0.get(node)) else { return true };
        match call_of(&event.body) {
            Some(call) if !visit.begun.contains_key(call) => true, // Of an earlier visit.
            Some(call) => visit.answered.get(call).is_some_and(|answered| *answered < visit.end_of(call)),
            None => !event.body.is_emitted() || event.seq < visit.end(),
        }
    }
}

impl UnfinishedVisit {
    fn take(&mut self, seq: u64, body: &Body) {
        match (body, call_of(body)) {
            (
                Body::CallStarted(_)
                | Body::ToolInvoked(_)
                | Body::InputRequested(_)
                | Body::SubRunStarted(_),
                Some(call),
            ) => {
                self.begun.entry(call.clone()).or_insert(seq);
            }
            (Body::CallFinished(finished), _) if finished.error.is_some() => {}
            (Body::InputReceived(received), _) if !is_settled(received) => {}
            (Body::SubRunAwaits(_), _) => {}
            (Body::SubRunFinished(finished), _) if finished.status != RunStatus::Succeeded => {}
            (Body::Heard(_), Some(look)) => {
                self.begun.insert(look.clone(), seq);
                self.answered.insert(look.clone(), seq);
            }
            (_, Some(call)) => drop(self.answered.insert(call.clone(), seq)),
            (Body::NodeFinished(finished), None) => self.anew |= finished.anew,
            _ => {}
        }
    }

    /// The first event that is not kept: that of the first call that failed or has no answer. The visit is
    /// repeated from there.
    fn end(&self) -> u64 {
        self.first_open(|_| true)
    }

    /// The same for the lane that a call was made in: what is open in other lanes beside it does not matter.
    fn end_of(&self, call: &CallId) -> u64 {
        let lane = call.lane();
        self.first_open(|open| match (open.lane(), &lane) {
            (None, _) => true,
            (Some(_), None) => true,
            (Some(open), Some(lane)) => open.holds(lane) || lane.holds(&open),
        })
    }

    fn first_open(&self, counts: impl Fn(&CallId) -> bool) -> u64 {
        if self.anew {
            return self.start;
        }
        let open = self.begun.iter().filter(|(call, _)| !self.answered.contains_key(*call) && counts(call));
        open.map(|(_, begun)| *begun).min().unwrap_or(u64::MAX)
    }
}

/// The call or question that an event belongs to.
fn call_of(body: &Body) -> Option<&CallId> {
    match body {
        Body::CallStarted(CallStarted { call, .. })
        | Body::CallFinished(CallFinished { call, .. })
        | Body::ToolInvoked(ToolInvoked { call, .. })
        | Body::ToolReturned(ToolReturned { call, .. }) => Some(call),
        Body::InputRequested(InputRequest { input, .. })
        | Body::InputReceived(InputReceived { input, .. }) => Some(input),
        Body::Heard(Heard { look, .. }) => Some(look),
        Body::SubRunStarted(SubRunStarted { call, .. })
        | Body::SubRunAwaits(SubRunAwaits { call, .. })
        | Body::SubRunFinished(SubRunFinished { call, .. }) => Some(call),
        _ => None,
    }
}

/// Questions whose answers are kept. Others are asked again, with a new deadline; so are those that a person
/// rejected.
fn settled_questions(events: &[Event]) -> BTreeSet<CallId> {
    let answers = events.iter().filter_map(|event| match &event.body {
        Body::InputReceived(received) => Some(received),
        _ => None,
    });
    answers.filter(|it| is_settled(it)).map(|received| received.input.clone()).collect()
}

fn is_settled(received: &InputReceived) -> bool {
    !matches!(received.answer, Answer::Rejected { .. } | Answer::Expired)
}

/// Whether a visit is not repeated: it went well, or others have gone on without what it came to.
fn is_settled_visit(finished: &NodeFinished) -> bool {
    finished.status != NodeStatus::Failed || !finished.next.is_empty()
}

/// Whether an event records completed work. Failed work is repeated; the plan and the run's own status belong
/// to the new run.
fn is_done_work(body: &Body) -> bool {
    match body {
        Body::NodeFinished(finished) => is_settled_visit(finished),
        Body::RunStarted(_)
        | Body::StatusChanged(_)
        | Body::RunFinished(_)
        | Body::NodeAdded(_)
        | Body::EdgeAdded(_)
        | Body::NodeStatusChanged(_)
        | Body::ApprovalChanged(_)
        | Body::ChatAsked(_)
        | Body::ChatAnswered(_) => false,
        _ => true,
    }
}

/// The events that are left out.
struct Cut {
    /// The first sequence number that can be left out.
    from: u64,
    /// What is left out from there on.
    reached: Reached,
}

/// What work can come to.
#[derive(Default)]
struct Reached {
    /// Nodes whose visits depend on it.
    nodes: BTreeSet<NodeId>,
    /// Nodes of which only the end of a visit does, since one within them is reached.
    ends: BTreeSet<NodeId>,
}

impl Cut {
    fn find(
        events: &[Event],
        graph: &RunGraph,
        ways: &Ways,
        point: &ForkPoint,
    ) -> Result<Vec<Self>, ForkError> {
        match point {
            ForkPoint::Before { node, visit } => {
                finish_of(events, node, *visit)?;
                let from = start_of(events, node, *visit)?;
                Ok(Self::all(events, ways, from, ways.with_reached([node])))
            }
            ForkPoint::After { node, visit } => match finish_of(events, node, *visit)? {
                (seq, NodeStatus::Succeeded) => {
                    Ok(Self::all(events, ways, seq + 1, ways.reached_from([node])))
                }
                _ => Err(ForkError::NotVisited { node: node.clone(), visit: *visit }),
            },
            ForkPoint::Phase { phase } => {
                let grown = events.iter().filter_map(|event| match &event.body {
                    Body::Grown(growth) => Some(growth.nodes.iter().map(|node| &node.plan)),
                    _ => None,
                });
                let plans = graph.plans().chain(grown.flatten()).filter(|plan| plan.phase == *phase);
                let nodes: Vec<_> = plans.map(|plan| &plan.id).collect();
                let starts = nodes.iter().filter_map(|node| start_of(events, node, 1).ok());
                let from = starts.min().ok_or_else(|| ForkError::NoSuchPhase(phase.clone()))?;
                Ok(Self::all(events, ways, from, ways.with_reached(nodes)))
            }
            ForkPoint::End => {
                let end = events.iter().find_map(|event| match &event.body {
                    Body::RunFinished(finished) => Some(finished.status),
                    _ => None,
                });
                match end {
                    None => Err(ForkError::Active),
                    Some(RunStatus::Succeeded) => Err(ForkError::Succeeded),
                    Some(_) => Ok(Vec::new()),
                }
            }
        }
    }

    /// What is reached is left out from this event on. A node that only ends anew keeps what else belongs to its
    /// visit there; its later visits are left out, with all that is within it.
    fn all(events: &[Event], ways: &Ways, from: u64, reached: Reached) -> Vec<Self> {
        let later = reached.ends.iter().filter_map(|node| {
            let starts = events.iter().filter_map(|event| match &event.body {
                Body::NodeStarted(started) if event.node.as_ref() == Some(node) => {
                    Some((event.seq, started.visit))
                }
                _ => None,
            });
            let (before, after): (Vec<_>, Vec<_>) = starts.partition(|(seq, _)| *seq < from);
            let present = before.last().map(|(_, visit)| *visit);
            let (from, _) = after.into_iter().find(|(_, visit)| Some(*visit) != present)?;
            Some(Self { from, reached: ways.with_reached([node]) })
        });
        let later: Vec<_> = later.collect();
        std::iter::once(Self { from, reached }).chain(later).collect()
    }

    fn keeps(&self, event: &Event) -> bool {
        let is_affected = event.node.as_ref().is_none_or(|node| {
            let ends = matches!(event.body, Body::NodeFinished(_)) && self.reached.ends.contains(node);
            ends || self.reached.nodes.contains(node)
        });
        event.seq < self.from || !is_affected
    }
}

/// Where work comes to from each node.
#[derive(Default)]
struct Ways {
    /// Where it passes work on to at the end of a visit: by its edges, and wherever else it did in the log. What it
    /// let the graph grow by counts as that.
    on: HashMap<NodeId, BTreeSet<NodeId>>,
    /// The nodes within it, which begin with its visit.
    inside: HashMap<NodeId, Vec<NodeId>>,
    /// The node that it is within, whose visit ends after its own.
    owners: HashMap<NodeId, NodeId>,
}

impl Ways {
    fn find(events: &[Event], graph: &RunGraph) -> Self {
        let mut ways = Self::default();
        let mut nodes: BTreeSet<&NodeId> = graph.plans().map(|plan| &plan.id).collect();
        for edge in graph.edges() {
            ways.add(&edge.from, &edge.to);
        }
        for event in events {
            match (&event.node, &event.body) {
                (Some(node), Body::NodeFinished(finished)) => {
                    finished.next.iter().for_each(|next| ways.add(node, next));
                }
                (Some(node), Body::Grown(growth)) => {
                    let new = growth.nodes.iter().map(|new| &new.plan.id);
                    nodes.extend(new.clone());
                    // What is within the node itself begins with its visit, not with the end of that.
                    let beyond = new.filter(|new| new.enclosing().all(|place| place != *node));
                    beyond.for_each(|new| ways.add(node, new));
                    growth.edges.iter().for_each(|edge| ways.add(&edge.from, &edge.to));
                }
                _ => {}
            }
        }
        for node in &nodes {
            if let Some(owner) = node.enclosing().find(|place| nodes.contains(place)) {
                ways.inside.entry(owner.clone()).or_default().push((*node).clone());
                ways.owners.insert((*node).clone(), owner);
            }
        }
        ways
    }

    fn add(&mut self, from: &NodeId, to: &NodeId) {
        self.on.entry(from.clone()).or_default().insert(to.clone());
    }

    /// All that work can come to from the ends of visits to these nodes.
    fn reached_from<'n>(&'n self, from: impl IntoIterator<Item = &'n NodeId>) -> Reached {
        let mut reached = Reached::default();
        for node in from {
            self.follow(node, &mut reached);
        }
        reached
    }

    /// The same with these nodes themselves.
    fn with_reached<'n>(&'n self, from: impl IntoIterator<Item = &'n NodeId>) -> Reached {
        let mut reached = Reached::default();
        for node in from {
            self.visit(node, &mut reached);
        }
        reached
    }

    /// Adds a node, what is within it, and all that work can come to from there.
    fn visit<'n>(&'n self, node: &'n NodeId, reached: &mut Reached) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if reached.nodes.insert(node.clone()) {
                open.extend(self.inside.get(node).into_iter().flatten());
                self.leave(node, reached, &mut open);
            }
        }
    }

    /// Adds all that work can come to from the end of a visit to a node.
    fn follow<'n>(&'n self, node: &'n NodeId, reached: &mut Reached) {
        let mut open = Vec::new();
        self.leave(node, reached, &mut open);
        open.into_iter().for_each(|node| self.visit(node, reached));
    }

    /// Where the end of a visit leads: to the nodes behind it, and to the end of the node that it is within, which
    /// leads on.
    fn leave<'n>(&'n self, node: &'n NodeId, reached: &mut Reached, open: &mut Vec<&'n NodeId>) {
        let mut ended = Some(node);
        while let Some(node) = ended {
            open.extend(self.on.get(node).into_iter().flatten());
            ended = self.owners.get(node).filter(|owner| reached.ends.insert((*owner).clone()));
        }
    }
}

/// The first event of a visit: its approval question if there was one, else its start.
fn start_of(events: &[Event], node: &NodeId, visit: u32) -> Result<u64, ForkError> {
    let approval = approval_of(node, visit);
    let start = events.iter().find(|event| match &event.body {
        Body::InputRequested(request) => request.input == approval,
        Body::NodeStarted(started) => event.node.as_ref() == Some(node) && started.visit == visit,
        _ => false,
    });
    start.map(|event| event.seq).ok_or_else(|| ForkError::NotVisited { node: node.clone(), visit })
}

fn finish_of(events: &[Event], node: &NodeId, visit: u32) -> Result<(u64, NodeStatus), ForkError> {
    let finish = events.iter().find_map(|event| match &event.body {
        Body::NodeFinished(finished) if event.node.as_ref() == Some(node) && finished.visit == visit => {
            Some((event.seq, finished.status))
        }
        _ => None,
    });
    finish.ok_or_else(|| ForkError::NotVisited { node: node.clone(), visit })
}
