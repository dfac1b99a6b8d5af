//! Components are looked at, and models are asked. Nothing of a component is ever run.

use axum::Json;
use backend::Backend;
use teamfile::{Finding, Reading};
use wire::autogen::{ComponentTest, GivenComponent, Validation, ValidationFinding};

use super::component;
use crate::{problem::Detail, rest::JsonBody, scope::Scoped};

pub(super) async fn validate(
    _service: Scoped,
    JsonBody(given): JsonBody<GivenComponent>,
) -> Json<Validation> {
    Json(validation(&given))
}

fn validation(given: &GivenComponent) -> Validation {
    let reading = component::read(&given.component);
    let mut found = Validation::default();
    for finding in findings(&reading) {
        let list = if finding.problem.lets_run() { &mut found.warnings } else { &mut found.errors };
        list.push(ValidationFinding {
            field: finding.place.as_str().to_owned(),
            error: finding.problem.to_string(),
            suggestion: None,
        });
    }
    if !given.component.contains_key("version") {
        found.warnings.push(ValidationFinding {
            field: "version".to_owned(),
            error: "The component does not say its version. It is read all the same.".to_owned(),
            suggestion: Some("Add \"version\": 1.".to_owned()),
        });
    }
    found.is_valid = found.errors.is_empty() && !(reading.teams.is_empty() && reading.library.is_empty());
    found
}

fn findings(reading: &Reading) -> impl Iterator<Item = &Finding> {
    let of_teams = reading.teams.iter().flat_map(|team| &team.findings);
    let of_parts = reading.library.iter().flat_map(|part| &part.findings);
    reading.findings.iter().chain(of_teams).chain(of_parts)
}

pub(super) async fn test(
    service: Scoped,
    JsonBody(given): JsonBody<GivenComponent>,
) -> Result<Json<ComponentTest>, Detail> {
    let validation = validation(&given);
    let logs =
        validation.errors.iter().chain(&validation.warnings).map(|finding| finding.error.clone()).collect();
    if !validation.is_valid {
        let message = "Component validation failed".to_owned();
        return Ok(Json(ComponentTest { status: false, message, data: None, logs }));
    }
    let kind = given.component.get("component_type").and_then(serde_json::Value::as_str);
    if !matches!(kind, Some("model" | "agent")) {
        let message =
            "The component can be read. Only models are asked: start a run to try the rest.".to_owned();
        return Ok(Json(ComponentTest { status: true, message, data: None, logs }));
    }
    // A component names a model, and never has its key here.
    let tested = service.test_model(None).await?;
    let (status, message) = match tested.error {
        None => (true, format!("The model of the server answered after {} ms.", tested.latency_ms)),
        Some(why) => (false, format!("The model of the server does not answer: {why}")),
    };
    Ok(Json(ComponentTest { status, message, data: None, logs }))
}
