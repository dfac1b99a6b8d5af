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
    /// All that the paths of nodes lead through.
    paths: HashSet<NodeId>,
    /// In the order of the plan.
    edges: Vec<EdgeAdded>,
    /// State keys that are lists, with the path of the node within which they are.
    lists: BTreeSet<String>,
    growers: HashMap<Option<NodeId>, Grower>,
    /// The visit that alone is to be made.
    only: Option<(NodeId, u32)>,
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
    /// The node that it is within.
    owner: Option<Number>,
    /// The nodes within it, without those that are within one of these.
    inside: Vec<Number>,
}

impl RunGraph {
    /// Checks a graph, and puts its edges where they are looked for.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub fn new(graph: Graph) -> Result<Self, GraphError> {
        let Graph { plans, mut work, edges, mut choices, mut joins, lists, growers, only, .. } = graph;
        let (nodes, numbers, paths) = (Vec::new(), HashMap::new(), HashSet::new());
        let mut run = Self { nodes, numbers, paths, edges: Vec::new(), lists, growers, only };
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
        run.place(0);
        for edge in edges {
            run.add_edge(edge)?;
        }
        let begins = |mut level: std::slice::Iter<'_, Number>| level.any(|number| run.is_entry(*number));
        let groups = run.nodes.iter().map(|node| &node.inside).filter(|inside| !inside.is_empty());
        let is_begun = run.entries().next().is_some() && groups.map(|inside| inside.iter()).all(begins);
        if is_begun { Ok(run) } else { Err(GraphError::NoEntry) }
    }

    /// Finds out within which nodes those from this number on are, once all of them are there.
    fn place(&mut self, from: Number) {
        for number in from..self.nodes.len() {
            let id = self.id(number).clone();
            let owner = id.enclosing().find_map(|id| self.number(&id));
            self.nodes[number].owner = owner;
            if let Some(owner) = owner {
                self.nodes[owner].inside.push(number);
            }
        }
    }

    fn add_node(&mut self, plan: NodeAdded, work: Arc<dyn Work>, choose: Option<Choose>, join: Join) {
        self.numbers.insert(plan.id.clone(), self.nodes.len());
        self.paths.extend(plan.id.enclosing());
        let (to, from, joined, inside) = (Vec::new(), Vec::new(), BTreeSet::new(), Vec::new());
        let (is_entry, owner) = (true, None);
        self.nodes.push(Node { plan, work, choose, join, to, from, joined, is_entry, owner, inside });
    }

    fn add_edge(&mut self, edge: EdgeAdded) -> Result<(), GraphError> {
        let number = |id: &NodeId| self.number(id).ok_or_else(|| GraphError::UnknownNode(id.clone()));
        let (from, to) = (number(&edge.from)?, number(&edge.to)?);
        if self.nodes[from].owner != self.nodes[to].owner {
            return Err(GraphError::Crosses { from: edge.from, to: edge.to });
        }
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
            if self.paths.contains(&plan.id) {
                return Err(GraphError::Captures(plan.id.clone()));
            }
            let why = |why| GraphError::Unworkable { node: plan.id.clone(), why };
            let grower = self.grower(&plan.id).ok_or(GraphError::NotGrowing)?;
            grower(plan, spec.whole().unwrap_or_default()).map_err(why)?;
        }
        let is_node = |id: &NodeId| self.numbers.contains_key(id) || new.contains(id);
        let owner = |id: &NodeId| id.enclosing().find(&is_node);
        for EdgeAdded { from, to, .. } in &growth.edges {
            if let Some(unknown) = [from, to].into_iter().find(|id| !is_node(id)) {
                return Err(GraphError::UnknownNode(unknown.clone()));
            }
            if owner(from) != owner(to) {
                return Err(GraphError::Crosses { from: from.clone(), to: to.clone() });
            }
        }
        Ok(())
    }

    /// What makes the work of a new node: that of the innermost graph which grows.
    fn grower(&self, id: &NodeId) -> Option<&Grower> {
        id.enclosing().map(Some).chain([None]).find_map(|place| self.growers.get(&place))
    }

    /// Adds nodes and edges as the log has them. A node whose work this version cannot make fails when it begins.
    pub fn grow(&mut self, growth: &Growth) {
        let from = self.nodes.len();
        for GrownNode { plan, join, spec } in &growth.nodes {
            if self.numbers.contains_key(&plan.id) {
                continue;
            }
            let made = match self.grower(&plan.id) {
                Some(grower) => grower(plan, spec.whole().unwrap_or_default()),
                None => Err(GraphError::NotGrowing.to_string()),
            };
            let work = made.unwrap_or_else(|why| Arc::new(Unknown(why)));
            self.add_node(plan.clone(), work, None, *join);
        }
        self.place(from);
        for edge in &growth.edges {
            // One to nowhere was refused before it came into the log.
            let _ = self.add_edge(edge.clone());
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether this visit may be made, once it is due.
    pub fn may_work(&self, id: &NodeId, visit: u32) -> bool {
        self.only.as_ref().is_none_or(|(only, number)| id == only && visit == *number)
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

    /// Whether a state key is a list that a node's patches append to.
    pub fn is_list(&self, node: &NodeId, key: &str) -> bool {
        self.lists.contains(key)
            || node.enclosing().any(|place| self.lists.contains(&format!("{place}/{key}")))
    }

    /// Nodes within no other that begin without a delivery.
    pub fn entries(&self) -> impl Iterator<Item = Number> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.is_entry && node.owner.is_none()).map(|(number, _)| number)
    }

    /// The node that this one is within.
    pub fn owner(&self, number: Number) -> Option<Number> {
        self.nodes[number].owner
    }

    /// The nodes within this one, without those that are within one of these.
    pub fn inside(&self, number: Number) -> &[Number] {
        &self.nodes[number].inside
    }

    /// The node that another one within the same node names: by the whole id, or by the name that it has there.
    pub fn beside(&self, node: &NodeId, name: &NodeId) -> Option<&NodeId> {
        let owner = self.node(node)?.owner;
        let within = owner.and_then(|owner| self.id(owner).within(name).ok());
        let found = within.and_then(|id| self.number(&id)).or_else(|| self.number(name))?;
        (self.nodes[found].owner == owner).then(|| self.id(found))
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
