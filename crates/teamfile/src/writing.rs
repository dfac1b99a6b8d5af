//! Writes teams for other systems, and says what did not go along. No key is ever written: there is none in a team.

mod agent_framework;
mod autogen;
mod portable;
mod python_name;
mod steps;

pub use agent_framework::{YamlFile, agent_framework};
pub use autogen::{AutoGenLine, autogen};

use crate::place::Place;

/// Something that did not go along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it stands in the team's document.
    pub place: Place,
    /// What it is, in a sentence.
    pub detail: String,
}

/// What did not go along, as it is found.
#[derive(Debug, Default)]
struct Losses(Vec<Loss>);

impl Losses {
    fn add(&mut self, place: &Place, detail: impl Into<String>) {
        self.0.push(Loss { place: place.clone(), detail: detail.into() });
    }
}
