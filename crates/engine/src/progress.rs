use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use llm::{Arguments, ChatAnswer, ToolRequest};
use protocol::{
    AccountId, Answer, Approval, Body, CallFinished, CallId, CallStarted, Digest, Growth, Heard, InputForm,
    InputReceived, InputRequest, Join, LaneId, NodeFinished, NodeId, Patch, Prompt, RunId, RunStatus,
    Stopped, Timestamp, Totals,
};

use crate::{
    Message, NodeError, State, ToolResult,
    prompt::{LastPrompt, NewPrompt},
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

/// The nodes that are within the same node, or within none.
#[derive(Debug, Default)]
struct Level {
    /// Their state.
    state: State,
    /// How many of them are at work or can begin.
    open: usize,
    /// Those that could begin with what was delivered, once none of them is open.
    partly_joined: BTreeSet<Number>,
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

    fn grow(&mut self, author: Number, growth: &Growth) {
        self.nodes[author].emitted += 1;
        self.graph.grow(growth);
        let new = self.nodes.len()..self.graph.len();
        self.nodes.resize_with(new.end, NodeProgress::default);
        for number in new {
            // What is within a node that is not at work begins with its visit.
            let begins = self.graph.owner(number).is_none_or(|owner| self.nodes[owner].in_flight);
            self.nodes[number].triggers = u32::from(begins && self.graph.is_entry(number));
            self.settle(number);
        }
        // A new edge changes what a join waits for.
        for edge in &growth.edges {
            if let Some(number) = self.graph.number(&edge.to) {
                self.settle(number);
            }
        }
    }

    fn hear(&mut self, number: Number, heard: &Heard) {
        let node = &mut self.nodes[number];
        let messages = node.inbox.len().min(heard.messages as usize);
        let taken = node.inbox.drain(..messages).collect();
        node.calls.push(heard.look.clone());
        self.heard.insert(heard.look.clone(), taken);
    }

    fn note_asked(
        &mut self,
        number: Number,
        at: Timestamp,
        call: &CallId,
        model: &str,
        digest: Option<&Digest>,
    ) {
        self.nodes[number].calls.push(call.clone());
        let (node, model, digest) = (self.graph.id(number).clone(), model.to_owned(), digest.cloned());
        self.asked.insert(call.clone(), Asked { node, at, model, digest });
    }

    fn note_prompt(&mut self, number: Number, started: &CallStarted) {
        let (lane, prompts) = (started.call.lane(), &mut self.nodes[number].prompts);
        if let Some(last) = LastPrompt::after(prompts.remove(&lane), started) {
            prompts.insert(lane, last);
        }
    }

    fn begin_visit(&mut self, number: Number, visit: u32) {
        let state = self.level(self.graph.owner(number)).state.clone();
        let node = &mut self.nodes[number];
        if node.in_flight && node.visits == visit {
            return; // Repeated after a crash.
        }
        node.visits = visit;
        node.approved = None;
        node.in_flight = true;
        node.inside.state = state.clone();
        node.state = state;
        node.emitted = 0;
        if node.triggers > 0 {
            node.triggers -= 1;
        } else {
            node.joined.clear();
        }
        self.steps += 1;
        self.in_flight.insert(number);
        self.settle(number);
        for inner in self.graph.inside(number).to_vec() {
            self.nodes[inner].joined.clear();
            self.nodes[inner].triggers = u32::from(self.graph.is_entry(inner));
            self.settle(inner);
        }
        self.settle_inside(number);
    }

    fn receive(&mut self, number: Number, received: &InputReceived) {
        let asked = self.open.remove(&received.input).map(|(_, request)| request.form);
        self.answered.insert(received.input.clone());
        self.received.insert(received.input.clone(), received.answer.clone());
        match (&received.answer, asked) {
            (Answer::Approved { digest, edits }, Some(InputForm::Approval(form))) => {
                self.nodes[number].approved = Some((form.visit, digest.clone()));
                self.level_mut(self.graph.owner(number)).state.merge(edits, |_| false);
            }
            (Answer::SentBack { to, comment }, _) => {
                let to = self.graph.number(to);
                self.withdraw(number, to);
                if let Some(to) = to {
                    self.nodes[to].comments.push(comment.clone());
                    self.trigger(to);
                }
            }
            (Answer::Rerouted { to }, _) => {
                self.withdraw(number, None);
                if let Some(to) = self.graph.number(to) {
                    self.trigger(to);
                }
            }
            (Answer::Rejected { reason }, _) => {
                let by = received.by.clone().unwrap_or_default();
                self.rejected = Some(Stopped { by, reason: reason.clone() });
            }
            _ => {}
        }
    }

    /// Removes the triggers of the node's next visit. A join keeps the deliveries of sources other than
    /// `source`.
    fn withdraw(&mut self, number: Number, source: Option<Number>) {
        let node = &mut self.nodes[number];
        match source {
            _ if node.triggers > 0 => node.triggers -= 1,
            Some(source) if node.joined.contains(&source) => {
                node.joined.remove(&source);
            }
            _ => node.joined.clear(),
        }
        self.settle(number);
    }

    /// Changes the state within a node, or that of the run. A visit in flight that was taken over is still to be
    /// repeated, so it gets the edit as well, and so does what is within it.
    fn edit(&mut self, owner: Option<Number>, patch: &Patch) {
        self.level_mut(owner).state.merge(patch, |_| false);
        for number in &self.in_flight {
            let mut around = std::iter::successors(Some(*number), |number| self.graph.owner(*number)).skip(1);
            if owner.is_none_or(|owner| around.any(|number| number == owner)) {
                let node = &mut self.nodes[*number];
                node.state.merge(patch, |_| false);
                node.inside.state.merge(patch, |_| false);
            }
        }
    }

    /// Where a state key stands: within the node at work whose path it begins with, by the rest of it.
    fn place_of<'k>(&self, key: &'k str) -> (Option<Number>, &'k str) {
        let within = key.rsplit_once('/').and_then(|(path, key)| {
            let number = self.graph.number(&path.parse().ok()?)?;
            self.nodes[number].in_flight.then_some((Some(number), key))
        });
        within.unwrap_or((None, key))
    }

    /// The node within which this one is, or was, if that is still there.
    fn level_of(&self, node: Option<&NodeId>) -> Option<Number> {
        node?.enclosing().find_map(|id| self.graph.number(&id))
    }

    fn level(&self, owner: Option<Number>) -> &Level {
        owner.map_or(&self.outermost, |owner| &self.nodes[owner].inside)
    }

    fn level_mut(&mut self, owner: Option<Number>) -> &mut Level {
        match owner {
            Some(owner) => &mut self.nodes[owner].inside,
            None => &mut self.outermost,
        }
    }

    fn end_visit(&mut self, number: Number, finished: &NodeFinished) {
        self.forget_calls(number);
        let node = &mut self.nodes[number];
        node.in_flight = false;
        node.state = State::default();
        node.inside.state = State::default();
        node.comments.clear();
        self.in_flight.remove(&number);
        self.settle(number);
        self.settle_inside(number);
        self.take_patch(self.graph.owner(number), finished);
        for next in &finished.next {
            let Some(next) = self.graph.number(next) else { continue };
            if self.graph.joins(number, next) {
                self.nodes[next].joined.insert(number);
                self.settle(next);
            } else {
                self.trigger(next);
            }
        }
    }

    fn take_patch(&mut self, owner: Option<Number>, finished: &NodeFinished) {
        self.level_mut(owner).state.merge(&finished.patch, |key| finished.appended.contains(key));
    }

    fn trigger(&mut self, number: Number) {
        self.nodes[number].triggers += 1;
        self.settle(number);
    }

    /// Keeps whether the node can begin a visit, after a change of what that depends on.
    fn settle(&mut self, number: Number) {
        let node = &self.nodes[number];
        let (join, sources) = self.graph.join(number);
        let needed = match join {
            Join::All | Join::Reached => sources,
            Join::Any => 1,
            Join::Count(count) => sources.min(count as usize).max(1),
        };
        let joined = node.joined.len();
        let may_work = self.graph.may_work(self.graph.id(number), node.visits + 1);
        let is_due = node.triggers > 0 || (joined > 0 && joined >= needed);
        let is_fed = may_work && is_due;
        let is_partly_fed = may_work && !is_due && joined > 0 && join == Join::Reached;
        let (in_flight, was_open) = (node.in_flight, node.is_open);
        let is_open = in_flight || is_fed;
        let keep = |set: &mut BTreeSet<Number>, is_in| {
            if is_in && !in_flight { set.insert(number) } else { set.remove(&number) }
        };
        keep(&mut self.ready, is_fed);
        self.nodes[number].is_open = is_open;
        let owner = self.graph.owner(number);
        let level = self.level_mut(owner);
        keep(&mut level.partly_joined, is_partly_fed);
        match (was_open, is_open) {
            (false, true) => level.open += 1,
            (true, false) => level.open -= 1,
            (false, false) | (true, true) => {}
        }
        if let Some(owner) = owner {
            self.settle_inside(owner);
        }
    }

    /// Keeps whether anything within the node is at work or can begin.
    fn settle_inside(&mut self, number: Number) {
        let node = &self.nodes[number];
        let is_idle = node.in_flight && node.inside.open == 0 && !self.graph.inside(number).is_empty();
        if is_idle {
            self.idle.insert(number)
        } else {
            self.idle.remove(&number)
        };
    }

    /// Drops the visit's calls, which only a repetition would need. A call that is still open was cut off by
    /// a crash and not repeated, and a started run may still be at work; they stay, since the run's end has to
    /// close them.
    fn forget_calls(&mut self, number: Number) {
        let mut calls = std::mem::take(&mut self.nodes[number].calls);
        calls.retain(|call| {
            let is_at_work = self.sub_runs.get(call).is_some_and(|sub_run| sub_run.end.is_none());
            let stays = self.open_calls.contains(call) || is_at_work;
            if !stays {
                self.asked.remove(call);
                self.answers.remove(call);
                self.results.remove(call);
                self.questions.remove(call);
                self.received.remove(call);
                self.heard.remove(call);
                self.sub_runs.remove(call);
            }
            stays
        });
        self.nodes[number].calls = calls;
    }

    fn end_call(&mut self, finished: &CallFinished) {
        if let Some(error) = &finished.error {
            self.answers.insert(finished.call.clone(), Err(error.clone()));
            return;
        }
        let whole = |text: &protocol::Text| text.whole().unwrap_or_default().to_owned();
        let tool_requests = finished.tool_requests.iter().map(|request| ToolRequest {
            id: request.id.clone(),
            name: request.name.clone(),
            arguments: arguments(request),
            echo: request.echo.as_ref().and_then(object),
        });
        let answer = ChatAnswer {
            model: finished.model.clone(),
            text: whole(&finished.answer),
            thoughts: whole(&finished.thoughts),
            tool_requests: tool_requests.collect(),
            echo: finished.echo.as_ref().and_then(object),
            usage: finished.usage,
            cost: finished.cost,
            attempts: finished.attempts.clone(),
        };
        self.answers.insert(finished.call.clone(), Ok(answer));
    }

    /// The answer to a call, or why there is none, if that is in the log.
    pub fn answer(&self, call: &CallId) -> Option<Result<ChatAnswer, String>> {
        self.answers.get(call).cloned()
    }

    /// What the log is to have of the prompt of a call that a node is about to make.
    pub fn prompt(&self, node: &NodeId, call: &CallId, prompt: NewPrompt) -> Prompt {
        let last = self.node(node).and_then(|node| node.prompts.get(&call.lane()));
        prompt.after(last, call)
    }

    /// The result of a tool call, if it is in the log.
    pub fn result(&self, call: &CallId) -> Option<ToolResult> {
        self.results.get(call).cloned()
    }

    /// Checks that the log's call of this id asked the same.
    ///
    /// # Errors
    /// [`NodeError::AnotherVersion`].
    pub fn check_asked(&self, call: &CallId, asked: &Digest) -> Result<(), NodeError> {
        let logged = self.asked.get(call).and_then(|asked| asked.digest.as_ref());
        let is_another = self.is_answered(call) && logged.is_some_and(|logged| logged != asked);
        if is_another || self.was_asked(call) || self.heard.contains_key(call) {
            return Err(NodeError::AnotherVersion(call.clone()));
        }
        Ok(())
    }

    /// The same check for a question to a person.
    pub fn check_question(&self, input: &CallId, prompt: &str, form: &InputForm) -> Result<(), NodeError> {
        let is_another =
            self.questions.get(input).is_some_and(|logged| logged.prompt != prompt || logged.form != *form);
        if is_another || self.is_answered(input) || self.heard.contains_key(input) {
            return Err(NodeError::AnotherVersion(input.clone()));
        }
        Ok(())
    }

    fn is_answered(&self, call: &CallId) -> bool {
        self.answers.contains_key(call) || self.results.contains_key(call) || self.sub_runs.contains_key(call)
    }

    /// The same check for a run to be started.
    pub fn check_sub_run(&self, call: &CallId, asked: &Digest) -> Result<(), NodeError> {
        let is_another = match self.sub_runs.get(call) {
            Some(sub_run) => sub_run.asked != *asked,
            None => self.is_known(call) || self.heard.contains_key(call),
        };
        if is_another { Err(NodeError::AnotherVersion(call.clone())) } else { Ok(()) }
    }

    /// The run that a visit in flight started in this call, and how it ended, as far as the log has it.
    pub fn sub_run(&self, call: &CallId) -> Option<(RunId, Option<SubRunEnd>)> {
        self.sub_runs.get(call).map(|sub_run| (sub_run.run, sub_run.end.clone()))
    }

    /// What that run asks people, as this run's log has it.
    pub fn asks(&self, call: &CallId) -> Vec<(RunId, CallId, Timestamp)> {
        self.sub_runs.get(call).map(|sub_run| sub_run.asks.clone()).unwrap_or_default()
    }

    /// The node that started it.
    pub fn node_of_sub_run(&self, call: &CallId) -> Option<NodeId> {
        self.sub_runs.get(call).map(|sub_run| sub_run.node.clone())
    }

    /// Runs that were started and whose end is not in the log.
    pub fn open_sub_runs(&self) -> Vec<(CallId, RunId)> {
        let open = self.sub_runs.iter().filter(|(_, sub_run)| sub_run.end.is_none());
        open.map(|(call, sub_run)| (call.clone(), sub_run.run)).collect()
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

    /// Ends for the calls in flight, for a run that ends without their answers.
    pub fn dropped_calls(&self, now: Timestamp) -> Vec<(NodeId, CallFinished)> {
        let open = self.open_calls.iter().filter_map(|call| Some((call, self.asked.get(call)?)));
        open.map(|(call, asked)| {
            (
                asked.node.clone(),
                CallFinished::dropped(call.clone(), asked.model.clone(), now.since(asked.at)),
            )
        })
        .collect()
    }

    /// The totals after these events as well.
    pub fn totals_with<'b>(&self, bodies: impl IntoIterator<Item = &'b Body>) -> Totals {
        let (mut totals, mut open) = (self.totals.clone(), self.open_calls.clone());
        bodies.into_iter().for_each(|body| totals.count(&mut open, body));
        totals
    }

    /// The state that a node works on: that within the same node, or that of the run.
    pub fn state_around(&self, node: &NodeId) -> State {
        let owner = self.graph.number(node).and_then(|number| self.graph.owner(number));
        self.level(owner).state.clone()
    }

    /// The state within a node.
    pub fn state_inside(&self, number: Number) -> State {
        self.nodes[number].inside.state.clone()
    }

    /// The state around the node when its visit in flight began.
    pub fn state_of_visit(&self, node: &NodeId) -> State {
        self.node(node).map(|node| node.state.clone()).unwrap_or_default()
    }

    /// Events that the visit in flight to `node` has emitted.
    pub fn emitted(&self, node: &NodeId) -> usize {
        self.node(node).map_or(0, |node| node.emitted)
    }

    /// The answer of a person to a question of a visit in flight, if it is in the log.
    pub fn received(&self, input: &CallId) -> Option<Answer> {
        self.received.get(input).cloned()
    }

    /// An open question, and the node that asks.
    pub fn open(&self, input: &CallId) -> Option<&(NodeId, InputRequest)> {
        self.open.get(input)
    }

    /// Whether the question exists, open or answered.
    pub fn was_asked(&self, input: &CallId) -> bool {
        self.open.contains_key(input) || self.answered.contains(input)
    }

    /// Whether this visit was approved with this digest.
    pub fn is_approved(&self, node: &NodeId, visit: u32, digest: &Digest) -> bool {
        let approved = self.node(node).and_then(|node| node.approved.as_ref());
        approved.is_some_and(|(number, shown)| *number == visit && shown == digest)
    }

    /// Whether a call or a question of a visit in flight has this id.
    pub fn is_known(&self, call: &CallId) -> bool {
        self.is_answered(call) || self.was_asked(call)
    }

    /// How many messages to a node no visit has taken.
    pub fn waiting_messages(&self, node: &NodeId) -> usize {
        self.node(node).map_or(0, |node| node.inbox.len())
    }

    /// What a visit in flight took from its inbox at this place, if it is in the log.
    pub fn heard(&self, look: &CallId) -> Option<Vec<Message>> {
        self.heard.get(look).cloned()
    }

    /// What people want the node's next visit to do differently.
    pub fn comments(&self, node: &NodeId) -> Vec<String> {
        self.node(node).map(|node| node.comments.clone()).unwrap_or_default()
    }

    /// Whether the node has ended a visit.
    pub fn was_visited(&self, node: &NodeId) -> bool {
        self.node(node).is_some_and(|node| node.visits > 1 || (node.visits == 1 && !node.in_flight))
    }

    /// Visits that were begun and not ended, and are to be made again.
    pub fn to_repeat(&self) -> Vec<(NodeId, u32)> {
        let mut visits = self.in_flight();
        visits.retain(|(node, visit)| self.graph.may_work(node, *visit));
        visits
    }

    /// Visits that were begun and not ended.
    pub fn in_flight(&self) -> Vec<(NodeId, u32)> {
        self.in_flight.iter().map(|number| self.visit(*number, 0)).collect()
    }

    /// The first node behind `after`, in the plan's order, that can begin a visit now, with that visit.
    pub fn next_ready(&self, after: Option<Number>) -> Option<(Number, (NodeId, u32))> {
        let number = *self.ready.range(after.map_or(0, |after| after + 1)..).next()?;
        Some((number, self.visit(number, 1)))
    }

    /// Visits that can begin with a part of what they join, as nothing within the same node is at work or can begin:
    /// the other sources can never deliver. `is_opened`: whether a node's own work has ended.
    pub fn partly_joined(&self, is_opened: impl Fn(Number) -> bool) -> Vec<(NodeId, u32)> {
        let outermost = (self.outermost.open == 0).then_some(&self.outermost);
        let idle = self.idle.iter().filter(|number| is_opened(**number));
        let levels = outermost.into_iter().chain(idle.map(|number| &self.nodes[*number].inside));
        levels.flat_map(|level| &level.partly_joined).map(|number| self.visit(*number, 1)).collect()
    }

    /// A node whose own work has ended and within which nothing is left to do.
    pub fn concluded(&self, is_opened: impl Fn(Number) -> bool) -> Option<Number> {
        let is_over =
            |number: &&Number| is_opened(**number) && self.nodes[**number].inside.partly_joined.is_empty();
        self.idle.iter().find(is_over).copied()
    }

    /// The node's visit that follows its present one by `further`.
    fn visit(&self, number: Number, further: u32) -> (NodeId, u32) {
        (self.graph.id(number).clone(), self.nodes[number].visits + further)
    }

    /// Nodes that were never visited, and whether some of what they join was delivered.
    pub fn never_visited(&self) -> impl Iterator<Item = (&NodeId, bool)> {
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.visits == 0);
        nodes.map(|(number, node)| (self.graph.id(number), !node.joined.is_empty()))
    }

    fn node(&self, id: &NodeId) -> Option<&NodeProgress> {
        self.nodes.get(self.graph.number(id)?)
    }
}

/// The arguments as the model wrote them.
fn arguments(request: &protocol::ToolRequest) -> Arguments {
    let text = request.arguments.whole().unwrap_or_default();
    match &request.unreadable {
        Some(why) => Arguments::Unreadable { text: text.to_owned(), why: why.clone() },
        None => Arguments::Object(serde_json::from_str(text).unwrap_or_default()),
    }
}

fn object(text: &protocol::Text) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text.whole()?).ok()
}
