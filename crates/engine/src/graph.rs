use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use protocol::{EdgeAdded, EdgeKind, InvalidId, Join, NodeAdded, NodeId};

use crate::{NodeError, Outcome, State, Work, group::Group};

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
pub(crate) type Choose = Arc<dyn Fn(&State, u32) -> Vec<NodeId> + Send + Sync>;

/// Makes the work of a node that appears while the run is at work, from its plan and what was written of it.
/// Must be a pure function of its arguments, since resuming calls it again. The error says in a sentence why
/// there is no such work.
pub(crate) type Grower = Arc<dyn Fn(&NodeAdded, &str) -> Result<Arc<dyn Work>, String> + Send + Sync>;

/// Why a graph is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two nodes with one id.
    #[error("The node \"{0}\" is in the graph twice.")]
    DuplicateNode(NodeId),
    /// An edge from or to a node that does not exist.
    #[error("An edge names the node \"{0}\", which is not in the graph.")]
    UnknownNode(NodeId),
    /// No node to begin with, in the graph or within one of its nodes.
    #[error("The graph has no node to begin with: each has an incoming edge.")]
    NoEntry,
    /// An edge that leads into a node or out of it.
    #[error("An edge leads from \"{from}\" to \"{to}\", which are not within the same node.")]
    Crosses {
        /// Where it begins.
        from: NodeId,
        /// Where it ends.
        to: NodeId,
    },
    /// A new node whose id is the path of nodes that were there before.
    #[error("The node \"{0}\" would have nodes inside that are in the graph already.")]
    Captures(NodeId),
    /// An id within a node is too long.
    #[error("{0}")]
    Id(#[from] InvalidId),
    /// A graph that is not made to grow.
    #[error("The graph was not planned to grow while the run is at work.")]
    NotGrowing,
    /// More nodes than a run can have.
    #[error("The graph would have more than {MOST_NODES} nodes.")]
    TooLarge,
    /// What a new node is to do cannot be understood.
    #[error("The node \"{node}\" cannot be added: {why}")]
    Unworkable {
        /// The node.
        node: NodeId,
        /// Why, in a sentence.
        why: String,
    },
}

/// The most nodes of a graph that grows.
pub(crate) const MOST_NODES: usize = 20_000;

/// Nodes with their work, and the edges between them.
///
/// A node runs when its incoming flow edges have delivered as its [`Join`] says (so parallel branches join),
/// and once for each delivery on a conditional or loop edge. Nodes without incoming flow and conditional edges
/// begin.
///
/// A node whose id continues the path of another is within that one: `plan/search` within `plan`. What is within a
/// node begins with its visit, has a state of its own, and that visit ends once nothing within it is left to do.
/// Edges lead from a node to one that is within the same node.
#[derive(Default)]
pub struct Graph {
    pub(crate) plans: Vec<NodeAdded>,
    pub(crate) work: HashMap<NodeId, Arc<dyn Work>>,
    pub(crate) edges: Vec<EdgeAdded>,
    pub(crate) choices: HashMap<NodeId, Choose>,
    pub(crate) joins: HashMap<NodeId, Join>,
    pub(crate) lists: BTreeSet<String>,
    /// What makes the work of nodes that appear, by the node within which they do.
    pub(crate) growers: HashMap<Option<NodeId>, Grower>,
    /// How many visits it takes by itself.
    pub(crate) steps: u32,
    /// The visit that alone is to be made.
    pub(crate) only: Option<(NodeId, u32)>,
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

    /// Adds an edge that always delivers; `to` joins its flow edges.
    pub fn flow(&mut self, from: &NodeId, to: &NodeId) -> &mut Self {
        self.edge(from, to.clone(), EdgeKind::Flow, None)
    }

    /// Sets when a node begins that has incoming flow edges: [`Join::All`] unless this says otherwise.
    pub fn join(&mut self, node: &NodeId, join: Join) -> &mut Self {
        self.joins.insert(node.clone(), join);
        self
    }

