//! A team as a document, and which other kinds there are.

use protocol::document::{DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, Severity};
use protocol::team::KIND;
use serde_json::{Value, json};
use teamfile::{
    LONGEST_NAME, MOST_PARTICIPANTS,
    team::{self, TeamDocument},
};

use super::{forms, sample, studio};

/// All kinds.
pub(super) fn kinds() -> Vec<DocumentKindSpec> {
    spec().into_iter().chain(studio::kinds()).collect()
}

/// What is wrong with a content, at its places.
pub(super) fn check(kind: &DocumentKind, content: &DocumentContent) -> Vec<DocumentFinding> {
    if kind.as_str() == KIND { check_team(content) } else { studio::check(content) }
}

/// The kind of teams.
fn spec() -> Option<DocumentKindSpec> {
    let template = match TeamDocument::new(sample::team()).to_value() {
        Value::Object(fields) => DocumentContent::new(fields).ok()?,
        _ => return None,
    };
    Some(DocumentKindSpec {
        kind: forms::document_kind().ok()?,
        family: KIND.to_owned(),
        label: "Team".to_owned(),
        plural: "Teams".to_owned(),
        hint: "Agents that work together: who takes part, who speaks next, and when it ends.".to_owned(),
        schema: schema(),
        template,
    })
}

/// What all teams have. What is within a participant or a condition has many forms, which reading tells apart.
fn schema() -> Value {
    let tagged = json!({
        "type": "object",
        "properties": { "kind": { "type": "string" } },
        "required": ["kind"],
    });
    let participant = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": LONGEST_NAME },
            "description": { "type": "string" },
            "role": tagged,
        },
        "required": ["name", "role"],
    });
    let team = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": LONGEST_NAME },
            "description": { "type": "string" },
            "conduct": tagged,
            "participants": { "type": "array", "maxItems": MOST_PARTICIPANTS, "items": participant },
            "termination": tagged,
            "max_turns": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "emit_team_events": { "type": "boolean" },
        },
        "required": ["name", "conduct", "participants"],
    });
    json!({
        "type": "object",
        "properties": { "version": { "type": "integer", "minimum": 1 }, "team": team },
        "required": ["version", "team"],
    })
}

/// What is wrong with a team, at its places. What can be read is saved, whatever keeps it from running: people bring
/// teams along that lack something, and a run says what before it starts.
fn check_team(content: &DocumentContent) -> Vec<DocumentFinding> {
    let finding =
        |place: &str, detail: String, severity| DocumentFinding { place: place.to_owned(), detail, severity };
    let document = match TeamDocument::read(&content.clone().into_value()) {
        Ok(document) => document,
        Err(error) => return vec![finding("", error.to_string(), Severity::Error)],
    };
    team::check(&document.team, &[])
        .into_iter()
        .filter(|found| found.problem.severity() != teamfile::Severity::Note)
        .map(|found| finding(found.place.as_str(), found.problem.to_string(), Severity::Warning))
        .collect()
}
