//! What clients of AutoGen Studio keep beside teams, as documents.

use protocol::{
    document::{DocumentContent, DocumentFinding, DocumentKindSpec, Severity},
    team::{GALLERY_KIND, KIND, SESSION_KIND, SETTINGS_KIND},
};
use serde_json::{Value, json};

/// The kinds.
pub(super) fn kinds() -> Vec<DocumentKindSpec> {
    let id = json!({ "type": "string" });
    let session = json!({ "type": "object", "properties": { "team": id, "draft": id } });
    let gallery = json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "components": { "type": "object" } },
        "required": ["components"],
    });
    let settings = json!({
        "type": "object",
        "properties": { "environment": { "type": "array", "maxItems": 0 }, "ui": { "type": "object" } },
    });
    let of = |kind: &str, label: &str, plural: &str, hint: &str, schema: Value, template: Value| {
        let Value::Object(template) = template else { return None };
        Some(DocumentKindSpec {
            kind: kind.parse().ok()?,
            family: KIND.to_owned(),
            label: label.to_owned(),
            plural: plural.to_owned(),
            hint: hint.to_owned(),
            schema,
            template: DocumentContent::new(template).ok()?,
        })
    };
    let kinds = [
        of(
            SESSION_KIND,
            "Studio session",
            "Studio sessions",
            "Runs of teams that belong together, for clients of AutoGen Studio.",
            session,
            json!({}),
        ),
        of(
            GALLERY_KIND,
            "Studio gallery",
            "Studio galleries",
            "Parts to make teams of, for clients of AutoGen Studio.",
            gallery,
            json!({ "components": {} }),
        ),
        of(
            SETTINGS_KIND,
            "Studio settings",
            "Studio settings",
            "How AutoGen Studio's pages look to an account. Pitwall does not read them.",
            settings,
            json!({}),
        ),
    ];
    kinds.into_iter().flatten().collect()
}

/// What is wrong with one of these: no key is kept.
pub(super) fn check(content: &DocumentContent) -> Vec<DocumentFinding> {
    let mut value = content.clone().into_value();
    if teamfile::without_keys(&mut value) == 0 {
        return Vec::new();
    }
    vec![DocumentFinding {
        place: String::new(),
        detail: "A key or a password stands in it. Take it out: models and their keys are set on the server."
            .to_owned(),
        severity: Severity::Error,
    }]
}