    /// Adds edges of which `choose` takes some after each visit to `from`, given the state after the visit
    /// and the visit's number.
    pub fn branch(
        &mut self,
        from: &NodeId,
        routes: Vec<Route>,
        choose: impl Fn(&State, u32) -> Vec<NodeId> + Send + Sync + 'static,
    ) -> &mut Self {
        self.routes(from, routes);
        self.choices.insert(from.clone(), Arc::new(choose));
        self
    }

    /// Adds edges that a visit to `from` takes only where its outcome names them, [`Outcome::to`].
    pub fn routes(&mut self, from: &NodeId, routes: impl IntoIterator<Item = Route>) -> &mut Self {
        for route in routes {
            self.edge(from, route.to, route.kind, Some(route.condition));
        }
        self
    }

    /// Adds a node whose inside is a graph of its own; `search` in that is `plan/search` within `plan`. What nodes
    /// set inside stays there: `conclude` makes of their state what comes of the visit. It must be a pure function,
    /// since resuming calls it again.
    ///
    /// # Errors
    /// An id becomes too long.
    pub fn group(
        &mut self,
        plan: NodeAdded,
        inside: Self,
        conclude: impl Fn(&State) -> Result<Outcome, NodeError> + Send + Sync + 'static,
    ) -> Result<&mut Self, GraphError> {
        let group = plan.id.clone();
        let within = |id: &NodeId| group.within(id);
        let Self { plans, work, edges, choices, joins, lists, growers, steps, only: _ } = inside;
        self.steps = self.steps.saturating_add(steps);
        self.node(plan, Group(conclude));
        for plan in plans {
            self.plans.push(NodeAdded { id: within(&plan.id)?, ..plan });
        }
        for (id, work) in work {
            self.work.insert(within(&id)?, work);
        }
        for edge in edges {
            self.edges.push(EdgeAdded { from: within(&edge.from)?, to: within(&edge.to)?, ..edge });
        }
        for (id, choose) in choices {
            self.choices.insert(within(&id)?, choose);
        }
        for (id, join) in joins {
            self.joins.insert(within(&id)?, join);
        }
        for (place, grower) in growers {
            let place = place.map_or_else(|| Ok(group.clone()), |place| within(&place))?;
            self.growers.insert(Some(place), grower);
        }
        self.lists.extend(lists.into_iter().map(|key| format!("{group}/{key}")));
        Ok(self)
    }

    /// Makes a state key a list that patches append to, also within nodes.
    pub fn append(&mut self, key: &str) -> &mut Self {
        self.lists.insert(key.to_owned());
        self
    }

    /// Says how many visits the graph takes by itself, where those are many and known, as for work that is repeated
    /// over a list. What a request says of steps is raised to this; what its owner's account may use is not.
    pub fn takes_steps(&mut self, steps: u32) -> &mut Self {
        self.steps = self.steps.saturating_add(steps);
        self
    }

    /// What is planned of a node; `None` for one that is not there, or appears at work.
    pub fn plan(&self, node: &NodeId) -> Option<&NodeAdded> {
        self.plans.iter().find(|plan| plan.id == *node)
    }

    /// Lets no other visit be made: a run that continues another one before this visit ends after it, whatever follows
    /// from it in the graph, and whatever else could be done.
    pub fn only(&mut self, node: NodeId, visit: u32) -> &mut Self {
        self.only = Some((node, visit));
        self
    }

    /// Lets nodes add nodes while the run is at work, by [`NodeContext::grow`](crate::NodeContext::grow). `work`
    /// makes what a new node does from its plan and what was written of it. It must be a pure function: a run that
    /// is resumed or continued asks it again.
    pub fn growing(
        &mut self,
        work: impl Fn(&NodeAdded, &str) -> Result<Arc<dyn Work>, String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.growers.insert(None, Arc::new(work));
        self
    }

    fn edge(&mut self, from: &NodeId, to: NodeId, kind: EdgeKind, condition: Option<String>) -> &mut Self {
        self.edges.push(EdgeAdded { from: from.clone(), to, kind, condition });
        self
    }
}
