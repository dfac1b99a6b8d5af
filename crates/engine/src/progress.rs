mod calls;
mod levels;
mod people;
mod visits;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use llm::ChatAnswer;
use protocol::{
    AccountId, Answer, Approval, Body, CallId, CallStarted, Digest, InputRequest, LaneId, NodeId, Patch,
    RunId, RunStatus, Stopped, Timestamp, Totals,
};

use self::levels::Level;
use crate::{
    Message, State, ToolResult,
    prompt::LastPrompt,
    run_graph::{Number, RunGraph},
    sub_run::ask_key,
};

/// What a run has done: the fold of its log that the executor decides by.
///
/// A run that goes on and one that is resumed use the same fold. Applying an event takes no longer where the
/// graph is larger: which visits can begin is kept, and what only a visit in flight needs is dropped with its
/// end.
pub(crate) struct Progress {
    pub graph: RunGraph,
    /// The nodes that are within no other.
    outermost: Level,
    pub totals: Totals,
    /// Model calls in flight.
    open_calls: BTreeSet<CallId>,
    /// Visits begun.
    steps: u32,
    /// Totals and visits begun that were taken over from the origin. The run's own limits do not count them.
    inherited: (Totals, u32),
    /// What ended runs used that it has started, and how much of that was taken over.
    below: Totals,
    inherited_below: Totals,
    /// Runs that visits in flight have started.
    sub_runs: HashMap<CallId, Below>,
    /// The approve mode: before which nodes the run pauses.
    pub approval: Approval,
    /// The account that changed it last.
    pub approval_by: Option<AccountId>,
    /// Set when a person rejected to go on.
    pub rejected: Option<Stopped>,
    /// By the graph's numbers.
    nodes: Vec<NodeProgress>,
    /// Nodes that can begin a visit.
    ready: BTreeSet<Number>,
    in_flight: BTreeSet<Number>,
    /// Those of them within which nothing is at work or can begin.
    idle: BTreeSet<Number>,
    /// Calls of models and tools in the visits in flight.
    asked: HashMap<CallId, Asked>,
    /// Answers to those calls of models, or their errors.
    answers: HashMap<CallId, Result<ChatAnswer, String>>,
    /// Results of those calls of tools.
    results: HashMap<CallId, ToolResult>,
    /// Questions asked in those visits.
    questions: HashMap<CallId, InputRequest>,
    /// Answers of people to those questions.
    received: HashMap<CallId, Answer>,
    /// What was taken from inboxes in those visits.
    heard: HashMap<CallId, Vec<Message>>,
    /// Questions without an answer, with the node that asks.
    open: BTreeMap<CallId, (NodeId, InputRequest)>,
    /// All questions that were answered.
    answered: HashSet<CallId>,
}

/// How a run has ended, and why, where it did not end well.
pub(crate) type SubRunEnd = (RunStatus, Option<String>);

/// A run that a node has started, as the log has it.
#[derive(Debug)]
struct Below {
    node: NodeId,
    run: RunId,
    asked: Digest,
    /// What it asks people, and since when.
    asks: Vec<(RunId, CallId, Timestamp)>,
    end: Option<SubRunEnd>,
}

/// A call of a model or a tool, as the log has it.
#[derive(Debug)]
struct Asked {
    node: NodeId,
    at: Timestamp,
    /// The model that was asked; empty for a tool.
    model: String,
    /// `None` in logs of old versions.
    digest: Option<Digest>,
}

#[derive(Debug, Default)]
struct NodeProgress {
    visits: u32,
    in_flight: bool,
    /// The state around the node when the visit in flight began.
    state: State,
    /// The nodes within this one, whose state begins as that.
    inside: Level,
    /// Whether it is at work or can begin.
    is_open: bool,
    /// Events that the visit in flight has emitted; a repeated visit skips as many.
    emitted: usize,
    /// Its calls and questions since its last visit ended.
    calls: Vec<CallId>,
    /// Sources of flow edges that have delivered since the node's last visit.
    joined: BTreeSet<Number>,
    /// Triggers by conditional and loop edges; each is one visit.
    triggers: u32,
    /// The approved visit, and the digest of what was shown.
    approved: Option<(u32, Digest)>,
    /// What was asked last outside of all lanes, and in each lane, in any of its visits.
    prompts: BTreeMap<Option<LaneId>, LastPrompt>,
    /// What people have told it and no visit has taken.
    inbox: Vec<Message>,
    /// Comments for the next visit, from people who sent the work back.
    comments: Vec<String>,
}

impl Progress {
    /// The progress of a run whose plan is all that there is.
    pub fn planned(graph: RunGraph, approval: Approval) -> Self {
        let nodes = graph.plans().map(|_| NodeProgress::default()).collect();
        let entries: Vec<Number> = graph.entries().collect();
        let mut progress = Self {
            graph,
            outermost: Level::default(),
            totals: Totals::default(),
            open_calls: BTreeSet::new(),
            steps: 0,
            inherited: (Totals::default(), 0),
            below: Totals::default(),
            inherited_below: Totals::default(),
            sub_runs: HashMap::new(),
            approval,
            approval_by: None,
            rejected: None,
            nodes,
            ready: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            idle: BTreeSet::new(),
            asked: HashMap::new(),
            answers: HashMap::new(),
            results: HashMap::new(),
            questions: HashMap::new(),
            received: HashMap::new(),
            heard: HashMap::new(),
            open: BTreeMap::new(),
            answered: HashSet::new(),
        };
        entries.into_iter().for_each(|entry| progress.trigger(entry));
        progress
    }

