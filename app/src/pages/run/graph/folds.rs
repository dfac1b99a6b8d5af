//! Which groups are open.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use protocol::{NodeId, NodeStatus, RunView};

use crate::graph::tree::Tree;

/// In a run of so many nodes at most, every group is open until somebody folds it.
const FEW: usize = 60;

/// What a person folded and opened, for all views of a run.
#[derive(Clone, Copy, Default)]
pub struct Folds {
    by_hand: RwSignal<BTreeMap<NodeId, bool>>,
}

impl Folds {
    /// Opens or folds a group.
    pub fn set(self, group: NodeId, open: bool) {
        self.by_hand.update(|by_hand| {
            by_hand.insert(group, open);
        });
    }

    /// Tells the caller when something is folded or opened by hand.
    pub fn track(self) {
        self.by_hand.track();
    }

    /// Opens all that a node is within.
    pub fn open_around(self, view: &RunView, node: &NodeId) {
        let groups: Vec<_> = node.enclosing().filter(|id| view.nodes.place(id).is_some()).collect();
        let is_open = |by_hand: &BTreeMap<NodeId, bool>| {
            groups.iter().all(|group| by_hand.get(group).copied().unwrap_or_default())
        };
        if !self.by_hand.with_untracked(is_open) {
            self.by_hand.update(|by_hand| by_hand.extend(groups.into_iter().map(|group| (group, true))));
        }
    }

    /// Folds all groups.
    pub fn fold_all(self, view: &RunView, tree: &Tree) {
        let groups = (0..tree.len()).filter(|node| tree.is_group(*node));
        let ids = groups.filter_map(|group| view.nodes.get(group).map(|node| node.plan.id.clone()));
        self.by_hand.set(ids.map(|group| (group, false)).collect());
    }

    /// Whether a group is open, where somebody decided it.
    pub fn chosen(self, group: &NodeId) -> Option<bool> {
        self.by_hand.with(|by_hand| by_hand.get(group).copied())
    }

    /// The groups that are open: those that were opened, and, unless somebody folded them, those in which something
    /// works; in a run of few nodes all.
    pub fn open(self, view: &RunView, tree: &Tree, at_work: &BTreeSet<usize>) -> BTreeSet<usize> {
        let all = (0..tree.len()).filter(|node| tree.is_group(*node));
        let is_open = |group: &usize| {
            let by_hand = view.nodes.get(*group).and_then(|node| self.chosen(&node.plan.id));
            by_hand.unwrap_or(tree.len() <= FEW || at_work.contains(group))
        };
        all.filter(is_open).collect()
    }
}

/// The groups within which something works.
pub fn groups_at_work(view: &RunView, tree: &Tree) -> BTreeSet<usize> {
    let at_work = view.nodes.iter().enumerate().filter(|(place, node)| {
        let works = matches!(node.status, NodeStatus::Running | NodeStatus::Waiting);
        works && !tree.is_group(*place)
    });
    tree.groups_around(at_work.map(|(place, _)| place))
}
