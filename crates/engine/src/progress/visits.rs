//! Which visits are under way, and which can begin.

use std::collections::BTreeSet;

use protocol::{Growth, Join, NodeFinished, NodeId};

use super::{NodeProgress, Progress};
use crate::{State, run_graph::Number};

impl Progress {
    pub(super) fn grow(&mut self, author: Number, growth: &Growth) {
        self.nodes[author].emitted += 1;
        self.graph.grow(growth);
        let new = self.nodes.len()..self.graph.len();
        self.nodes.resize_with(new.end, NodeProgress::default);
        for number in new {
            // What is within a node that is not at work begins with its visit.
            let begins = self.graph.owner(number).is_none_or(|owner| self.nodes[owner].in_flight);
            self.nodes[number].triggers = u32::from(begins && self.graph.is_entry(number));
            self.update_ready(number);
        }
        // A new edge changes what a join waits for.
        for edge in &growth.edges {
            if let Some(number) = self.graph.number(&edge.to) {
                self.update_ready(number);
            }
        }
    }

    pub(super) fn begin_visit(&mut self, number: Number, visit: u32) {
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
        self.update_ready(number);
        for inner in self.graph.inside(number).to_vec() {
            self.nodes[inner].joined.clear();
            self.nodes[inner].triggers = u32::from(self.graph.is_entry(inner));
            self.update_ready(inner);
        }
        self.update_idle(number);
    }

    pub(super) fn end_visit(&mut self, number: Number, finished: &NodeFinished) {
        self.forget_calls(number);
        let node = &mut self.nodes[number];
        node.in_flight = false;
        node.state = State::default();
        node.inside.state = State::default();
        node.comments.clear();
        self.in_flight.remove(&number);
        self.update_ready(number);
        self.update_idle(number);
        self.take_patch(self.graph.owner(number), finished);
        for next in &finished.next {
            let Some(next) = self.graph.number(next) else { continue };
            if self.graph.joins(number, next) {
                self.nodes[next].joined.insert(number);
                self.update_ready(next);
            } else {
                self.trigger(next);
            }
        }
    }

    /// Removes the triggers of the node's next visit. A join keeps the deliveries of sources other than
    /// `source`.
    pub(super) fn withdraw(&mut self, number: Number, source: Option<Number>) {
        let node = &mut self.nodes[number];
        match source {
            _ if node.triggers > 0 => node.triggers -= 1,
            Some(source) if node.joined.contains(&source) => {
                node.joined.remove(&source);
            }
            _ => node.joined.clear(),
        }
        self.update_ready(number);
    }

    pub(super) fn trigger(&mut self, number: Number) {
        self.nodes[number].triggers += 1;
        self.update_ready(number);
    }

    /// Keeps whether the node can begin a visit, after a change of what that depends on.
    pub(super) fn update_ready(&mut self, number: Number) {
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
            self.update_idle(owner);
        }
    }

    /// Keeps whether anything within the node is at work or can begin.
    pub(super) fn update_idle(&mut self, number: Number) {
        let node = &self.nodes[number];
        let is_idle = node.in_flight && node.inside.open == 0 && !self.graph.inside(number).is_empty();
        if is_idle {
            self.idle.insert(number)
        } else {
            self.idle.remove(&number)
        };
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
    pub(super) fn visit(&self, number: Number, further: u32) -> (NodeId, u32) {
        (self.graph.id(number).clone(), self.nodes[number].visits + further)
    }

    /// Nodes that were never visited, and whether some of what they join was delivered.
    pub fn never_visited(&self) -> impl Iterator<Item = (&NodeId, bool)> {
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.visits == 0);
        nodes.map(|(number, node)| (self.graph.id(number), !node.joined.is_empty()))
    }
}
