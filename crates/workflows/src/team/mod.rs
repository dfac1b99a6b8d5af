//! Agent teams: those that people make or bring from elsewhere, at work on a task.
//!
//! - [`Teams`]: the family, with the kind of document that a team is
//! - `course`: what has happened in a team so far, from which everything else follows
//! - `manager`, `assistant`, `person`: the nodes
//! - [`rehearsal`]: the stand-in that plays all agents

mod assistant;
mod course;
mod crew;
mod document;
mod forms;
mod graph;
mod manager;
mod memory;
mod person;
pub mod rehearsal;
mod sample;
mod scope;
mod toolset;

use std::sync::Arc;

use async_trait::async_trait;
use llm::Script;
use protocol::{
    Heading, KindSpec, RunRequest, Workflow,
    document::{DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, DocumentReference},
    team::KIND,
};
use teamfile::{
    Severity,
    team::{Team, TeamDocument, check},
};
use tools::Registry;

use crate::{Family, FamilyError, Form, Job, Owner, Refusal};
use crew::Crew;
use rehearsal::TeamRehearsal;

/// The choice that stands for the team of the rehearsal.
const SAMPLE: &str = "sample";
/// The most bytes of a task: what is longer belongs into a document.
const LONGEST_TASK: usize = 16 * 1024;

/// The family of teams. Its agents may call these tools, by the names that a team gives them.
#[derive(Default)]
pub struct Teams {
    tools: Registry,
}

impl Teams {
    /// The family with these tools.
    #[must_use]
    pub fn new(tools: Registry) -> Self {
        Self { tools }
    }
}

/// The team that a request names, and the name by which the same request gives the same team again.
async fn named(asked: &Workflow, owner: &Owner) -> Result<(String, Team), Refusal> {
    let unreadable = |why: &str| Refusal::Parameters { kind: asked.kind().clone(), why: why.to_owned() };
    let name = asked.text("team").ok_or_else(|| unreadable("no team is named"))?;
    if name == SAMPLE {
        return Ok((SAMPLE.to_owned(), sample::team()));
    }
    let reference: DocumentReference = name.parse().map_err(|_| unreadable("its team has no id"))?;
    let (reference, found) = owner.document(reference, &forms::document_kind()?).await?;
    let content = found.content.into_value();
    let document = TeamDocument::read(&content).map_err(|error| Refusal::Unusable(error.to_string()))?;
    Ok((reference.to_string(), document.team))
}

fn task(asked: &Workflow) -> Result<&str, Refusal> {
    let task = asked.text("task").unwrap_or_default();
    if task.trim().is_empty() {
        return Err(Refusal::Unusable("There is no task. Write what the team is to do.".to_owned()));
    }
    if task.len() > LONGEST_TASK {
        return Err(Refusal::Unusable(format!(
            "The task has {} bytes, more than {LONGEST_TASK}. Shorten it.",
            task.len()
        )));
    }
    Ok(task)
}

/// Why a team cannot run, if it cannot.
fn obstacle(team: &Team) -> Option<String> {
    let mut findings = check(team, &[]).into_iter();
    let error = findings.find(|finding| finding.problem.severity() == Severity::Error);
    error.map(|finding| finding.problem.to_string()).or_else(|| scope::not_run(team))
}

#[async_trait]
impl Family for Teams {
    fn kinds(&self) -> Vec<KindSpec> {
        forms::kinds()
    }

    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError> {
        let kind = forms::document_kind().map_err(|error| FamilyError::Defect(error.to_string()))?;
        forms::forms(&owner.documents(&kind).await?)
    }

    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal> {
        let asked = &request.workflow;
        if asked.kind().as_str() != KIND {
            return Err(Refusal::UnknownKind(asked.kind().clone()));
        }
        let task = task(asked)?;
        let (name, team) = named(asked, owner).await?;
        if let Some(why) = obstacle(&team) {
            return Err(Refusal::Unusable(why));
        }
        let workflow = Workflow::bare(asked.kind().clone())
            .with("team", name.into())
            .and_then(|workflow| workflow.with("task", task.into()))
            .map_err(|error| Refusal::Parameters { kind: asked.kind().clone(), why: error.to_string() })?;
        let label = crew::line(&team.name, 60);
        let heading = Heading {
            subject: Some(label.clone()),
            ..Heading::new(format!("{label} · {}", crew::line(task, 80)))
        };
        let crew = Crew::new(team, task.to_owned(), self.tools.clone()).map_err(Refusal::Unusable)?;
        Ok(Job { workflow, heading, graph: graph::graph(&Arc::new(crew)) })
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(TeamRehearsal)
    }

    fn documents(&self) -> Vec<DocumentKindSpec> {
        document::spec().into_iter().collect()
    }

    fn check_document(&self, _: &DocumentKind, content: &DocumentContent) -> Vec<DocumentFinding> {
        document::check(content)
    }
}
