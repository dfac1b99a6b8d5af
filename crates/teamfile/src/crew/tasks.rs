//! Tasks of a crew, as steps.

use serde_json::{Map, Value};

use super::code::Code;
use crate::{
    finding::{Problem, shown},
    limits::MOST_PARTS,
    place::Spot,
    reading::{Fields, Importer},
    team::{Participant, Step},
};

/// What a task can have that is not run here.
const NOT_RUN: [&str; 12] = [
    "tools",
    "async_execution",
    "human_input",
    "output_json",
    "output_pydantic",
    "converter_cls",
    "callback",
    "guardrail",
    "guardrails",
    "create_directory",
    "markdown",
    "config",
];

pub(super) fn read(
    entries: &Map<String, Value>,
    participants: &[Participant],
    code: &Code,
    team: &Spot,
    importer: &mut Importer<'_>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (key, entry) in entries {
        let place = team.file.at(key);
        let Value::Object(fields) = entry else {
            importer.tell(&place, Problem::NoMapping { key: shown(key), what: "task" });
            continue;
        };
        if steps.len() == MOST_PARTS {
            importer.tell(&team.file, Problem::TooManyParts { what: "tasks", count: entries.len() });
            break;
        }
        let document = team.document.at("conduct").at("steps").at(steps.len());
        let spot = Spot { file: place, document };
        steps.push(step(key, fields, participants, code, &spot, importer));
    }
    steps
}

fn step(
    key: &str,
    fields: &Map<String, Value>,
    participants: &[Participant],
    code: &Code,
    spot: &Spot,
    importer: &mut Importer<'_>,
) -> Step {
    importer.origin(spot);
    let mut fields = Fields::new(fields.clone(), spot.file.clone());
    let in_code = code.task(key);
    let agent = fields.filled_text("agent", importer).map(|agent| agent.trim().to_owned());
    let agent = agent.or_else(|| in_code.and_then(|task| task.agent.clone()));
    // It names a method, which is mostly called like the entry.
    let agent = agent.map(|method| {
        let is_there = participants.iter().any(|participant| participant.name == method);
        if is_there && !code.has_agent(&method) { method } else { code.agent(&method).to_owned() }
    });
    let inputs = match fields.take("context") {
        Some(Value::Array(values)) => {
            Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        }
        Some(Value::String(one)) => Some(vec![one]),
        _ => in_code.and_then(|task| task.context.clone()),
    };
    let inputs =
        inputs.map(|methods| methods.iter().map(|method| code.task_key(method).to_owned()).collect());
    for feature in NOT_RUN {
        let place = fields.place.at(feature);
        if fields.take(feature).is_some_and(|value| value != Value::Bool(false)) {
            importer.tell(&place, Problem::NotRun { feature: feature.to_owned() });
        }
    }
    for feature in in_code.iter().flat_map(|task| &task.features) {
        importer.tell(&spot.file, Problem::NotRun { feature: feature.clone() });
    }
    let artefact = fields.filled_text("output_file", importer);
    let description = fields.text("description", importer).unwrap_or_default();
    let expected_output = fields.text("expected_output", importer).unwrap_or_default();
    Step {
        name: key.to_owned(),
        agent,
        description: description.trim().to_owned(),
        expected_output: expected_output.trim().to_owned(),
        inputs,
        artefact: artefact.or_else(|| in_code.and_then(|task| task.output_file.clone())),
        kept: fields.rest(importer),
    }
}
