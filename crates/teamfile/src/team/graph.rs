//! Who follows whom in a team that works as a graph.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::Kept;
use crate::{finding::Problem, place::Place};

/// Who follows whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The nodes, in their order. Each is a participant.
    pub nodes: Vec<GraphNode>,
    /// The node that begins; `None` for all that follow nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

/// A participant in a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// The participant's name.
    pub name: String,
    /// Who may follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Whether all that lead to it have to be done, or any of them.
    #[serde(default)]
    pub activation: Activation,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// One participant after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Who follows.
    pub target: String,
    /// The text that has to be in the message before; `None` for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Edges to one node with the same group are counted together.
    pub group: String,
    /// Whether all edges of the group have to fire, or any of them.
    #[serde(default)]
    pub activation: Activation,
}

/// Whether all of several have to be done, or any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// All.
    #[default]
    All,
    /// Any.
    Any,
}

impl Graph {
    /// The nodes that begin: the one that is named, or all that follow nobody.
    #[must_use]
    pub fn beginnings(&self) -> Vec<&str> {
        let names = self.nodes.iter().map(|node| node.name.as_str());
        if let Some(start) = &self.start {
            return names.filter(|name| name == start).collect();
        }
        let targets: BTreeSet<&str> = self.edges().map(|(_, edge)| edge.target.as_str()).collect();
        names.filter(|name| !targets.contains(name)).collect()
    }

    /// All edges, each with the name of the node that it leaves.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &Edge)> {
        self.nodes.iter().flat_map(|node| node.edges.iter().map(|edge| (node.name.as_str(), edge)))
    }

    /// Whether anybody can come to speak twice.
    #[must_use]
    pub fn has_cycle(&self) -> bool {
        self.nodes_in_cycles(|_| true).next().is_some()
    }

    /// What keeps the graph from running, each where it is; `place` is the graph's own.
    pub(crate) fn problems(&self, place: &Place) -> Vec<(Place, Problem)> {
        let mut problems = Vec::new();
        let node_at = |number: usize| place.at("nodes").at(number);
        let names: BTreeSet<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        if self.beginnings().is_empty() {
            problems.push((place.clone(), Problem::GraphWithoutBeginning));
        }
        if self.nodes.iter().all(|node| !node.edges.is_empty()) {
            problems.push((place.clone(), Problem::GraphWithoutEnd));
        }
        let endless = self.nodes_in_cycles(|edge| edge.condition.is_none()).next();
        let mut groups: BTreeMap<(&str, &str), Activation> = BTreeMap::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let conditional = node.edges.iter().filter(|edge| edge.condition.is_some()).count();
            if conditional > 0 && conditional < node.edges.len() {
                problems.push((node_at(number), Problem::MixedEdges { node: node.name.clone() }));
            }
            if endless == Some(node.name.as_str()) {
                problems.push((node_at(number), Problem::EndlessCycle { node: node.name.clone() }));
            }
            for (edge_number, edge) in node.edges.iter().enumerate() {
                let edge_at = node_at(number).at("edges").at(edge_number);
                let Edge { target, group, activation, .. } = edge;
                if !names.contains(target.as_str()) {
                    let problem = Problem::EdgeToNobody { from: node.name.clone(), target: target.clone() };
                    problems.push((edge_at.at("target"), problem));
                }
                if groups.entry((target, group)).or_insert(*activation) != activation {
                    let problem = Problem::MixedActivation { node: target.clone(), group: group.clone() };
                    problems.push((edge_at.at("activation"), problem));
                }
            }
        }
        problems
    }

    /// Nodes that lie on a cycle of such edges.
    fn nodes_in_cycles<'a>(&'a self, follows: impl Fn(&Edge) -> bool + 'a) -> impl Iterator<Item = &'a str> {
        let next = move |name: &str| -> Vec<&'a str> {
            let node = self.nodes.iter().find(|node| node.name == name);
            let edges = node.into_iter().flat_map(|node| &node.edges);
            edges.filter(|edge| follows(edge)).map(|edge| edge.target.as_str()).collect()
        };
        self.nodes.iter().map(|node| node.name.as_str()).filter(move |start| {
            let (mut reached, mut open) = (BTreeSet::new(), next(start));
            while let Some(name) = open.pop() {
                if name == *start {
                    return true;
                }
                if reached.insert(name) {
                    open.extend(next(name));
                }
            }
            false
        })
    }
}
