//! A team with its task, as its nodes share it.

use engine::{NodeError, State};
use protocol::NodeId;
use teamfile::team::{Participant, Team};
use tools::Registry;

use super::course::{Course, Happened};
use crate::node::node_id;

/// The key of what has happened, a list of lists.
pub(super) const COURSE: &str = "course";

/// A team with its task.
pub(super) struct Crew {
    pub(super) team: Team,
    pub(super) task: String,
    pub(super) tools: Registry,
    /// The node that chooses who speaks.
    pub(super) manager: NodeId,
    /// The node of each participant, in their order.
    pub(super) nodes: Vec<NodeId>,
}

impl Crew {
    /// # Errors
    /// A node can have no id, in a sentence.
    pub(super) fn new(team: Team, task: String, tools: Registry) -> Result<Self, String> {
        // The number keeps ids apart whatever the names are, and from the manager's.
        let nodes = team
            .aliases()
            .iter()
            .enumerate()
            .map(|(number, alias)| node_id(&format!("{}_{}", number + 1, alias.to_lowercase())));
        let nodes = nodes.collect::<Result<_, _>>()?;
        Ok(Self { manager: node_id("manager")?, nodes, team, task, tools })
    }

    /// How far the team has come, by the run's state alone.
    ///
    /// # Errors
    /// The state has something else, or the team cannot go on.
    pub(super) fn course(&self, state: &State) -> Result<Course, NodeError> {
        let happened: Vec<Vec<Happened>> = state.get(COURSE)?.unwrap_or_default();
        Course::of(&self.team, &self.task, happened.into_iter().flatten())
            .map_err(|error| NodeError::failed(error.to_string()))
    }

    /// The node of a participant.
    ///
    /// # Errors
    /// Nobody has this name.
    pub(super) fn node(&self, name: &str) -> Result<NodeId, NodeError> {
        let found = self.team.participants.iter().position(|participant| participant.name == name);
        found
            .and_then(|number| self.nodes.get(number).cloned())
            .ok_or_else(|| NodeError::failed(format!("Nobody in the team is called “{}”.", line(name, 60))))
    }

    /// The participants with their nodes.
    pub(super) fn members(&self) -> impl Iterator<Item = (&Participant, &NodeId)> {
        self.team.participants.iter().zip(&self.nodes)
    }
}

/// The beginning of a text in one line, for labels and sentences: names and tasks hold anything.
pub(super) fn line(text: &str, most: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
