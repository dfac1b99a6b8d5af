use std::collections::{BTreeMap, BTreeSet, HashMap};

use llm::{ChatAnswer, ToolRequest};
use protocol::{Body, CallFinished, CallId, NodeFinished, NodeId, NodeStatus, Totals};

use crate::{Graph, State, ToolResult};

/// What a run has done: the fold of its log that the executor goes on from.
///
/// The same fold serves a run that goes on and one that is resumed.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub state: State,
    pub totals: Totals,
    /// Visits that were begun.
    pub steps: u32,
    nodes: BTreeMap<NodeId, NodeProgress>,
    answers: HashMap<CallId, ChatAnswer>,
    results: HashMap<CallId, ToolResult>,
}

#[derive(Debug, Default)]
struct NodeProgress {
    visits: u32,
    in_flight: bool,
    /// Events that the visit in flight has emitted.
    emitted: usize,
    /// Sources of flow edges that have delivered and were not used up.
    joined: BTreeSet<NodeId>,
    /// Deliveries that each are worth a visit.
    triggers: u32,
    failed: bool,
}

impl Progress {
    /// The progress of a run that has only been planned.
    pub fn planned(graph: &Graph) -> Self {
        let mut progress = Self::default();
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

    /// Takes an event in, whose texts must be whole.
    pub fn apply(&mut self, graph: &Graph, node: Option<&NodeId>, body: &Body) {
        match (body, node) {
            (Body::NodeStarted(started), Some(node)) => self.begin_visit(node, started.visit),
            (Body::NodeFinished(finished), Some(node)) => self.end_visit(graph, node, finished),
            (Body::CallFinished(finished), _) => self.end_call(finished),
            (Body::ToolReturned(returned), _) => {
                self.totals.tool_calls += 1;
                let text = returned.result.whole().unwrap_or_default().to_owned();
                let result = ToolResult { status: returned.status, text, vendor: returned.vendor.clone() };
                self.results.insert(returned.call.clone(), result);
            }
            (body, Some(node)) if is_emitted(body) => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.emitted += 1;
                }
            }
            _ => {}
        }
    }

    fn begin_visit(&mut self, id: &NodeId, visit: u32) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.in_flight && node.visits == visit {
            return; // Repeated after a crash.
        }
        node.visits = visit;
        node.in_flight = true;
        node.emitted = 0;
        self.steps += 1;
        if node.triggers > 0 {
            node.triggers -= 1;
        } else {
            node.joined.clear();
        }
    }

    fn end_visit(&mut self, graph: &Graph, id: &NodeId, finished: &NodeFinished) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.in_flight = false;
            node.failed = finished.status == NodeStatus::Failed;
        }
        self.state.merge(&finished.patch, graph.merges());
        for next in &finished.next {
            let Some(node) = self.nodes.get_mut(next) else { continue };
            if graph.is_flow(id, next) {
                node.joined.insert(id.clone());
            } else {
                node.triggers += 1;
            }
        }
    }

    fn end_call(&mut self, finished: &CallFinished) {
        self.totals.count_call(finished.usage, finished.cost);
        if finished.error.is_some() {
            return;
        }
        let whole = |text: &protocol::Text| text.whole().unwrap_or_default().to_owned();
        let tool_requests = finished.tool_requests.iter().map(|request| ToolRequest {
            id: request.id.clone(),
            name: request.name.clone(),
            arguments: serde_json::from_str(&whole(&request.arguments)).unwrap_or_default(),
        });
        let answer = ChatAnswer {
            model: finished.model.clone(),
            text: whole(&finished.answer),
            tool_requests: tool_requests.collect(),
            usage: finished.usage,
            cost: finished.cost,
            retries: finished.retries,
        };
        self.answers.insert(finished.call.clone(), answer);
    }

    /// The answer to a call, if it is in the log.
    pub fn answer(&self, call: &CallId) -> Option<ChatAnswer> {
        self.answers.get(call).cloned()
    }

    /// The result of a tool call, if it is in the log.
    pub fn result(&self, call: &CallId) -> Option<ToolResult> {
        self.results.get(call).cloned()
    }

    /// Events that the visit in flight to `node` has emitted.
    pub fn emitted(&self, node: &NodeId) -> usize {
        self.nodes.get(node).map_or(0, |node| node.emitted)
    }

    /// Visits that were begun and not ended.
    pub fn in_flight(&self) -> Vec<(NodeId, u32)> {
        let in_flight = self.nodes.iter().filter(|(_, node)| node.in_flight);
        in_flight.map(|(id, node)| (id.clone(), node.visits)).collect()
    }

    /// Visits that can begin now, in the order of the plan.
    pub fn ready(&self, graph: &Graph) -> Vec<(NodeId, u32)> {
        self.begin_where(graph, |id, node| {
            let mut sources = graph.flow_sources(id).peekable();
            node.triggers > 0
                || (sources.peek().is_some() && sources.all(|source| node.joined.contains(source)))
        })
    }

    /// Joins that some branches have reached, and that the others never will, as nothing is at work.
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

/// Whether a body is one that [`NodeContext::emit`](crate::NodeContext::emit) writes.
fn is_emitted(body: &Body) -> bool {
    matches!(
        body,
        Body::Said(_)
            | Body::Reported(_)
            | Body::Rated(_)
            | Body::DecisionMade(_)
            | Body::TradeExecuted(_)
            | Body::TradeRejected(_)
            | Body::PortfolioValued(_)
            | Body::Logged(_)
    )
}
