use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use protocol::{Body, EdgeAdded, EdgeKind, GrownNode, Growth, Join, NodeAdded, NodeId};

use crate::{
    Graph, GraphError, Work,
    graph::{Choose, Grower, MOST_NODES},
    growth::Unknown,
};

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
    grower: Option<Grower>,
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
        let Graph { plans, mut work, edges, mut choices, mut joins, lists, grower } = graph;
        let (nodes, numbers) = (Vec::new(), HashMap::new());
        let mut run = Self { nodes, numbers, edges: Vec::new(), lists, grower };
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

    /// Checks that the graph can grow like this.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub fn check_growth(&self, growth: &Growth) -> Result<(), GraphError> {
        if self.nodes.len() + growth.nodes.len() > MOST_NODES {
            return Err(GraphError::TooLarge);
        }
        let mut new = HashSet::new();
        for GrownNode { plan, spec, .. } in &growth.nodes {
            if self.numbers.contains_key(&plan.id) || !new.insert(&plan.id) {
                return Err(GraphError::DuplicateNode(plan.id.clone()));
            }
            let why = |why| GraphError::Unworkable { node: plan.id.clone(), why };
            let grower = self.grower.as_ref().ok_or(GraphError::NotGrowing)?;
            grower(plan, spec.whole().unwrap_or_default()).map_err(why)?;
        }
        let mut ends = growth.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
        let unknown = ends.find(|id| !self.numbers.contains_key(*id) && !new.contains(*id));
        unknown.map_or(Ok(()), |unknown| Err(GraphError::UnknownNode(unknown.clone())))
    }

    /// Adds nodes and edges as the log has them. A node whose work this version cannot make fails when it begins.
    pub fn grow(&mut self, growth: &Growth) {
        for GrownNode { plan, join, spec } in &growth.nodes {
            if self.numbers.contains_key(&plan.id) {
                continue;
            }
            let made = match &self.grower {
                Some(grower) => grower(plan, spec.whole().unwrap_or_default()),
                None => Err(GraphError::NotGrowing.to_string()),
            };
            let work = made.unwrap_or_else(|why| Arc::new(Unknown(why)));
            self.add_node(plan.clone(), work, None, *join);
        }
        for edge in &growth.edges {
            // One to nowhere was refused before it came into the log.
            let _ = self.add_edge(edge.clone());
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the node begins without a delivery.
    pub fn is_entry(&self, number: Number) -> bool {
        self.nodes[number].is_entry
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
