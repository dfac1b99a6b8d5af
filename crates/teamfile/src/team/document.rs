//! A team as a document of Pitwall's own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Conduct, Team, fields_of};
use crate::{
    finding::Problem,
    limits::{self, DEEPEST_JSON, LARGEST_TEAM, MOST_PARTICIPANTS},
};

/// The version that is written.
const VERSION: u32 = 1;

/// A team as it is kept: JSON with the version of its form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamDocument {
    version: u32,
    /// The team.
    pub team: Team,
}

/// Why something is no document of a team.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDocument {
    /// It was written by a later version.
    #[error(
        "The team was saved in form {0}, which a later version of Pitwall writes. Update Pitwall to open it."
    )]
    Later(u64),
    /// It is too large or too deep.
    #[error(transparent)]
    OutOfBounds(Problem),
    /// It does not have the form of a team.
    #[error("This is no team: {0}.")]
    Malformed(serde_json::Error),
}

impl TeamDocument {
    /// The document of a team.
    #[must_use]
    pub fn new(team: Team) -> Self {
        Self { version: VERSION, team }
    }

    /// Reads a document. What the types allow and a team may not be is for [`super::check`].
    ///
    /// # Errors
    /// See [`InvalidDocument`].
    pub fn read(content: &Value) -> Result<Self, InvalidDocument> {
        let version = content.get("version").and_then(Value::as_u64).unwrap_or_default();
        if version > u64::from(VERSION) {
            return Err(InvalidDocument::Later(version));
        }
        out_of_bounds(content).map_or(Ok(()), |problem| Err(InvalidDocument::OutOfBounds(problem)))?;
        let mut document = Self::deserialize(content).map_err(InvalidDocument::Malformed)?;
        if let Conduct::Steps(steps) = &mut document.team.conduct {
            steps.fields = fields_of(&document.team.participants, &steps.steps);
        }
        Ok(document)
    }

    /// Its JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // A value of these types has a JSON form: all keys are texts, and no number is infinite once read.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Why a value may not be kept.
fn out_of_bounds(content: &Value) -> Option<Problem> {
    let bytes = content.to_string().len();
    if bytes > LARGEST_TEAM {
        Some(Problem::TeamTooLarge { bytes })
    } else if limits::depth(content) > DEEPEST_JSON {
        Some(Problem::JsonTooDeep)
    } else {
        None
    }
}

/// What is too large in a team, as a whole. Whatever looks at it more closely may rely on these bounds.
pub(super) fn beyond(team: &Team) -> Option<Problem> {
    if !is_small(team, limits::DEEPEST_TEAM) {
        return Some(Problem::TeamTooDeep);
    }
    out_of_bounds(&TeamDocument::new(team.clone()).to_value())
}

/// Whether teams within each other have so many levels at most.
fn is_small(team: &Team, levels: usize) -> bool {
    levels > 0
        && team
            .participants
            .iter()
            .filter_map(|one| one.inner_team())
            .all(|inner| is_small(inner, levels - 1))
}

/// How many participants, nodes or steps there are where these are too many.
pub(super) fn too_many(team: &Team) -> Option<usize> {
    let led = match &team.conduct {
        Conduct::GraphFlow { graph } => graph.nodes.len().max(graph.edges().count() / MOST_PARTICIPANTS),
        Conduct::Steps(steps) => steps.steps.len() / 4,
        _ => 0,
    };
    let count = team.participants.len().max(led);
    (count > MOST_PARTICIPANTS).then_some(count)
}
