//! What the pages are told of the kinds: their words, and what their runs take.

use protocol::{FlowSpec, KindSpec, PhaseSpec, RunSummary, WorkflowKind, resolver::TaskRequest};
use serde_json::{Value, json};

use super::{graph, refinement::REFINEMENT};
use crate::{FamilyError, Form};

/// A task that works offline: of the three companies, the bundled prices have one.
const SAMPLE: &str = "Analyze the stock performance of Apple, Google, and Tesla over the last month and summarize the \
                      key findings.";

/// All kinds.
pub(super) fn kinds() -> Vec<KindSpec> {
    // Both are slugs.
    let kinds = [TaskRequest::TASK.parse().map(task), TaskRequest::REFINEMENT.parse().map(refinement)];
    kinds.into_iter().filter_map(Result::ok).collect()
}

fn task(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        label: "Task".to_owned(),
        hint: "Plans a request, has each step carried out by an agent, and writes one report.".to_owned(),
        icon: "plan".to_owned(),
        phases: vec![
            phase(graph::PLAN, "Everything is done again"),
            phase(graph::STEPS, "The plan stands"),
            phase(graph::REPORT, "The results of the steps stand"),
        ],
        flow: FlowSpec {
            new: "Runs of one flow belong together: a task, and what its report is made into later."
                .to_owned(),
            joined: "This task stands beside the others of the flow; it reads none of them.".to_owned(),
            reads: None,
        },
        ..spec(kind)
    }
}

fn refinement(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        label: "Refinement".to_owned(),
        hint: "Writes the report of a task anew from what its steps have found. No step is done again."
            .to_owned(),
        icon: "report".to_owned(),
        phases: vec![phase(REFINEMENT, "The report is written again")],
        flow: FlowSpec {
            new: "Choose the flow of the task to keep both together.".to_owned(),
            joined: "This report stands beside the others of the flow.".to_owned(),
            reads: None,
        },
        ..spec(kind)
    }
}

fn spec(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "resolver".to_owned(),
        label: String::new(),
        hint: String::new(),
        icon: String::new(),
        subject: None,
        day: None,
        phases: Vec::new(),
        flow: FlowSpec { new: String::new(), joined: String::new(), reads: None },
    }
}

fn phase(phase: &str, hint: &str) -> PhaseSpec {
    PhaseSpec { phase: phase.to_owned(), title: phase.to_owned(), hint: hint.to_owned() }
}

/// What a run of each kind takes, where these runs have reports.
///
/// # Errors
/// A kind or the sample cannot be what it is.
pub(super) fn forms(reports: &[RunSummary]) -> Result<Vec<Form>, FamilyError> {
    let defect = |error: String| FamilyError::Defect(error);
    let form = |kind: &str, properties: Value, required: &[&str], sample: Option<TaskRequest>| {
        let sample = sample.map(TaskRequest::workflow).transpose();
        Ok::<_, FamilyError>(Form {
            kind: kind.parse::<WorkflowKind>().map_err(|error| defect(error.to_string()))?,
            parameters: json!({ "type": "object", "properties": properties, "required": required }),
            sample: sample.map_err(|error| defect(error.to_string()))?,
        })
    };
    let task = json!({
        "request": {
            "type": "string",
            "title": "Request",
            "description": "What you want to know or have done, in your own words.",
            "examples": [SAMPLE],
            "pattern": "\\S",
            "errorMessage": { "required": "Say what is to be done.", "pattern": "Say what is to be done." },
        },
        "context": {
            "type": "string",
            "title": "Context",
            "description": "What whoever works on it should know; it may be left empty.",
        },
    });
    let refinement = json!({
        "of": of(reports),
        "instruction": {
            "type": "string",
            "title": "Instruction",
            "description": "What is to be different. The report is written anew from what was found.",
            "examples": ["Rewrite the summary for a reader without knowledge of the field."],
            "pattern": "\\S",
            "errorMessage": {
                "required": "Say what is to be different.",
                "pattern": "Say what is to be different.",
            },
        },
    });
    let sample = TaskRequest::Task { request: SAMPLE.to_owned(), context: String::new() };
    Ok(vec![
        form(TaskRequest::TASK, task, &["request"], Some(sample))?,
        form(TaskRequest::REFINEMENT, refinement, &["of", "instruction"], None)?,
    ])
}

/// One of the reports, the newest first.
fn of(reports: &[RunSummary]) -> Value {
    let choice = |run: &RunSummary| json!({ "const": run.run, "title": run.title, "description": run.result.as_deref().unwrap_or_default() });
    json!({
        "type": "string",
        "title": "Report",
        "description": "The report that is written anew: the newest one, or an earlier one to go back to.",
        "oneOf": reports.iter().map(choice).collect::<Vec<_>>(),
        "default": reports.first().map(|run| run.run),
        "x-list": "Reports",
        "errorMessage": {
            "required": "Choose the report that is to be written anew.",
            "oneOf": "There is no report of the run \"{}\". Choose one from the list.",
            "search": "No report has these words in its title.",
            "empty": "There is no report yet. Start a task first.",
        },
    })
}
