//! The state of the run, and that within each of its nodes.

use std::collections::BTreeSet;

use protocol::{NodeFinished, NodeId, Patch};

use super::Progress;
use crate::{State, run_graph::Number};

/// The nodes that are within the same node, or within none.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Their state.
    pub(super) state: State,
    /// How many of them are at work or can begin.
    pub(super) open: usize,
    /// Those that could begin with what was delivered, once none of them is open.
    pub(super) partly_joined: BTreeSet<Number>,
}

impl Progress {
    /// Changes the state within a node, or that of the run. A visit in flight that was taken over is still to be
    /// repeated, so it gets the edit as well, and so does what is within it.
    pub(super) fn edit(&mut self, owner: Option<Number>, patch: &Patch) {
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
    pub(super) fn place_of<'k>(&self, key: &'k str) -> (Option<Number>, &'k str) {
        let within = key.rsplit_once('/').and_then(|(path, key)| {
            let number = self.graph.number(&path.parse().ok()?)?;
            self.nodes[number].in_flight.then_some((Some(number), key))
        });
        within.unwrap_or((None, key))
    }

    /// The node within which this one is, or was, if that is still there.
    pub(super) fn level_of(&self, node: Option<&NodeId>) -> Option<Number> {
        node?.enclosing().find_map(|id| self.graph.number(&id))
    }

    pub(super) fn level(&self, owner: Option<Number>) -> &Level {
        owner.map_or(&self.outermost, |owner| &self.nodes[owner].inside)
    }

    pub(super) fn level_mut(&mut self, owner: Option<Number>) -> &mut Level {
        match owner {
            Some(owner) => &mut self.nodes[owner].inside,
            None => &mut self.outermost,
        }
    }

    pub(super) fn take_patch(&mut self, owner: Option<Number>, finished: &NodeFinished) {
        self.level_mut(owner).state.merge(&finished.patch, |key| finished.appended.contains(key));
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
}
