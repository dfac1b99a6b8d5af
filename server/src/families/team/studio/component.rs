//! Teams as components: how clients send them, and how they are sent to clients.

use protocol::{Problem, document::DocumentContent};
use serde_json::{Map, Value};
use teamfile::{
    Reader, Reading, SourceFile,
    team::{Team, TeamDocument},
    writing::{AutoGenLine, autogen},
};

/// The name of what is read, as findings would say it.
const NAME: &str = "component.json";

/// What a component holds, without any key.
pub(super) fn read(component: &Map<String, Value>) -> Reading {
    // An object encodes always.
    let bytes = serde_json::to_vec(component).unwrap_or_default();
    Reader::new().read(&[SourceFile { name: NAME, bytes: &bytes }])
}

/// The team that a component is.
///
/// # Errors
/// 422: it is none, and why.
pub(super) fn team(component: &Map<String, Value>) -> Result<Team, Problem> {
    let reading = read(component);
    if let Some(found) = reading.teams.into_iter().next() {
        return Ok(found.team);
    }
    let why = reading.findings.first().map(|finding| finding.problem.to_string());
    let why = why.unwrap_or_else(|| "It holds a part of a team, and no team.".to_owned());
    Err(Problem::invalid(format!("The component is no team. {why}")))
}

/// The team of a document.
///
/// # Errors
/// 422: a later version wrote it.
pub(super) fn team_of(content: DocumentContent) -> Result<Team, Problem> {
    let document = TeamDocument::read(&content.into_value());
    Ok(document.map_err(|error| Problem::invalid(error.to_string()))?.team)
}

/// A team as a component that as many versions of AutoGen load as can.
pub(super) fn written(team: &Team) -> Value {
    let (component, losses) = autogen(team, AutoGenLine::Both);
    if losses.is_empty() { component } else { autogen(team, AutoGenLine::Newer).0 }
}
