use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use protocol::{Body, EdgeAdded, EdgeKind, NodeAdded, NodeId};

use crate::{State, Work};

/// An edge that a node's `choose` function can take.
pub struct Route {
    /// Where it leads.
    pub to: NodeId,
    /// [`EdgeKind::Conditional`] or [`EdgeKind::Loop`].
    pub kind: EdgeKind,
    /// The condition, in words, as the graph shows it.
    pub condition: String,
}

/// Chooses the next nodes after a visit. Must be a pure function of its arguments, since resuming calls it
/// again.
type Choose = Arc<dyn Fn(&State, u32) -> Vec<NodeId> + Send + Sync>;

/// Why a graph is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two nodes with one id.
    #[error("The node \"{0}\" is in the graph twice.")]
    DuplicateNode(NodeId),
    /// An edge from or to a node that does not exist.
    #[error("An edge names the node \"{0}\", which is not in the graph.")]
    UnknownNode(NodeId),
    /// No node to begin with.
    #[error("The graph has no node to begin with: each has an incoming edge.")]
    NoEntry,
}

/// Nodes with their work, and the edges between them.
///
/// A node runs when all of its incoming flow edges have delivered (so parallel branches
/// join), and once for each delivery on a conditional or loop edge. Nodes without incoming
/// flow and conditional edges begin.
#[derive(Default)]
pub struct Graph {
    plans: Vec<NodeAdded>,
    work: BTreeMap<NodeId, Arc<dyn Work>>,
    edges: Vec<EdgeAdded>,
    choices: BTreeMap<NodeId, Choose>,
    lists: BTreeSet<String>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node.
    pub fn node(&mut self, plan: NodeAdded, work: impl Work + 'static) -> &mut Self {
        self.work.insert(plan.id.clone(), Arc::new(work));
        self.plans.push(plan);
        self
    }

    /// Adds an edge that always delivers; `to` waits for all of its flow edges.
    pub fn flow(&mut self, from: &NodeId, to: &NodeId) -> &mut Self {
        self.edge(from, to.clone(), EdgeKind::Flow, None)
    }

    /// Adds edges of which `choose` takes some after each visit to `from`, given the state after the visit
    /// and the visit's number.
    pub fn branch(
        &mut self,
        from: &NodeId,
        routes: Vec<Route>,
        choose: impl Fn(&State, u32) -> Vec<NodeId> + Send + Sync + 'static,
    ) -> &mut Self {
        for route in routes {
            self.edge(from, route.to, route.kind, Some(route.condition));
        }
        self.choices.insert(from.clone(), Arc::new(choose));
        self
    }

    /// Makes a state key a list that patches append to.
    pub fn append(&mut self, key: &str) -> &mut Self {
        self.lists.insert(key.to_owned());
        self
    }

    fn edge(&mut self, from: &NodeId, to: NodeId, kind: EdgeKind, condition: Option<String>) -> &mut Self {
        self.edges.push(EdgeAdded { from: from.clone(), to, kind, condition });
        self
    }

    /// Checks that the graph can be run.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub fn validate(&self) -> Result<(), GraphError> {
        let mut known = BTreeSet::new();
        for plan in &self.plans {
            if !known.insert(&plan.id) {
                return Err(GraphError::DuplicateNode(plan.id.clone()));
            }
        }
        let ends = self.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
        if let Some(unknown) = ends.into_iter().find(|node| !known.contains(node)) {
            return Err(GraphError::UnknownNode(unknown.clone()));
        }
        if self.entries().next().is_none() { Err(GraphError::NoEntry) } else { Ok(()) }
    }

    /// The plan as events: all nodes, then all edges.
    pub(crate) fn announcement(&self) -> impl Iterator<Item = Body> + '_ {
        let nodes = self.plans.iter().cloned().map(Body::NodeAdded);
        nodes.chain(self.edges.iter().cloned().map(Body::EdgeAdded))
    }

    pub(crate) fn plans(&self) -> &[NodeAdded] {
        &self.plans
    }

    pub(crate) fn plan(&self, node: &NodeId) -> Option<&NodeAdded> {
        self.plans.iter().find(|plan| plan.id == *node)
    }

    pub(crate) fn work(&self, node: &NodeId) -> Option<Arc<dyn Work>> {
        self.work.get(node).cloned()
    }

    /// Whether a state key is a list that patches append to.
    pub(crate) fn is_list(&self, key: &str) -> bool {
        self.lists.contains(key)
    }

    /// Targets of a node's outgoing edges.
    pub(crate) fn targets<'g>(&'g self, from: &'g NodeId) -> impl Iterator<Item = &'g NodeId> {
        self.edges.iter().filter(move |edge| edge.from == *from).map(|edge| &edge.to)
    }

    /// Sources of a node's incoming edges.
    pub(crate) fn sources<'g>(&'g self, to: &'g NodeId) -> impl Iterator<Item = &'g NodeId> {
        self.edges.iter().filter(move |edge| edge.to == *to).map(|edge| &edge.from)
    }

    /// All nodes reachable from these, along edges of any kind.
    pub(crate) fn reached_from<'g>(
        &'g self,
        from: impl IntoIterator<Item = &'g NodeId>,
    ) -> BTreeSet<&'g NodeId> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<_> = from.into_iter().flat_map(|node| self.targets(node)).collect();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.targets(node));
            }
        }
        reached
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &NodeId> {
        self.plans
            .iter()
            .map(|plan| &plan.id)
            .filter(|node| !self.edges.iter().any(|edge| edge.to == **node && edge.kind != EdgeKind::Loop))
    }

    /// Sources of the node's incoming flow edges, which it joins.
    pub(crate) fn flow_sources<'g>(&'g self, node: &'g NodeId) -> impl Iterator<Item = &'g NodeId> {
        self.edges
            .iter()
            .filter(move |edge| edge.to == *node && edge.kind == EdgeKind::Flow)
            .map(|edge| &edge.from)
    }

    /// Whether the edge is a flow edge, which its target joins.
    pub(crate) fn is_flow(&self, from: &NodeId, to: &NodeId) -> bool {
        self.edges.iter().any(|edge| edge.from == *from && edge.to == *to && edge.kind == EdgeKind::Flow)
    }

    /// The nodes that are triggered after this visit to `from`.
    pub(crate) fn next(&self, from: &NodeId, state: &State, visit: u32) -> Vec<NodeId> {
        let outgoing = || self.edges.iter().filter(|edge| edge.from == *from);
        let mut next: Vec<NodeId> =
            outgoing().filter(|edge| edge.kind == EdgeKind::Flow).map(|edge| edge.to.clone()).collect();
        if let Some(choose) = self.choices.get(from) {
            let chosen = choose(state, visit);
            next.extend(chosen.into_iter().filter(|node| outgoing().any(|edge| edge.to == *node)));
        }
        next
    }
}
