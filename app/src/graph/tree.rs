//! Which nodes are within which.

use std::collections::{BTreeSet, HashMap};

use protocol::{NodeAdded, NodeId};

/// The nodes of a plan by what they are within. A node with others in it is a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

impl Tree {
    /// The tree of these nodes; they are named by their place from here on.
    pub fn new(nodes: &[&NodeAdded]) -> Self {
        let places: HashMap<&NodeId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (&node.id, place)).collect();
        let mut tree = Self { children: vec![Vec::new(); nodes.len()], ..Self::default() };
        for (place, node) in nodes.iter().enumerate() {
            let parent = node.id.enclosing().find_map(|id| places.get(&id).copied());
            match parent.and_then(|parent| tree.children.get_mut(parent)) {
                Some(children) => children.push(place),
                None => tree.roots.push(place),
            }
            tree.parents.push(parent);
        }
        tree
    }

    /// The nodes that are within no other, in the order of the plan.
    pub fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// The nodes right within another, in the order of the plan.
    pub fn children(&self, node: usize) -> &[usize] {
        self.children.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether others are within it.
    pub fn is_group(&self, node: usize) -> bool {
        !self.children(node).is_empty()
    }

    /// Whether there are groups at all.
    pub fn has_groups(&self) -> bool {
        self.roots.len() < self.parents.len()
    }

    /// The node that another is right within.
    pub fn parent(&self, node: usize) -> Option<usize> {
        self.parents.get(node).copied().flatten()
    }

    /// The nodes that another is within, the innermost first. Ids are paths, so there is no circle.
    pub fn around(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(node), |node| self.parent(*node))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The two nodes of one level that two nodes are, or are within; `None` where one is within the other.
    pub fn beside(&self, one: usize, other: usize) -> Option<(usize, usize)> {
        if self.parent(one) == self.parent(other) {
            return Some((one, other));
        }
        let path = |node: usize| {
            let mut path: Vec<usize> = std::iter::once(node).chain(self.around(node)).collect();
            path.reverse();
            path
        };
        let (one, other) = (path(one), path(other));
        one.into_iter().zip(other).find(|(one, other)| one != other)
    }

    /// All nodes in the order of the plan, each group's right behind it, with how deep each is within others. What is
    /// within a group that is not `open` is left out.
    pub fn rows(&self, open: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
        let mut rows = Vec::new();
        let mut waiting: Vec<(usize, usize)> = self.roots.iter().rev().map(|root| (*root, 0)).collect();
        while let Some((node, depth)) = waiting.pop() {
            rows.push((node, depth));
            if self.is_group(node) && open(node) {
                waiting.extend(self.children(node).iter().rev().map(|child| (*child, depth + 1)));
            }
        }
        rows
    }

    /// The groups that have to be open for all of these nodes to be seen.
    pub fn groups_around(&self, nodes: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        nodes.flat_map(|node| self.around(node)).collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NodeAdded, NodeKind};

    use super::*;

    fn tree(ids: &[&str]) -> Tree {
        let nodes: Vec<NodeAdded> = ids
            .iter()
            .map(|id| NodeAdded {
                id: id.parse().unwrap(),
                label: (*id).to_owned(),
                role: "agent".into(),
                kind: NodeKind::Agent,
                phase: "One".into(),
                scope: None,
                owner: None,
                tier: None,
                planned_visits: 1,
            })
            .collect();
        Tree::new(&nodes.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_node_is_within_the_nearest_node_of_its_path() {
        // There is no node `report/2`.
        let tree = tree(&["plan", "report", "report/1", "report/1/search", "report/2/search"]);
        assert_eq!(tree.roots(), [0, 1]);
        assert_eq!(tree.children(1), [2, 4]);
        assert_eq!(tree.around(3).collect::<Vec<_>>(), [2, 1]);
        assert!(tree.is_group(2) && !tree.is_group(0) && tree.has_groups());
        assert_eq!(tree.rows(|_| true), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 1)]);
        assert_eq!(tree.rows(|node| node == 1), [(0, 0), (1, 0), (2, 1), (4, 1)]);
    }

    #[test]
    fn what_joins_nodes_of_two_levels_joins_what_they_are_within() {
        let tree = tree(&["plan", "report", "report/1", "report/1/search", "report/2"]);
        assert_eq!(tree.beside(3, 4), Some((2, 4)));
        assert_eq!(tree.beside(0, 3), Some((0, 1)));
        assert_eq!(tree.beside(0, 1), Some((0, 1)));
        assert_eq!(tree.beside(1, 3), None);
        assert_eq!(tree.beside(0, 0), Some((0, 0)));
    }
}
