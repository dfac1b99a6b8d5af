use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Heading, InvalidWorkflow, RunId, Workflow, WorkflowKind};

/// Characters of a request in the title of its run.
const IN_TITLE: usize = 60;

/// What is asked for: the kinds of workflow of this family, with their parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskRequest {
    /// A plan, its steps, and a report on what they came to.
    Task {
        /// What is asked for, in a person's words.
        request: String,
        /// What whoever works on it should know.
        #[serde(default)]
        context: String,
    },
    /// A report that is written anew from what its task has found. No step is done again.
    Refinement {
        /// The run whose report is written anew: a task, or an earlier refinement.
        of: RunId,
        /// What is to be different.
        instruction: String,
        /// The task whose steps the report rests on. Whoever asks leaves it out: it follows from `of`.
        #[serde(default)]
        task: Option<RunId>,
    },
}

impl TaskRequest {
    /// The kind that plans, works and reports.
    pub const TASK: &'static str = "task";
    /// The kind that writes a report anew.
    pub const REFINEMENT: &'static str = "refinement";
    /// Bytes of a request or an instruction at most.
    pub const LONGEST: usize = 8 * 1024;
    /// Bytes of the context at most.
    pub const LONGEST_CONTEXT: usize = 16 * 1024;

    /// The request that a workflow of this family stands for; `None` for other families' workflows.
    ///
    /// # Errors
    /// The parameters cannot be read; the error names the first that cannot.
    pub fn read(workflow: &Workflow) -> Option<serde_json::Result<Self>> {
        if !matches!(workflow.kind().as_str(), Self::TASK | Self::REFINEMENT) {
            return None;
        }
        Some(serde_json::to_value(workflow).and_then(serde_json::from_value))
    }

    /// The person's words.
    pub fn words(&self) -> &str {
        match self {
            Self::Task { request, .. } => request,
            Self::Refinement { instruction, .. } => instruction,
        }
    }

    /// What its run is called, such as `Task · Compare two offers`.
    pub fn heading(&self) -> Heading {
        let name = match self {
            Self::Task { .. } => "Task",
            Self::Refinement { .. } => "Refinement",
        };
        Heading::new(format!("{name} · {}", in_short(self.words(), IN_TITLE)))
    }

    /// The workflow.
    ///
    /// # Errors
    /// The texts are too long together.
    pub fn workflow(self) -> Result<Workflow, InvalidWorkflow> {
        let (kind, parameters) = match self {
            Self::Task { request, context } => {
                let context = (!context.is_empty()).then_some(("context", Value::from(context)));
                (Self::TASK, [Some(("request", Value::from(request))), context, None])
            }
            Self::Refinement { of, instruction, task } => {
                let task = task.map(|task| ("task", Value::from(task.to_string())));
                let of = ("of", Value::from(of.to_string()));
                (Self::REFINEMENT, [Some(of), Some(("instruction", Value::from(instruction))), task])
            }
        };
        let named = parameters.into_iter().flatten().map(|(name, value)| (name.to_owned(), value));
        Workflow::new(WorkflowKind::of_slug(kind), named.collect())
    }
}

/// A text in one line of at most so many characters.
pub(super) fn in_short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let of: RunId = "0190f7d4-0000-7000-8000-000000000001".parse().unwrap();
        for request in [
            TaskRequest::Task { request: "Sum it up.".into(), context: String::new() },
            TaskRequest::Task { request: "Sum it up.".into(), context: "Briefly.".into() },
            TaskRequest::Refinement { of, instruction: "Shorter.".into(), task: None },
            TaskRequest::Refinement { of, instruction: "Shorter.".into(), task: Some(of) },
        ] {
            let workflow = request.clone().workflow().unwrap();
            assert_eq!(TaskRequest::read(&workflow).unwrap().unwrap(), request);
        }
        let other: Workflow = serde_json::from_value(json!({ "type": "essay" })).unwrap();
        assert!(TaskRequest::read(&other).is_none());
        let nothing: Workflow = serde_json::from_value(json!({ "type": "task" })).unwrap();
        assert!(TaskRequest::read(&nothing).unwrap().is_err());
    }

    #[test]
    fn a_long_request_is_short_in_the_title_and_in_one_line() {
        let request =
            TaskRequest::Task { request: format!("One\n{}", "ä".repeat(100)), context: String::new() };
        let title = request.heading().title;
        assert!(
            title.starts_with("Task · One ää") && title.ends_with('…') && title.chars().count() < 75,
            "{title}"
        );
    }
}
