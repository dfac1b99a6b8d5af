//! A team as a document.

use protocol::document::{DocumentContent, DocumentFinding, DocumentKindSpec, Severity};
use protocol::team::KIND;
use serde_json::{Value, json};
use teamfile::{
    LONGEST_NAME, MOST_PARTICIPANTS,
    team::{self, TeamDocument},
};

use super::{forms, sample};

/// The kind.
pub(super) fn spec() -> Option<DocumentKindSpec> {
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

/// What is wrong with a team, at its places. What a person has to decide before it runs does not keep it from being
/// saved.
pub(super) fn check(content: &DocumentContent) -> Vec<DocumentFinding> {
    let finding =
        |place: &str, detail: String, severity| DocumentFinding { place: place.to_owned(), detail, severity };
    let document = match TeamDocument::read(&content.clone().into_value()) {
        Ok(document) => document,
        Err(error) => return vec![finding("", error.to_string(), Severity::Error)],
    };
    let told = team::check(&document.team, &[]).into_iter().filter_map(|found| {
        let severity = match found.problem.severity() {
            teamfile::Severity::Error => Severity::Error,
            teamfile::Severity::Question | teamfile::Severity::Warning => Severity::Warning,
            teamfile::Severity::Note => return None,
        };
        Some(finding(found.place.as_str(), found.problem.to_string(), severity))
    });
    told.collect()
}
