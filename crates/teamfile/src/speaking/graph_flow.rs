//! A graph of who follows whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{SpeakingError, conversation::Choice};
use crate::{
    message::Message,
    team::{Activation, Graph},
    termination::Stop,
};

pub(super) const NAME: &str = "GraphFlowManager";

/// A graph at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct GraphFlow {
    graph: Graph,
    /// Edges of each group that have fired since its node was last taken.
    fired: BTreeMap<String, BTreeMap<String, usize>>,
    /// Groups of each node that made it ready since it was last taken.
    triggered: BTreeMap<String, BTreeSet<String>>,
    /// Who speaks next.
    ready: Vec<String>,
}

impl GraphFlow {
    pub(super) fn new(graph: &Graph) -> Result<Self, SpeakingError> {
        let ready: Vec<String> = graph.beginnings().into_iter().map(str::to_owned).collect();
        if ready.is_empty() {
            return Err(SpeakingError::NoBeginning);
        }
        Ok(Self { graph: graph.clone(), fired: BTreeMap::new(), triggered: BTreeMap::new(), ready })
    }

    pub(super) fn reset(&mut self) {
        self.fired.clear();
        self.triggered.clear();
        self.ready = self.graph.beginnings().into_iter().map(str::to_owned).collect();
    }

    /// A node has spoken: its edges whose condition the message fulfils fire.
    pub(super) fn hear(&mut self, speaker: &str, message: &Message) {
        let text = message.to_text();
        let Some(node) = self.graph.nodes.iter().find(|node| node.name == speaker) else { return };
        for edge in &node.edges {
            if edge.condition.as_ref().is_some_and(|condition| !text.contains(condition.as_str())) {
                continue;
            }
            let fired =
                self.fired.entry(edge.target.clone()).or_default().entry(edge.group.clone()).or_default();
            *fired += 1;
            let needed = match edge.activation {
                Activation::Any => 1,
                Activation::All => self
                    .graph
                    .edges()
                    .filter(|(_, other)| other.target == edge.target && other.group == edge.group)
                    .count(),
            };
            if *fired == needed {
                self.ready.push(edge.target.clone());
                self.triggered.entry(edge.target.clone()).or_default().insert(edge.group.clone());
            }
        }
    }

    /// All nodes that are ready, at the same time. The groups that made them ready count anew from here on.
    pub(super) fn choose(&mut self) -> Choice {
        let mut speakers: Vec<String> = Vec::new();
        for name in std::mem::take(&mut self.ready) {
            for group in self.triggered.remove(&name).unwrap_or_default() {
                if let Some(groups) = self.fired.get_mut(&name) {
                    groups.remove(&group);
                }
            }
            if !speakers.contains(&name) {
                speakers.push(name);
            }
        }
        if speakers.is_empty() { Choice::Finish(complete()) } else { Choice::Speak(speakers) }
    }

    pub(super) fn completion(&self) -> Option<Stop> {
        self.ready.is_empty().then(complete)
    }
}

fn complete() -> Stop {
    Stop { content: "Digraph execution is complete".to_owned(), source: NAME.to_owned() }
}
