use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use protocol::{Body, EdgeAdded, EdgeKind, NodeAdded, NodeId};

use crate::{Graph, GraphError, Join, Work, graph::Choose};

/// The place of a node in its run's graph; nodes are numbered in the order of the plan.
pub(crate) type Number = usize;

/// The graph of one run while it is at work: checked, with the edges of each node at hand.
pub(crate) struct RunGraph {
    nodes: Vec<Node>,
    numbers: HashMap<NodeId, Number>,
    /// In the order of the plan.
    edges: Vec<EdgeAdded>,
    /// State keys that are lists.
    lists: BTreeSet<String>,
}

struct Node {
    plan: NodeAdded,
    work: Arc<dyn Work>,
    choose: Option<Choose>,
    join: Join,
    /// Outgoing edges, in the order of the plan.
    to: Vec<(Number, EdgeKind)>,
    /// Sources of incoming edges of any kind, in the order of the plan.
    from: Vec<Number>,
    /// Sources of incoming flow edges, which it joins.
    joined: BTreeSet<Number>,
    /// Whether it begins without a delivery.
    is_entry: bool,
}

impl RunGraph {
    /// Checks a graph, and puts its edges where they are looked for.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub fn new(graph: Graph) -> Result<Self, GraphError> {
        let Graph { plans, mut work, edges, mut choices, mut joins, lists } = graph;
        let mut run = Self { nodes: Vec::new(), numbers: HashMap::new(), edges: Vec::new(), lists };
        for plan in plans {
            let (choose, join) = (choices.remove(&plan.id), joins.remove(&plan.id).unwrap_or_default());
            match work.remove(&plan.id) {
                Some(work) => run.add_node(plan, work, choose, join),
                None => return Err(GraphError::DuplicateNode(plan.id)),
            }
        }
        let unknown = choices.into_keys().chain(joins.into_keys()).next();
        if let Some(unknown) = unknown {
            return Err(GraphError::UnknownNode(unknown));
        }
        for edge in edges {
            run.add_edge(edge)?;
        }
        if run.nodes.iter().any(|node| node.is_entry) { Ok(run) } else { Err(GraphError::NoEntry) }
    }

    fn add_node(&mut self, plan: NodeAdded, work: Arc<dyn Work>, choose: Option<Choose>, join: Join) {
        self.numbers.insert(plan.id.clone(), self.nodes.len());
        let (to, from, joined) = (Vec::new(), Vec::new(), BTreeSet::new());
        self.nodes.push(Node { plan, work, choose, join, to, from, joined, is_entry: true });
    }

    fn add_edge(&mut self, edge: EdgeAdded) -> Result<(), GraphError> {
        let number = |id: &NodeId| self.number(id).ok_or_else(|| GraphError::UnknownNode(id.clone()));
        let (from, to) = (number(&edge.from)?, number(&edge.to)?);
        self.nodes[from].to.push((to, edge.kind));
        let target = &mut self.nodes[to];
        target.from.push(from);
        match edge.kind {
            EdgeKind::Flow => {
                target.is_entry = false;
                target.joined.insert(from);
            }
            EdgeKind::Conditional => target.is_entry = false,
            EdgeKind::Loop => {}
        }
        self.edges.push(edge);
        Ok(())
    }

    /// The graph as events: all nodes, then all edges.
    pub fn announcement(&self) -> impl Iterator<Item = Body> {
        let nodes = self.plans().cloned().map(Body::NodeAdded);
        nodes.chain(self.edges.iter().cloned().map(Body::EdgeAdded))
    }

    /// All edges.
    pub fn edges(&self) -> &[EdgeAdded] {
        &self.edges
    }

    /// The number of a node.
    pub fn number(&self, id: &NodeId) -> Option<Number> {
        self.numbers.get(id).copied()
    }

    /// The id of the node with this number.
    pub fn id(&self, number: Number) -> &NodeId {
        &self.nodes[number].plan.id
    }

    /// All nodes as planned.
    pub fn plans(&self) -> impl Iterator<Item = &NodeAdded> {
        self.nodes.iter().map(|node| &node.plan)
    }

    /// A node as planned.
    pub fn plan(&self, id: &NodeId) -> Option<&NodeAdded> {
        self.node(id).map(|node| &node.plan)
    }

    /// A node's name for people.
    pub fn label(&self, id: &NodeId) -> String {
        self.plan(id).map_or(id.as_str(), |plan| &plan.label).to_owned()
    }

    /// What a node does.
    pub fn work(&self, id: &NodeId) -> Option<Arc<dyn Work>> {
        self.node(id).map(|node| node.work.clone())
    }

    /// What chooses a node's next ones, if anything does.
    pub fn choose(&self, id: &NodeId) -> Option<Choose> {
        self.node(id).and_then(|node| node.choose.clone())
    }

    /// Whether a state key is a list that patches append to.
    pub fn is_list(&self, key: &str) -> bool {
        self.lists.contains(key)
    }

    /// Nodes that begin without a delivery.
    pub fn entries(&self) -> impl Iterator<Item = Number> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.is_entry).map(|(number, _)| number)
    }

    /// Targets of a node's outgoing edges.
    pub fn targets(&self, from: &NodeId) -> impl Iterator<Item = &NodeId> {
        self.node(from).into_iter().flat_map(|node| &node.to).map(|(to, _)| self.id(*to))
    }

    /// Targets of a node's outgoing flow edges.
    pub fn flow_targets(&self, from: &NodeId) -> impl Iterator<Item = &NodeId> {
        let edges = self.node(from).into_iter().flat_map(|node| &node.to);
        edges.filter(|(_, kind)| *kind == EdgeKind::Flow).map(|(to, _)| self.id(*to))
    }

    /// Sources of a node's incoming edges.
    pub fn sources(&self, to: &NodeId) -> impl Iterator<Item = &NodeId> {
        self.node(to).into_iter().flat_map(|node| &node.from).map(|from| self.id(*from))
    }

    /// Whether `to` joins what `from` delivers.
    pub fn joins(&self, from: Number, to: Number) -> bool {
        self.nodes[to].joined.contains(&from)
    }

    /// When a node begins that joins flow edges, and how many sources they have.
    pub fn join(&self, number: Number) -> (Join, usize) {
        let node = &self.nodes[number];
        (node.join, node.joined.len())
    }

    fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.get(self.number(id)?)
    }
}
