//! Agent teams: those that people make or bring from elsewhere, at work on a task.
//!
//! - [`Teams`]: the family, with the kind of document that a team is
//! - `course`: what has happened in a team so far, from which everything else follows; `latest` keeps it
//! - `earlier`: the run that a team goes on after
//! - `lead`, `assistant`, `person`, `society`: the nodes
//! - `voice`: where a participant's answers come from
//! - [`rehearsal`]: the stand-in that plays all agents

mod assistant;
mod course;
mod crew;
mod document;
mod earlier_run;
mod fields;
mod forms;
mod graph;
mod latest;
mod lead;
mod memory;
mod person;
mod pick;
pub mod rehearsal;
mod said;
mod sample;
mod society;
mod studio;
mod toolset;
mod voice;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use journal::Journal;
use llm::Script;
use protocol::{
    Heading, InvalidId, KindSpec, ProfileName, RunRequest, Workflow,
    document::{DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, DocumentReference},
    team::{EarlierMessage, KIND, MOST_EARLIER, SAMPLE},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use teamfile::{
    LONGEST_NAME, Message,
    team::{Answering, Conduct, Team, TeamDocument, check},
};
use tools::Registry;

use crate::{Family, FamilyError, Form, Job, Owner, Refusal};
use crew::{Crew, Given};
use earlier_run::EarlierRun;
use fields::Fields;
use rehearsal::TeamRehearsal;

/// The most bytes of a task: what is longer belongs into a document.
const LONGEST_TASK: usize = 16 * 1024;
/// How long a person is waited for where nothing else is asked.
const ANSWER_SECONDS: u64 = 30 * 60;
/// The longest that a person is waited for: a week.
const MOST_ANSWER_SECONDS: u64 = 7 * 24 * 60 * 60;

/// The family of teams. Its agents may call these tools, by the names that a team gives them.
pub struct Teams {
    journal: Journal,
    tools: Registry,
    fields: Fields,
}

impl Teams {
    /// The family with these tools. A team goes on after a run of this journal.
    #[must_use]
    pub fn new(journal: Journal, tools: Registry) -> Self {
        Self { journal, tools, fields: Fields::default() }
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

/// A text that goes along with a task.
#[derive(Deserialize, Serialize)]
struct AttachedFile {
    /// Its name.
    name: String,
    /// What stands in it.
    text: String,
}

/// The texts that go along with a task, each of which the team reads as a message of its own.
fn files(asked: &Workflow) -> Result<Vec<AttachedFile>, Refusal> {
    let Some(files) = asked.parameters().get("files") else { return Ok(Vec::new()) };
    serde_json::from_value(files.clone()).map_err(|_| Refusal::Parameters {
        kind: asked.kind().clone(),
        why: "its files are no list of names and texts".to_owned(),
    })
}

/// The messages of an earlier conversation that the task goes on with. All participants hear them before it, and none
/// of them ends the team.
fn conversation(asked: &Workflow) -> Result<Vec<EarlierMessage>, Refusal> {
    let Some(earlier) = asked.parameters().get("earlier") else { return Ok(Vec::new()) };
    let earlier: Option<Vec<EarlierMessage>> = serde_json::from_value(earlier.clone()).ok();
    let is_name = |name: &str| !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME;
    earlier
        .filter(|earlier| earlier.len() <= MOST_EARLIER && earlier.iter().all(|message| is_name(&message.from)))
        .ok_or_else(|| Refusal::Parameters {
            kind: asked.kind().clone(),
            why: format!(
                "the earlier messages are no list of at most {MOST_EARLIER}, each with a name as \"from\" and a \"text\""
            ),
        })
}

fn task<'w>(asked: &'w Workflow, files: &[AttachedFile]) -> Result<&'w str, Refusal> {
    let task = asked.text("task").unwrap_or_default();
    if task.trim().is_empty() && files.is_empty() {
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

/// What is filled into the team's texts.
fn values(asked: &Workflow) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(values) = asked.parameters().get("inputs") else { return Ok(BTreeMap::new()) };
    serde_json::from_value(values.clone()).map_err(|_| Refusal::Parameters {
        kind: asked.kind().clone(),
        why: "what is to be filled in is no object of texts".to_owned(),
    })
}

/// How long a person is waited for.
fn answer_seconds(asked: &Workflow) -> Result<u64, Refusal> {
    let Some(seconds) = asked.parameters().get("answer_seconds") else { return Ok(ANSWER_SECONDS) };
    let seconds = seconds.as_u64().filter(|seconds| (1..=MOST_ANSWER_SECONDS).contains(seconds));
    seconds.ok_or_else(|| Refusal::Parameters {
        kind: asked.kind().clone(),
        why: format!("a person is waited for from 1 to {MOST_ANSWER_SECONDS} seconds"),
    })
}

/// The named models that a team asks, inner teams included.
fn profiles(team: &Team) -> Result<BTreeSet<ProfileName>, Refusal> {
    let mut names = Vec::new();
    team.for_each_asking(&mut |_, answering| {
        if let Answering::Profile(name) = answering {
            names.push(name);
        }
    });
    let parsed = names.into_iter().map(str::parse);
    parsed.collect::<Result<_, _>>().map_err(|error: InvalidId| Refusal::Unusable(format!("{error}.")))
}

/// Why a team cannot run, if it cannot.
fn obstacle(team: &Team) -> Option<String> {
    let error = check(team, &[]).into_iter().find(|finding| !finding.problem.lets_run());
    error.map(|finding| finding.problem.to_string()).or_else(|| {
        let Conduct::Steps(steps) = &team.conduct else { return None };
        let fields: Vec<String> = steps.fields.iter().map(|field| crew::line(field, 60)).collect();
        (!fields.is_empty()).then(|| format!("Fill in {}: the team's texts need it.", fields.join(", ")))
    })
}

#[async_trait]
impl Family for Teams {
    fn kinds(&self) -> Vec<KindSpec> {
        forms::kinds()
    }

    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError> {
        let kind = forms::document_kind().map_err(|error| FamilyError::Defect(error.to_string()))?;
        let mut teams = Vec::new();
        for team in owner.documents(&kind).await? {
            // One that was deleted meanwhile, or cannot be read, is offered as if nothing were to be filled in.
            let fields = self.fields.of(&team, owner).await.unwrap_or_default();
            teams.push((team, fields));
        }
        let earlier = earlier_run::choices(&self.journal, owner.account()).await?;
        forms::forms(&teams, &earlier)
    }

    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal> {
        let asked = &request.workflow;
        if asked.kind().as_str() != KIND {
            return Err(Refusal::UnknownKind(asked.kind().clone()));
        }
        let (files, conversation) = (files(asked)?, conversation(asked)?);
        let task = task(asked, &files)?;
        let (earlier, asked) = match EarlierRun::asked(asked, owner, &self.journal).await? {
            Some((earlier, asked)) => (Some(earlier), Cow::Owned(asked)),
            None => (None, Cow::Borrowed(asked)),
        };
        let (values, answer_seconds) = (values(&asked)?, answer_seconds(&asked)?);
        let (name, team) = named(&asked, owner).await?;
        let after = match earlier {
            Some(earlier) => Some(earlier.of(&name).await?),
            None => None,
        };
        let team = team.filled_in(&values);
        if let Some(why) = obstacle(&team) {
            return Err(Refusal::Unusable(why));
        }
        let workflow = Workflow::bare(asked.kind().clone())
            .with("team", name.into())
            .and_then(|workflow| workflow.with("task", task.into()))
            .and_then(|workflow| workflow.with("inputs", json!(values)))
            .and_then(
                |workflow| if files.is_empty() { Ok(workflow) } else { workflow.with("files", json!(files)) },
            )
            .and_then(|workflow| {
                if conversation.is_empty() {
                    Ok(workflow)
                } else {
                    workflow.with("earlier", json!(conversation))
                }
            })
            .and_then(|workflow| workflow.with("answer_seconds", answer_seconds.into()))
            .and_then(|workflow| match &after {
                Some(earlier) => earlier.noted(workflow),
                None => Ok(workflow),
            })
            .map_err(|error| Refusal::Parameters { kind: asked.kind().clone(), why: error.to_string() })?;
        let profiles = profiles(&team)?;
        let label = crew::line(&team.name, 60);
        let named = files.first().map_or("", |file| file.name.as_str());
        let about = crew::line(if task.trim().is_empty() { named } else { task }, 80);
        let heading = Heading { subject: Some(label.clone()), ..Heading::new(format!("{label} · {about}")) };
        let patience = Duration::from_secs(answer_seconds);
        let texts = std::iter::once(task).filter(|task| !task.trim().is_empty());
        let texts = texts.chain(files.iter().map(|file| file.text.as_str()));
        let task = texts.map(|text| Message::text(crew::PERSON, text)).collect();
        // Providers refuse a message without text.
        let conversation = conversation.iter().filter(|said| !said.text.trim().is_empty());
        let earlier = conversation.map(|said| Message::text(&said.from, &said.text)).collect();
        let crew = Crew::new(team, Given { earlier, task }, after, self.tools.clone(), patience);
        let graph = crew.and_then(|crew| graph::graph(&Arc::new(crew))).map_err(Refusal::Unusable)?;
        Ok(Job { workflow, heading, graph, profiles })
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(TeamRehearsal)
    }

    fn documents(&self) -> Vec<DocumentKindSpec> {
        document::kinds()
    }

    fn check_document(&self, kind: &DocumentKind, content: &DocumentContent) -> Vec<DocumentFinding> {
        document::check(kind, content)
    }
}
