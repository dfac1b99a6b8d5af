//! Everything that a person sees of a run, as a fold of its log.

mod call;
mod entries;
mod node;
mod outline;
mod sub_run;
mod transcript;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use call::{CallOutcome, CallView, ToolOutcome, ToolView};
pub use entries::{Entries, Entry};
use node::headline;
pub use node::{EdgeView, NodeView, Visit};
pub use sub_run::{OpenAsk, SubRunOutcome, SubRunView};
pub use transcript::{Turn, TurnContent};

use crate::{
    Answer, Approval, Body, CallFinished, CallId, CallStarted, ChatAnswered, ChatAsked, EdgeAdded, Event,
    InputReceived, InputRequest, LogLevel, LogLine, NodeAdded, NodeFinished, NodeId, NodeStatus, Patch,
    Product, ProductData, Report, RunSummary, Said, Standing, Text, Timestamp, ToolInvoked, ToolReturned,
    WholePrompt,
};

/// Everything that a person sees of a run: the fold of its log.
///
/// Parts that texts hang on are shared, so that a copy is cheap and the page can tell
/// by the pointer what has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunView {
    /// Header figures; also the number of the last event.
    pub summary: RunSummary,
    /// Why the run stands where it stands, if that was said.
    pub status_reason: Option<String>,
    /// When its last event was.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// Nodes, in the order in which they were planned.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<NodeView>))]
    pub nodes: Entries<NodeView>,
    /// Edges between them.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<EdgeView>))]
    pub edges: Entries<EdgeView>,
    /// Model calls, in the order in which they were first made.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<CallView>))]
    pub calls: Entries<CallView>,
    /// Tool calls, in the order in which they were first made.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<ToolView>))]
    pub tools: Entries<ToolView>,
    /// What was said, in order.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Turn>))]
    pub turns: Entries<Turn>,
    /// Reports, in the order in which they were written.
    pub reports: Vec<Arc<Report>>,
    /// The run's state: of every key the value that was set last, and what was added to it since. Keys of the state
    /// within a node follow its path: `plan/topic`.
    pub state: BTreeMap<String, Vec<Arc<StateEntry>>>,
    /// Questions to people, in the order in which they were first asked.
    #[serde(default)]
    pub inputs: Vec<Arc<InputView>>,
    /// Before which nodes the run pauses now.
    #[serde(default)]
    pub approval: Approval,
    /// Questions beside the run.
    #[serde(default)]
    pub chats: Vec<Arc<ChatView>>,
    /// What it has brought forth, in order.
    #[serde(default)]
    pub products: Vec<Arc<Product>>,
    /// Runs that it has started, in order.
    #[serde(default)]
    pub sub_runs: Vec<Arc<SubRunView>>,
    /// Events of kinds that this version does not know.
    pub unknown_events: u32,
}

/// What [`RunView::apply`] did with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is part of the view now.
    Changed,
    /// It was part of the view before.
    Duplicate,
    /// Events between are missing: read on from the view's last number.
    Gap,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputView {
    /// The question, as it was asked last.
    pub request: InputRequest,
    /// The node that asks.
    pub node: Option<NodeId>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The answer; `None` while it is awaited.
    pub received: Option<InputReceived>,
    /// When it was answered.
    pub received_at: Option<Timestamp>,
}

/// A question beside the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatView {
    /// The question.
    pub asked: ChatAsked,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The answer; `None` while it is awaited.
    pub answered: Option<ChatAnswered>,
}

/// A value of the run's state, or an addition to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateEntry {
    /// The value, as JSON text.
    pub value: Text,
    /// Whether it is one more item of a list, rather than the whole value.
    #[serde(default)]
    pub appended: bool,
    /// The node that set it; `None` for a person.
    pub node: Option<NodeId>,
    /// Number of the event that set it.
    pub seq: u64,
}

