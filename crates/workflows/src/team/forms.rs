//! What the pages are told of the kind: its words, and what its runs take.

use protocol::{
    FlowSpec, KindSpec, RunSummary, Workflow, WorkflowKind,
    document::{DocumentKind, DocumentSummary},
    team::{AFTER, KIND, SAMPLE, SAMPLE_TITLE},
};
use serde_json::{Value, json};

use super::{ANSWER_SECONDS, LONGEST_TASK, MOST_ANSWER_SECONDS};
use crate::{FamilyError, Form, Refusal};

/// All kinds.
pub(super) fn kinds() -> Vec<KindSpec> {
    // It is a slug.
    KIND.parse().map(kind).into_iter().collect()
}

/// The kind of document.
///
/// # Errors
/// Its name is no kind's.
pub(super) fn document_kind() -> Result<DocumentKind, Refusal> {
    KIND.parse().map_err(|_| Refusal::Unusable("Teams have no kind of document.".to_owned()))
}

fn kind(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: KIND.to_owned(),
        label: "Team".to_owned(),
        hint: "Agents talk with each other about a task until the team ends.".to_owned(),
        // The one of several people.
        icon: "social".to_owned(),
        subject: Some("team".to_owned()),
        day: None,
        phases: Vec::new(),
        flow: FlowSpec {
            new: "Runs of one flow belong together.".to_owned(),
            joined: "The run belongs to this flow.".to_owned(),
            reads: None,
        },
    }
}

/// What runs take, with these teams to choose from, each with what is to be filled in for it, and these earlier runs to go
/// on after.
///
/// # Errors
/// The sample is no workflow.
pub(super) fn forms(
    teams: &[(DocumentSummary, Vec<String>)],
    earlier: &[RunSummary],
) -> Result<Vec<Form>, FamilyError> {
    const TASK: &str = "Write two sentences that welcome a new neighbour.";
    let defect = |error: String| FamilyError::Defect(error);
    let kind: WorkflowKind = KIND.parse().map_err(|_| defect("Teams have no kind.".to_owned()))?;
    let sample = Workflow::bare(kind.clone())
        .with("team", SAMPLE.into())
        .and_then(|workflow| workflow.with("task", TASK.into()))
        .map_err(|error| defect(error.to_string()))?;
    let built_in = json!({ "const": SAMPLE, "title": SAMPLE_TITLE, "description": "A sample that works without a model." });
    let own = teams.iter().map(|(team, _)| {
        json!({
            "const": team.id,
            "title": team.title,
            "description": format!("Version {}", team.version),
        })
    });
    let choices: Vec<Value> = own.chain([built_in]).collect();
    let default = choices.first().and_then(|choice| choice.get("const")).cloned();
    let filled_in = teams.iter().filter(|(_, fields)| !fields.is_empty()).map(|(team, fields)| {
        json!({
            "if": { "properties": { "team": { "const": team.id } }, "required": ["team"] },
            "then": { "properties": { "inputs": { "required": fields } }, "required": ["inputs"] },
        })
    });
    let mut parameters = json!({
        "type": "object",
        "allOf": filled_in.collect::<Vec<_>>(),
        "properties": {
            "team": {
                "type": "string",
                "title": "Team",
                "description": "One of your teams, or the sample.",
                "oneOf": choices,
                "default": default,
                "errorMessage": {
                    "required": "Choose a team.",
                    "oneOf": "There is no team {}. Choose one of those that are listed.",
                    "search": "Search teams",
                },
                "x-list": "teams",
            },
            "task": {
                "type": "string",
                "title": "Task",
                "description": "What the team is to do. All participants read it.",
                "minLength": 1,
                "maxLength": LONGEST_TASK,
                "examples": [TASK],
                "errorMessage": {
                    "required": "Write what the team is to do.",
                    "minLength": "Write what the team is to do.",
                },
            },
            "inputs": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "title": "Fields",
                "description": "What stands in the team's texts for {topic} and the like.",
                "default": {},
                "errorMessage": { "required": "Fill in {}: the team's texts need it." },
            },
            "answer_seconds": {
                "type": "integer",
                "title": "Seconds to answer",
                "description": "How long a person who takes part is waited for. The run fails at the deadline.",
                "minimum": 1,
                "maximum": MOST_ANSWER_SECONDS,
                "default": ANSWER_SECONDS,
                "errorMessage": {
                    "minimum": "Give a person at least a second.",
                    "maximum": format!("Give a person {MOST_ANSWER_SECONDS} seconds at most."),
                },
            },
        },
        "required": ["team", "task"],
    });
    // Where there is none, there is nothing to choose.
    if !earlier.is_empty() {
        parameters["properties"][AFTER] = after(earlier);
    }
    Ok(vec![Form { kind, parameters, sample: Some(sample) }])
}

/// One of the earlier runs, the newest first.
fn after(earlier: &[RunSummary]) -> Value {
    let choice = |run: &RunSummary| {
        let ended = run.result.as_deref().or(run.error.as_deref()).unwrap_or_default();
        json!({ "const": run.run, "title": run.title, "description": ended })
    };
    json!({
        "type": "string",
        "title": "Goes on after",
        "description": "An earlier run of the same team, which remembers what was said there. The team is of the version \
                        that it was then.",
        "oneOf": earlier.iter().map(choice).collect::<Vec<_>>(),
        "x-list": "earlier runs",
        "errorMessage": {
            "oneOf": "There is no run {} to go on after. Choose one of those that are listed, or leave this empty.",
            "search": "No run has these words in its title.",
        },
    })
}
