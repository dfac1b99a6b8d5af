//! Tasks: a person's request is planned, carried out step by step, and reported; the report can be written anew.
//!
//! Questions beside a task are those beside any run (`Engine::chat`): the family adds nothing to them.
//!
//! - [`Resolver`]: the family
//! - [`read_plan`]: the reading of a plan as a model writes it
//! - [`rehearsal`]: the stand-in that plays all agents

mod aggregator;
mod assignment;
mod executor;
mod facts;
mod forms;
mod graph;
mod plan;
mod planner;
mod prompts;
mod refinement;
pub mod rehearsal;
mod state;
mod stored;

use std::sync::Arc;

use async_trait::async_trait;
use journal::Journal;
use llm::Script;
use protocol::{KindSpec, RunRequest, resolver::TaskRequest};
use tools::Registry;

use assignment::Assignment;
pub use plan::{MOST_STEPS, read_plan};
use refinement::Rewrite;
use rehearsal::TaskRehearsal;

use crate::{Family, FamilyError, Form, Job, Owner, Refusal};

/// The family of tasks.
pub struct Resolver {
    journal: Journal,
    tools: Registry,
}

impl Resolver {
    /// The family, whose agents may call all of these tools.
    pub fn new(journal: Journal, tools: Registry) -> Self {
        Self { journal, tools }
    }
}

#[async_trait]
impl Family for Resolver {
    fn kinds(&self) -> Vec<KindSpec> {
        forms::kinds()
    }

    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError> {
        let mut reports = Vec::new();
        for kind in [TaskRequest::TASK, TaskRequest::REFINEMENT] {
            reports.extend(stored::with_report(&self.journal, kind, owner.account()).await?);
        }
        // Ids sort by creation.
        reports.sort_by_key(|run| std::cmp::Reverse(run.run));
        forms::forms(&reports)
    }

    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal> {
        let kind = request.workflow.kind();
        let unreadable = |why: String| Refusal::Parameters { kind: kind.clone(), why };
        let asked = match TaskRequest::read(&request.workflow) {
            Some(Ok(asked)) => asked,
            Some(Err(error)) => return Err(unreadable(error.to_string())),
            None => return Err(Refusal::UnknownKind(kind.clone())),
        };
        let (asked, graph) = match asked {
            TaskRequest::Task { request, context } => {
                let request = bounded("request", &request, TaskRequest::LONGEST)?;
                if context.len() > TaskRequest::LONGEST_CONTEXT {
                    return Err(too_long("context", TaskRequest::LONGEST_CONTEXT));
                }
                let context = context.trim().to_owned();
                let graph = graph::graph(&Assignment {
                    request: request.clone(),
                    context: context.clone(),
                    tools: self.tools.clone(),
                });
                (TaskRequest::Task { request, context }, graph)
            }
            // The task is never taken from the request: it follows from the report.
            TaskRequest::Refinement { of, instruction, task: _ } => {
                let instruction = bounded("instruction", &instruction, TaskRequest::LONGEST)?;
                let task = stored::task_of(&self.journal, of, owner.account()).await?;
                let graph = refinement::graph(Rewrite {
                    of,
                    task,
                    instruction: instruction.clone(),
                    journal: self.journal.clone(),
                });
                (TaskRequest::Refinement { of, instruction, task: Some(task) }, graph)
            }
        };
        let graph = graph.map_err(Refusal::Unusable)?;
        let heading = asked.heading();
        Ok(Job {
            heading,
            workflow: asked.workflow().map_err(|error| unreadable(error.to_string()))?,
            graph,
            profiles: std::collections::BTreeSet::new(),
        })
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(TaskRehearsal)
    }
}

/// A person's words, which must not be empty or too long.
fn bounded(what: &str, words: &str, most: usize) -> Result<String, Refusal> {
    match words.trim() {
        "" => Err(Refusal::Unusable(format!("The {what} is empty. Say what is to be done."))),
        words if words.len() > most => Err(too_long(what, most)),
        words => Ok(words.to_owned()),
    }
}

fn too_long(what: &str, most: usize) -> Refusal {
    Refusal::Unusable(format!("The {what} is longer than {} KiB. Make it shorter.", most / 1024))
}