impl RunView {
    /// The view after a run's first event; `None` if that is not [`Body::RunStarted`].
    pub fn begin(event: &Event) -> Option<Self> {
        let summary = RunSummary::begin(event)?;
        Some(Self {
            approval: summary.request.approval.clone(),
            summary,
            status_reason: None,
            updated_at: event.at,
            nodes: Entries::default(),
            edges: Entries::default(),
            calls: Entries::default(),
            tools: Entries::default(),
            turns: Entries::default(),
            reports: Vec::new(),
            state: BTreeMap::new(),
            inputs: Vec::new(),
            chats: Vec::new(),
            products: Vec::new(),
            sub_runs: Vec::new(),
            unknown_events: 0,
        })
    }

    /// The view of a whole log; `None` if it does not begin with a run's start.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut view = Self::begin(events.next()?)?;
        for event in events {
            view.apply(event);
        }
        Some(view)
    }

    /// Number of the last event in this view.
    pub fn seq(&self) -> u64 {
        self.summary.seq
    }

    /// The node with this id.
    pub fn node(&self, id: &NodeId) -> Option<&Arc<NodeView>> {
        self.nodes.find(id)
    }

    /// The node that this one is within: the innermost one that its path leads through.
    pub fn owner(&self, id: &NodeId) -> Option<&Arc<NodeView>> {
        id.enclosing().find_map(|id| self.node(&id))
    }

    /// The model call with this id.
    pub fn call(&self, id: &CallId) -> Option<&Arc<CallView>> {
        self.calls.find(id)
    }

    /// All messages that the call with this id was asked.
    pub fn prompt(&self, id: &CallId) -> WholePrompt<'_> {
        // A prompt goes on from an earlier call only, so that this ends.
        let place = |id: &CallId, end: usize| self.calls.place(id).filter(|place| *place < end);
        let Some(mut end) = place(id, self.calls.len()) else { return WholePrompt::default() };
        self.calls[end].prompt.whole(|earlier| {
            end = place(earlier, end)?;
            Some(&self.calls[end].prompt)
        })
    }

    /// The question with this id.
    pub fn input(&self, id: &CallId) -> Option<&Arc<InputView>> {
        self.inputs.iter().rev().find(|input| input.request.input == *id)
    }

    /// The documents of one kind that it has brought forth, in order; those whose beginning alone is here
    /// are left out.
    pub fn documents<D: ProductData>(&self) -> impl Iterator<Item = D> + '_ {
        self.products.iter().filter_map(|product| product.document())
    }

    /// Whether it has brought forth what it was started for.
    pub fn has_result(&self) -> bool {
        self.summary.result.is_some()
    }

    /// The questions that are open now.
    pub fn open_inputs(&self) -> impl Iterator<Item = &Arc<InputView>> {
        let is_over = self.summary.status.is_over();
        self.inputs.iter().filter(move |input| !is_over && input.received.is_none())
    }

    /// The questions that people can answer now: its own, and those of the runs that it has started.
    pub fn open_asks(&self) -> impl Iterator<Item = OpenAsk<'_>> {
        let own = self.open_inputs().map(|input| OpenAsk {
            run: self.summary.run,
            node: input.node.as_ref(),
            asked_at: input.asked_at,
            request: &input.request,
        });
        let is_over = self.summary.status.is_over();
        let sub_runs = self.sub_runs.iter().filter(move |_| !is_over);
        own.chain(sub_runs.flat_map(|sub_run| &sub_run.asks).map(|ask| OpenAsk {
            run: ask.run,
            node: ask.node.as_ref(),
            asked_at: ask.asked_at,
            request: &ask.request,
        }))
    }

    /// Takes the next event in.
    pub fn apply(&mut self, event: &Event) -> Applied {
        if event.seq <= self.seq() {
            return Applied::Duplicate;
        }
        if event.seq != self.seq() + 1 {
            return Applied::Gap;
        }
        self.summary.apply(event);
        self.updated_at = event.at;
        self.apply_body(event);
        Applied::Changed
    }

    fn apply_body(&mut self, event: &Event) {
        let node = event.node.as_ref();
        match &event.body {
            Body::RunStarted(_) => {}
            Body::StatusChanged(changed) => self.status_reason.clone_from(&changed.reason),
            Body::RunFinished(finished) => self.status_reason.clone_from(&finished.error),
            Body::NodeAdded(plan) => self.add_node(plan),
            Body::EdgeAdded(plan) => self.add_edge(plan),
            Body::Grown(growth) => {
                growth.nodes.iter().for_each(|node| self.add_node(&node.plan));
                growth.edges.iter().for_each(|edge| self.add_edge(edge));
            }
            Body::NodeStarted(started) => {
                let inherited = self.is_inherited(event);
                self.begin_inside(node, started.visit);
                self.change_node(node, |node| node.begin_visit(started.visit, event.at, inherited));
            }
            Body::NodeStatusChanged(changed) => self.change_node(node, |node| {
                node.status = changed.status;
                node.reason.clone_from(&changed.reason);
            }),
            Body::NodeFinished(finished) => self.finish_node(event, finished),
            Body::CallStarted(started) => self.start_call(event, started),
            Body::CallFinished(finished) => self.finish_call(event, finished),
            Body::ToolInvoked(invoked) => self.start_tool(event, invoked),
            Body::ToolReturned(returned) => self.finish_tool(returned),
            Body::SubRunStarted(started) => {
                let begun = SubRunView::begin(started, node, event.at);
                match self.sub_runs.iter_mut().rev().find(|known| known.call == started.call) {
                    Some(repeated) => *repeated = Arc::new(begun),
                    None => self.sub_runs.push(Arc::new(begun)),
                }
                self.log(event, LogLevel::Info, format!("Starts the run {}: {}", started.run, started.title));
            }
            Body::SubRunAwaits(awaits) => {
                self.change_sub_run(&awaits.call, |sub_run| sub_run.asks.clone_from(&awaits.asks));
                let prompt = awaits.asks.first();
                let prompt = prompt.map(|ask| format!("Run {} asks: {}", ask.run, ask.request.prompt));
                if let Some(prompt) = &prompt {
                    self.log(event, LogLevel::Warning, prompt.clone());
                }
                self.change_node(node, |node| node.wait_with_sub_run(prompt));
            }
            Body::SubRunFinished(finished) => {
                let (level, words) = match (&finished.error, finished.status) {
                    (Some(error), _) => (LogLevel::Warning, error.clone()),
                    (None, status) => (LogLevel::Info, status.label().to_owned()),
                };
                self.change_sub_run(&finished.call, |sub_run| {
                    sub_run.asks.clear();
                    sub_run.outcome = Some(SubRunOutcome {
                        at: event.at,
                        status: finished.status,
                        error: finished.error.clone(),
                        totals: finished.totals.clone(),
                    });
                });
                self.log(event, level, format!("The run {} has ended: {words}", finished.run));
                self.change_node(node, |node| node.wait_with_sub_run(None));
            }
            Body::InputRequested(request) => self.ask(event, request),
            Body::InputReceived(received) => self.receive(event, received),
            Body::Told(told) => {
                let (source, content) = (told.by.to_string(), told.content.clone());
                self.turn(event, TurnContent::Message(Said { source, content }));
            }
            Body::Heard(_) => {}
            Body::StateEdited(edited) => {
                self.set_state("", None, event.seq, &edited.patch, |_| false);
                self.turn(event, TurnContent::Edited(edited.clone()));
            }
            Body::ApprovalChanged(changed) => {
                self.approval = changed.approval.clone();
                self.turn(event, TurnContent::ApprovalChanged(changed.clone()));
            }
            Body::ChatAsked(asked) => {
                let chat = ChatView { asked: asked.clone(), asked_at: event.at, answered: None };
                self.chats.push(Arc::new(chat));
            }
            Body::ChatAnswered(answered) => {
                if let Some(chat) = self.chats.iter_mut().rev().find(|chat| chat.asked.chat == answered.chat)
                {
                    Arc::make_mut(chat).answered = Some(answered.clone());
                }
            }
            Body::Said(said) => {
                let line = headline(said.content.shown());
                self.change_node(node, |node| node.headline = line);
                self.turn(event, TurnContent::Message(said.clone()));
            }
            Body::Reported(report) => self.reports.push(Arc::new(report.clone())),
            Body::Produced(product) => self.take_product(event, product),
            Body::Logged(line) => {
                self.change_node(node, |node| node.headline = Some(line.message.clone()));
                self.turn(event, TurnContent::Log(line.clone()));
            }
            Body::Unknown(unknown) => {
                self.unknown_events += 1;
                self.turn(event, TurnContent::Unknown { kind: unknown.kind.clone() });
            }
        }
    }

    fn add_node(&mut self, plan: &NodeAdded) {
        self.nodes.push(Arc::new(NodeView::planned(plan.clone())));
    }

    fn add_edge(&mut self, plan: &EdgeAdded) {
        self.edges.push(Arc::new(EdgeView { plan: plan.clone(), taken: 0 }));
    }

    fn log(&mut self, event: &Event, level: LogLevel, message: String) {
        self.turn(event, TurnContent::Log(LogLine { level, message }));
    }

    fn turn(&mut self, event: &Event, content: TurnContent) {
        let (seq, at, node) = (event.seq, event.at, event.node.clone());
        self.turns.push(Arc::new(Turn { seq, at, node, content }));
    }

    fn take_product(&mut self, event: &Event, product: &Product) {
        let index = self.products.len();
        self.products.push(Arc::new(product.clone()));
        match product.standing {
            Standing::Result => {
                self.change_node(event.node.as_ref(), |node| node.headline = Some(product.headline.clone()));
                self.turn(event, TurnContent::Product { index });
            }
            Standing::Step => self.turn(event, TurnContent::Product { index }),
            Standing::Data => {}
        }
    }

    fn change_node(&mut self, id: Option<&NodeId>, change: impl FnOnce(&mut NodeView)) {
        if let Some(node) = id.and_then(|id| self.nodes.find_mut(id)) {
            change(Arc::make_mut(node));
        }
    }

    fn change_sub_run(&mut self, call: &CallId, change: impl FnOnce(&mut SubRunView)) {
        if let Some(sub_run) = self.sub_runs.iter_mut().rev().find(|sub_run| sub_run.call == *call) {
            change(Arc::make_mut(sub_run));
        }
    }

    fn finish_node(&mut self, event: &Event, finished: &NodeFinished) {
        self.change_node(event.node.as_ref(), |node| node.end_visit(finished));
        if let Some(from) = &event.node {
            self.edges.change_of_node(from, |edge| {
                if edge.plan.from == *from && finished.next.contains(&edge.plan.to) {
                    Arc::make_mut(edge).taken += 1;
                }
            });
        }
        let appends = |key: &str| finished.appended.contains(key);
        let within = self.path_around(event.node.as_ref());
        self.set_state(&within, event.node.as_ref(), event.seq, &finished.patch, appends);
    }

    /// What is within a node begins anew with each visit to it, unless that is repeated after a crash.
    fn begin_inside(&mut self, node: Option<&NodeId>, visit: u32) {
        let is_another = |node: &&NodeId| {
            self.node(node).is_some_and(|it| it.visits.last().is_some_and(|it| it.number < visit))
        };
        if let Some(path) = node.filter(is_another).map(|node| format!("{node}/")) {
            self.state.retain(|key, _| !key.starts_with(&path));
        }
    }

    /// What the keys of the state begin with on which a node works.
    fn path_around(&self, node: Option<&NodeId>) -> String {
        let owner = node.and_then(|node| self.owner(node));
        owner.map(|owner| format!("{}/", owner.plan.id)).unwrap_or_default()
    }

    fn set_state(
        &mut self,
        within: &str,
        node: Option<&NodeId>,
        seq: u64,
        patch: &Patch,
        appends: impl Fn(&str) -> bool,
    ) {
        for (key, value) in patch {
            let appended = appends(key);
            let entries = self.state.entry(format!("{within}{key}")).or_default();
            if !appended {
                entries.clear();
            }
            let (value, node) = (value.clone(), node.cloned());
            entries.push(Arc::new(StateEntry { value, appended, node, seq }));
        }
    }

    fn is_inherited(&self, event: &Event) -> bool {
        self.summary.origin.as_ref().is_some_and(|origin| event.seq <= origin.through)
    }

    fn ask(&mut self, event: &Event, request: &InputRequest) {
        let input = Arc::new(InputView {
            request: request.clone(),
            node: event.node.clone(),
            asked_at: event.at,
            received: None,
            received_at: None,
        });
        self.change_node(event.node.as_ref(), |node| {
            node.status = NodeStatus::Waiting;
            node.reason = Some(request.prompt.clone());
        });
        match self.inputs.iter_mut().rev().find(|known| known.request.input == request.input) {
            Some(known) => *known = input,
            None => {
                self.inputs.push(input);
                self.turn(event, TurnContent::Input { input: request.input.clone() });
            }
        }
    }

    fn receive(&mut self, event: &Event, received: &InputReceived) {
        if let Some(input) = self.inputs.iter_mut().rev().find(|input| input.request.input == received.input)
        {
            let input = Arc::make_mut(input);
            input.received = Some(received.clone());
            input.received_at = Some(event.at);
        }
        self.change_node(event.node.as_ref(), |node| node.end_wait(&received.answer));
        if let Answer::Approved { edits, .. } = &received.answer {
            // Not the node's own work, but a person's.
            let within = self.path_around(event.node.as_ref());
            self.set_state(&within, None, event.seq, edits, |_| false);
        }
    }

    fn start_call(&mut self, event: &Event, started: &CallStarted) {
        let call = CallView {
            id: started.call.clone(),
            node: event.node.clone(),
            model: started.model.clone(),
            tier: started.tier,
            profile: started.profile.clone(),
            prompt: started.prompt.clone(),
            tools: started.tools.clone(),
            started_at: event.at,
            outcome: None,
        };
        let was_dropped = self.call(&started.call).is_some_and(|known| known.outcome.is_none());
        self.change_node(event.node.as_ref(), |node| {
            node.model = Some(started.model.clone());
            if was_dropped {
                node.calls_of_unknown_cost = node.calls_of_unknown_cost.saturating_add(1);
            }
        });
        if self.calls.put(call) {
            self.turn(event, TurnContent::Call { call: started.call.clone() });
        }
    }

    fn finish_call(&mut self, event: &Event, finished: &CallFinished) {
        self.change_node(event.node.as_ref(), |node| node.count_call(finished));
        if let Some(call) = self.calls.find_mut(&finished.call) {
            let call = Arc::make_mut(call);
            call.model.clone_from(&finished.model);
            call.outcome = Some(CallOutcome {
                answer: finished.answer.clone(),
                thoughts: finished.thoughts.clone(),
                cut_off: finished.cut_off.clone(),
                tool_requests: finished.tool_requests.clone(),
                usage: finished.usage,
                cost: finished.cost,
                latency_ms: finished.latency_ms,
                retries: finished.retries,
                attempts: finished.attempts.clone(),
                error: finished.error.clone(),
            });
        }
    }

    fn start_tool(&mut self, event: &Event, invoked: &ToolInvoked) {
        self.tools.put(ToolView {
            id: invoked.call.clone(),
            node: event.node.clone(),
            tool: invoked.tool.clone(),
            arguments: invoked.arguments.clone(),
            started_at: event.at,
            outcome: None,
        });
    }

    fn finish_tool(&mut self, returned: &ToolReturned) {
        if let Some(tool) = self.tools.find_mut(&returned.call) {
            Arc::make_mut(tool).outcome = Some(ToolOutcome {
                status: returned.status,
                result: returned.result.clone(),
                vendor: returned.vendor.clone(),
                latency_ms: returned.latency_ms,
            });
        }
    }
}
