use std::collections::{BTreeMap, BTreeSet, HashMap};

use llm::{Arguments, ChatAnswer, ToolRequest};
use protocol::{
    AccountId, Answer, Approval, Body, CallFinished, CallId, CallStarted, Digest, InputForm, InputReceived,
    InputRequest, NodeFinished, NodeId, NodeStatus, Patch, Stopped, Timestamp, Totals,
};

use crate::{Graph, NodeError, State, ToolResult};

/// What a run has done: the fold of its log that the executor decides by.
///
/// A run that goes on and one that is resumed use the same fold.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub state: State,
    pub totals: Totals,
    /// Model calls in flight.
    open_calls: BTreeSet<CallId>,
    /// Visits begun.
    steps: u32,
    /// Totals and visits begun that were taken over from the origin. The run's own limits do not count them.
    inherited: (Totals, u32),
    /// The approve mode: before which nodes the run pauses.
    pub approval: Approval,
    /// The account that changed it last.
    pub approval_by: Option<AccountId>,
    /// Set when a person rejected to go on.
    pub rejected: Option<Stopped>,
    nodes: BTreeMap<NodeId, NodeProgress>,
    /// Calls of models and tools in the visits in flight.
    asked: HashMap<CallId, Asked>,
    /// Answers to those calls of models, or their errors.
    answers: HashMap<CallId, Result<ChatAnswer, String>>,
    /// Results of those calls of tools.
    results: HashMap<CallId, ToolResult>,
    /// Questions asked in visits, by id.
    questions: HashMap<CallId, InputRequest>,
    /// Questions without an answer, with the node that asks.
    open: BTreeMap<CallId, (NodeId, InputRequest)>,
    received: HashMap<CallId, Answer>,
}

/// A call of a model or a tool, as the log has it.
#[derive(Debug)]
struct Asked {
    node: NodeId,
    visit: u32,
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
    /// The run's state when the visit in flight began.
    state: State,
    /// Events that the visit in flight has emitted; a repeated visit skips as many.
    emitted: usize,
    /// Sources of flow edges that have delivered since the node's last visit.
    joined: BTreeSet<NodeId>,
    /// Triggers by conditional and loop edges; each is one visit.
    triggers: u32,
    failed: bool,
    /// The approved visit, and the digest of what was shown.
    approved: Option<(u32, Digest)>,
    /// Comments for the next visit, from people who sent the work back.
    comments: Vec<String>,
}

impl Progress {
    /// The progress of a run whose plan is all that there is.
    pub fn planned(graph: &Graph, approval: Approval) -> Self {
        let mut progress = Self { approval, ..Self::default() };
        for plan in graph.plans() {
            progress.nodes.insert(plan.id.clone(), NodeProgress::default());
        }
        for entry in graph.entries() {
            if let Some(node) = progress.nodes.get_mut(entry) {
                node.triggers = 1;
            }
        }
        progress
    }