    /// Marks all so far as taken over from the origin.
    pub fn inherit(&mut self) {
        self.inherited = (self.totals.clone(), self.steps);
        self.inherited_below = self.below.clone();
    }

    /// What the run has used itself.
    pub fn own_totals(&self) -> Totals {
        self.totals.since(&self.inherited.0)
    }

    /// The visits that the run has begun itself.
    pub fn own_steps(&self) -> u32 {
        self.steps.saturating_sub(self.inherited.1)
    }

    /// Applies an event. Its texts must be whole, not previews.
    pub fn apply(&mut self, at: Timestamp, node: Option<&NodeId>, body: &Body) {
        self.totals.count(&mut self.open_calls, body);
        let number = node.and_then(|id| self.graph.number(id));
        match (body, number) {
            (Body::NodeStarted(started), Some(number)) => self.begin_visit(number, started.visit),
            (Body::Grown(growth), Some(number)) => self.grow(number, growth),
            (Body::NodeFinished(finished), Some(number)) => self.end_visit(number, finished),
            // Of a node that a continued run does not have any more.
            (Body::NodeFinished(finished), None) => self.take_patch(self.level_of(node), finished),
            (Body::CallStarted(started), Some(number)) => {
                let CallStarted { call, model, asked, .. } = started;
                self.note_asked(number, at, call, model, asked.as_ref());
                self.note_prompt(number, started);
            }
            (Body::CallFinished(finished), _) => self.end_call(finished),
            (Body::ToolInvoked(invoked), Some(number)) => {
                self.note_asked(number, at, &invoked.call, "", invoked.asked.as_ref());
            }
            (Body::ToolReturned(returned), _) => {
                let text = returned.result.whole().unwrap_or_default().to_owned();
                let result = ToolResult { status: returned.status, text, vendor: returned.vendor.clone() };
                self.results.insert(returned.call.clone(), result);
            }
            (Body::SubRunStarted(started), Some(number)) => {
                self.nodes[number].calls.push(started.call.clone());
                let (node, run) = (self.graph.id(number).clone(), started.run);
                let sub_run = Below { node, run, asked: started.asked.clone(), asks: Vec::new(), end: None };
                self.sub_runs.insert(started.call.clone(), sub_run);
            }
            (Body::SubRunAwaits(awaits), _) => {
                if let Some(sub_run) = self.sub_runs.get_mut(&awaits.call) {
                    sub_run.asks = awaits.asks.iter().map(ask_key).collect();
                }
            }
            (Body::SubRunFinished(finished), _) => {
                self.below.add(&finished.totals);
                if let Some(sub_run) = self.sub_runs.get_mut(&finished.call) {
                    sub_run.end = Some((finished.status, finished.error.clone()));
                }
            }
            (Body::InputRequested(request), Some(number)) => {
                let input = &request.input;
                self.nodes[number].calls.push(input.clone());
                self.questions.insert(input.clone(), request.clone());
                self.open.insert(input.clone(), (self.graph.id(number).clone(), request.clone()));
            }
            (Body::InputReceived(received), Some(number)) => self.receive(number, received),
            (Body::Told(told), Some(number)) => {
                let text = told.content.whole().unwrap_or_default().to_owned();
                self.nodes[number].inbox.push(Message { by: told.by.clone(), text });
            }
            (Body::Heard(heard), Some(number)) => self.hear(number, heard),
            (Body::StateEdited(edited), _) => {
                for (key, value) in &edited.patch {
                    let (owner, key) = self.place_of(key);
                    self.edit(owner, &Patch::from([(key.to_owned(), value.clone())]));
                }
            }
            (Body::ApprovalChanged(changed), _) => {
                self.approval = changed.approval.clone();
                self.approval_by = Some(changed.by.clone());
            }
            (body, Some(number)) if body.is_emitted() => self.nodes[number].emitted += 1,
            _ => {}
        }
    }

    /// What the run has used itself, together with the ended runs that it has started.
    pub fn used_below(&self) -> Totals {
        let mut used = self.own_totals();
        used.add(&self.below.since(&self.inherited_below));
        used
    }

    /// What the run has used with what it took over, together with the ended runs that it, or the one that it
    /// continues, has started.
    pub fn used(&self) -> Totals {
        let mut used = self.totals.clone();
        used.add(&self.below);
        used
    }

    /// The totals after these events as well.
    pub fn totals_with<'b>(&self, bodies: impl IntoIterator<Item = &'b Body>) -> Totals {
        let (mut totals, mut open) = (self.totals.clone(), self.open_calls.clone());
        bodies.into_iter().for_each(|body| totals.count(&mut open, body));
        totals
    }

    /// Events that the visit in flight to `node` has emitted.
    pub fn emitted(&self, node: &NodeId) -> usize {
        self.node(node).map_or(0, |node| node.emitted)
    }

    fn node(&self, id: &NodeId) -> Option<&NodeProgress> {
        self.nodes.get(self.graph.number(id)?)
    }
}