    /// Marks all so far as taken over from the origin.
    pub fn inherit(&mut self) {
        self.inherited = (self.totals.clone(), self.steps);
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
    pub fn apply(&mut self, graph: &Graph, at: Timestamp, node: Option<&NodeId>, body: &Body) {
        self.totals.count(&mut self.open_calls, body);
        match (body, node) {
            (Body::NodeStarted(started), Some(node)) => self.begin_visit(node, started.visit),
            (Body::NodeFinished(finished), Some(node)) => self.end_visit(graph, node, finished),
            (Body::CallStarted(started), Some(node)) => {
                let CallStarted { call, model, asked, .. } = started;
                self.note_asked(node, at, call, model, asked.as_ref());
            }
            (Body::CallFinished(finished), _) => self.end_call(finished),
            (Body::ToolInvoked(invoked), Some(node)) => {
                self.note_asked(node, at, &invoked.call, "", invoked.asked.as_ref());
            }
            (Body::ToolReturned(returned), _) => {
                let text = returned.result.whole().unwrap_or_default().to_owned();
                let result = ToolResult { status: returned.status, text, vendor: returned.vendor.clone() };
                self.results.insert(returned.call.clone(), result);
            }
            (Body::InputRequested(request), Some(node)) => {
                self.questions.insert(request.input.clone(), request.clone());
                self.open.insert(request.input.clone(), (node.clone(), request.clone()));
            }
            (Body::InputReceived(received), Some(node)) => self.receive(node, received),
            (Body::StateEdited(edited), _) => {
                self.edit(&edited.patch);
                // A visit in flight that was taken over is still to be repeated, so it gets the edit as well.
                for node in self.nodes.values_mut().filter(|node| node.in_flight) {
                    node.state.merge(&edited.patch, |_| false);
                }
            }
            (Body::ApprovalChanged(changed), _) => {
                self.approval = changed.approval.clone();
                self.approval_by = Some(changed.by.clone());
            }
            (body, Some(node)) if body.is_emitted() => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.emitted += 1;
                }
            }
            _ => {}
        }
    }

    fn note_asked(
        &mut self,
        node: &NodeId,
        at: Timestamp,
        call: &CallId,
        model: &str,
        digest: Option<&Digest>,
    ) {
        let visit = self.nodes.get(node).map_or(0, |node| node.visits);
        let (node, model, digest) = (node.clone(), model.to_owned(), digest.cloned());
        self.asked.insert(call.clone(), Asked { node, visit, at, model, digest });
    }

    fn begin_visit(&mut self, id: &NodeId, visit: u32) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.in_flight && node.visits == visit {
            return; // Repeated after a crash.
        }
        node.visits = visit;
        node.approved = None;
        node.in_flight = true;
        node.state = self.state.clone();
        node.emitted = 0;
        self.steps += 1;
        if node.triggers > 0 {
            node.triggers -= 1;
        } else {
            node.joined.clear();
        }
    }

    fn receive(&mut self, id: &NodeId, received: &InputReceived) {
        let asked = self.open.remove(&received.input).map(|(_, request)| request.form);
        self.received.insert(received.input.clone(), received.answer.clone());
        match (&received.answer, asked) {
            (Answer::Approved { digest, edits }, Some(InputForm::Approval(form))) => {
                if let Some(node) = self.nodes.get_mut(id) {
                    node.approved = Some((form.visit, digest.clone()));
                }
                self.edit(edits);
            }
            (Answer::SentBack { to, comment }, _) => {
                self.withdraw(id, Some(to));
                if let Some(node) = self.nodes.get_mut(to) {
                    node.triggers += 1;
                    node.comments.push(comment.clone());
                }
            }
            (Answer::Rerouted { to }, _) => {
                self.withdraw(id, None);
                if let Some(node) = self.nodes.get_mut(to) {
                    node.triggers += 1;
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
    fn withdraw(&mut self, id: &NodeId, source: Option<&NodeId>) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        match source {
            _ if node.triggers > 0 => node.triggers -= 1,
            Some(source) if node.joined.contains(source) => {
                node.joined.remove(source);
            }
            _ => node.joined.clear(),
        }
    }

    fn edit(&mut self, patch: &Patch) {
        self.state.merge(patch, |_| false);
    }

    fn end_visit(&mut self, graph: &Graph, id: &NodeId, finished: &NodeFinished) {
        self.forget_calls(id, finished.visit);
        if let Some(node) = self.nodes.get_mut(id) {
            node.in_flight = false;
            node.state = State::default();
            node.failed = finished.status == NodeStatus::Failed;
            node.comments.clear();
        }
        self.state.merge(&finished.patch, |key| finished.appended.contains(key));
        for next in &finished.next {
            let Some(node) = self.nodes.get_mut(next) else { continue };
            if graph.is_flow(id, next) {
                node.joined.insert(id.clone());
            } else {
                node.triggers += 1;
            }
        }
    }

    /// Drops the visit's calls, which only a repetition would need. A call that is still open was cut off by
    /// a crash and not repeated; it stays, since the run's end has to close it.
    fn forget_calls(&mut self, id: &NodeId, visit: u32) {
        self.asked.retain(|call, asked| {
            let is_open = self.open_calls.contains(call);
            let stays = asked.node != *id || asked.visit != visit || is_open;
            if !stays {
                self.answers.remove(call);
                self.results.remove(call);
            }
            stays
        });
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
        if is_another || self.was_asked(call) {
            return Err(NodeError::AnotherVersion(call.clone()));
        }
        Ok(())
    }

    /// The same check for a question to a person.
    pub fn check_question(&self, input: &CallId, prompt: &str, form: &InputForm) -> Result<(), NodeError> {
        let is_another =
            self.questions.get(input).is_some_and(|logged| logged.prompt != prompt || logged.form != *form);
        if is_another || self.is_answered(input) {
            return Err(NodeError::AnotherVersion(input.clone()));
        }
        Ok(())
    }

    fn is_answered(&self, call: &CallId) -> bool {
        self.answers.contains_key(call) || self.results.contains_key(call)
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

    /// The run's state when the node's visit in flight began.
    pub fn state_of_visit(&self, node: &NodeId) -> State {
        self.nodes.get(node).map(|node| node.state.clone()).unwrap_or_default()
    }

    /// Events that the visit in flight to `node` has emitted.
    pub fn emitted(&self, node: &NodeId) -> usize {
        self.nodes.get(node).map_or(0, |node| node.emitted)
    }

    /// The answer of a person, if it is in the log.
    pub fn received(&self, input: &CallId) -> Option<Answer> {
        self.received.get(input).cloned()
    }

    /// An open question, and the node that asks.
    pub fn open(&self, input: &CallId) -> Option<&(NodeId, InputRequest)> {
        self.open.get(input)
    }

    /// Whether the question exists, open or answered.
    pub fn was_asked(&self, input: &CallId) -> bool {
        self.open.contains_key(input) || self.received.contains_key(input)
    }

    /// Whether this visit was approved with this digest.
    pub fn is_approved(&self, node: &NodeId, visit: u32, digest: &Digest) -> bool {
        let approved = self.nodes.get(node).and_then(|node| node.approved.as_ref());
        approved.is_some_and(|(number, shown)| *number == visit && shown == digest)
    }

    /// What people want the node's next visit to do differently.
    pub fn comments(&self, node: &NodeId) -> Vec<String> {
        self.nodes.get(node).map(|node| node.comments.clone()).unwrap_or_default()
    }

    /// Whether the node has ended a visit.
    pub fn was_visited(&self, node: &NodeId) -> bool {
        self.nodes.get(node).is_some_and(|node| node.visits > 1 || (node.visits == 1 && !node.in_flight))
    }

    /// Visits that were begun and not ended.
    pub fn in_flight(&self) -> Vec<(NodeId, u32)> {
        let in_flight = self.nodes.iter().filter(|(_, node)| node.in_flight);
        in_flight.map(|(id, node)| (id.clone(), node.visits)).collect()
    }

    /// Visits that can begin now, in the plan's order.
    pub fn ready(&self, graph: &Graph) -> Vec<(NodeId, u32)> {
        self.begin_where(graph, |id, node| {
            let mut sources = graph.flow_sources(id).peekable();
            node.triggers > 0
                || (sources.peek().is_some() && sources.all(|source| node.joined.contains(source)))
        })
    }

    /// Joins with some deliveries whose other sources can never deliver, as nothing is in flight.
    pub fn partly_joined(&self, graph: &Graph) -> Vec<(NodeId, u32)> {
        self.begin_where(graph, |_, node| !node.joined.is_empty())
    }

    fn begin_where(&self, graph: &Graph, can: impl Fn(&NodeId, &NodeProgress) -> bool) -> Vec<(NodeId, u32)> {
        let planned = graph.plans().iter().filter_map(|plan| Some((&plan.id, self.nodes.get(&plan.id)?)));
        planned
            .filter(|(id, node)| !node.in_flight && can(id, node))
            .map(|(id, node)| (id.clone(), node.visits + 1))
            .collect()
    }

    /// Nodes that were never visited.
    pub fn never_visited(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.iter().filter(|(_, node)| node.visits == 0).map(|(id, _)| id)
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
