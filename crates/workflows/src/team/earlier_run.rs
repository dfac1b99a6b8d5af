//! The earlier run that a team goes on after. What the team was told there is the beginning of what it is told now. It
//! is looked up once, as a call of a tool, so that the new run rests on its own log alone.

use std::collections::{BTreeMap, BTreeSet};

use engine::{NodeContext, NodeError, State};
use journal::{Journal, JournalError};
use protocol::{
    AccountId, Body, Event, InvalidWorkflow, RunFilter, RunId, RunSummary, Workflow,
    document::DocumentReference,
    team::{AFTER, KIND},
};
use serde_json::{Value, json};

use super::{course::Happened, crew::is_course};
use crate::{
    Owner, Refusal,
    measured::{Found, measure},
};

/// The parameter with the number of the earlier run's last event that is looked at. It stands where a run was found.
const EVENT: &str = "after_event";
/// What else is as in the earlier run, where a request does not say it.
const KEPT: [&str; 3] = ["team", "inputs", "answer_seconds"];
/// The tool by which code looks the earlier run up.
const LOOK: &str = "read_earlier_run";
/// The most bytes of what a team was told that it goes on with.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// The most runs that a form offers to choose from.
const MOST_CHOICES: u32 = 100;
/// Events that are read at once.
const PAGE: u32 = 500;

/// What a team was told, and what each team within it was told, by the keys of the run's state.
pub(super) type Told = BTreeMap<String, Vec<Happened>>;

/// The earlier run of a request.
#[derive(Clone)]
pub(super) struct EarlierRun {
    /// The run.
    pub(super) run: RunId,
    /// Its last event that is looked at.
    event: u64,
    /// The version of the team that goes on, by the name that it was resolved to.
    team: String,
    owner: AccountId,
    journal: Journal,
}

impl EarlierRun {
    /// The earlier run that a request names, if it names one, and the request with what is as it was there.
    ///
    /// # Errors
    /// The owner has no such run, or the team cannot go on from it. A request that was opened before is taken also where
    /// the run is not there any more: the look at it may stand in the log already, and fails where it does not.
    pub(super) async fn asked(
        asked: &Workflow,
        owner: &Owner,
        journal: &Journal,
    ) -> Result<Option<(Self, Workflow)>, Refusal> {
        let unreadable = |why: String| Refusal::Parameters { kind: asked.kind().clone(), why };
        let named = asked.parameters().get(AFTER).filter(|named| !named.is_null());
        let Some(named) = named else { return Ok(None) };
        let run: Option<RunId> = named.as_str().and_then(|named| named.parse().ok());
        let run = run.ok_or_else(|| unreadable("the earlier run has no id".to_owned()))?;
        let known =
            match asked.parameters().get(EVENT) {
                None => None,
                Some(event) => Some(event.as_u64().ok_or_else(|| {
                    unreadable("the last event of the earlier run has no number".to_owned())
                })?),
            };
        let found = match (find(journal, run, owner.account()).await, known) {
            (Ok(found), _) => Some(found),
            (Err(Refusal::Unusable(_)), Some(_)) => None,
            (Err(refusal), _) => return Err(refusal),
        };
        let event = known.or(found.as_ref().map(|found| found.seq)).unwrap_or_default();
        let earlier = Self {
            run,
            event,
            team: String::new(),
            owner: owner.account().clone(),
            journal: journal.clone(),
        };
        let mut workflow = asked.clone();
        if let Some(found) = found {
            if known.is_none() {
                earlier.read().await?;
            }
            let before = found.request.workflow.parameters();
            for (name, value) in KEPT.iter().filter_map(|name| Some((*name, before.get(*name)?))) {
                if asked.parameters().get(name).is_none_or(|given| leaves_open(given, value)) {
                    let with = workflow.with(name, value.clone());
                    workflow = with.map_err(|error| unreadable(error.to_string()))?;
                }
            }
        }
        Ok(Some((earlier, workflow)))
    }

    /// A workflow of the same run, as the log shall hold it.
    ///
    /// # Errors
    /// Its parameters are too large.
    pub(super) fn noted(&self, workflow: Workflow) -> Result<Workflow, InvalidWorkflow> {
        workflow.with(AFTER, self.run.to_string().into())?.with(EVENT, self.event.into())
    }

    /// The same for this version of a team, by the name that it was resolved to.
    ///
    /// # Errors
    /// The run is there and was of another one.
    pub(super) async fn of(self, team: &str) -> Result<Self, Refusal> {
        match find(&self.journal, self.run, &self.owner).await {
            Ok(found) => check_team(&found, team)?,
            Err(Refusal::Unusable(_)) => {}
            Err(refusal) => return Err(refusal),
        }
        Ok(Self { team: team.to_owned(), ..self })
    }

    /// What was told to the team in the earlier run, once: a visit that is repeated gets what the log has.
    ///
    /// # Errors
    /// There is nothing of that run any more, or the log cannot be read or written.
    pub(super) async fn look(&self, node: &NodeContext) -> Result<Told, NodeError> {
        let reading = async {
            let found = find(&self.journal, self.run, &self.owner).await;
            found.and_then(|found| check_team(&found, &self.team)).map_err(|refusal| refusal.to_string())?;
            let value = self.read().await.map_err(|refusal| refusal.to_string())?;
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        };
        measure(node, LOOK, &json!({ "run": self.run, "through": self.event }), reading).await
    }

    /// What was told to the team, as the log has it: what stands in the run's state after its last visit.
    async fn read(&self) -> Result<Told, Refusal> {
        let run = self.run;
        let (mut state, mut keys) = (State::default(), BTreeSet::new());
        let (mut last, mut bytes) = (0, 0_u64);
        while last < self.event {
            let events = self.journal.read(run, last, PAGE).await?;
            let Some(end) = events.last() else { break };
            last = end.seq;
            for mut event in events.into_iter().filter(|event| event.seq <= self.event && changes(event)) {
                let changed = event.body.texts_mut().iter().map(|text| text.bytes()).sum();
                bytes = bytes.saturating_add(changed);
                if bytes > MOST_BYTES {
                    return Err(Refusal::Unusable(format!(
                        "What the team was told up to the end of the run {run} has more than {} MiB, and a team does not \
                         go on with so much. Start it anew, and write what matters into the task.",
                        MOST_BYTES / (1024 * 1024)
                    )));
                }
                self.journal.load_texts(&mut event).await?;
                if let Body::NodeFinished(finished) = &event.body {
                    keys.extend(finished.patch.keys().filter(|key| is_course(key)).cloned());
                }
                state.apply(&event);
            }
        }
        let mut told = Told::new();
        for key in keys {
            let all = state.get::<Vec<Vec<Happened>>>(&key).map_err(|error| {
                Refusal::Unusable(format!("What the team was told in the run {run} cannot be read. {error}"))
            })?;
            told.insert(key, all.unwrap_or_default().into_iter().flatten().collect());
        }
        if told.values().all(Vec::is_empty) {
            return Err(Refusal::Unusable(format!(
                "The run {run} ended before its team was told anything, so there is nothing to go on from. Start the team \
                 anew."
            )));
        }
        Ok(told)
    }
}

/// The owner's newest runs of teams that a team can go on after.
///
/// # Errors
/// They cannot be read.
pub(super) async fn choices(journal: &Journal, owner: &AccountId) -> Result<Vec<RunSummary>, JournalError> {
    let filter = RunFilter { kind: KIND.parse().ok(), limit: Some(MOST_CHOICES), ..RunFilter::default() };
    let mut runs = journal.summaries(&filter, Some(owner)).await?.runs;
    runs.retain(|run| run.status.is_over() && run.imported_from.is_none());
    Ok(runs)
}

/// The owner's run of a team, which is over.
async fn find(journal: &Journal, run: RunId, owner: &AccountId) -> Result<RunSummary, Refusal> {
    let found = journal.summary(run).await?;
    let found = found.filter(|found| found.owner == *owner && found.request.workflow.kind().as_str() == KIND);
    let unusable = |why: &str| Refusal::Unusable(why.to_owned());
    let Some(found) = found else {
        return Err(Refusal::Unusable(format!(
            "There is no run {run} of a team. It may have been deleted; choose another, or start the team anew."
        )));
    };
    if found.imported_from.is_some() {
        return Err(unusable("The earlier run was imported, and is only looked at. Start the team anew."));
    }
    if !found.status.is_over() {
        return Err(unusable("The earlier run is still at work. Wait for its end, or stop it."));
    }
    Ok(found)
}

fn check_team(found: &RunSummary, team: &str) -> Result<(), Refusal> {
    if found.request.workflow.text("team") == Some(team) {
        return Ok(());
    }
    Err(Refusal::Unusable(
        "The earlier run was of another team, or of another version of it. Leave the team out to go on with the one that \
         it had, or start anew without the earlier run."
            .to_owned(),
    ))
}

/// Whether a parameter says nothing else than what it was before: it is empty, as forms leave it, or names a team without
/// its version.
fn leaves_open(given: &Value, before: &Value) -> bool {
    let reference = |value: &Value| value.as_str().and_then(|text| text.parse::<DocumentReference>().ok());
    let is_same_document = || match (reference(given), reference(before)) {
        (Some(given), Some(before)) => given.version.is_none() && given.id == before.id,
        _ => false,
    };
    given.is_null() || given.as_object().is_some_and(serde_json::Map::is_empty) || is_same_document()
}

/// Whether an event may change the state of the run.
fn changes(event: &Event) -> bool {
    let is_within = event.node.as_ref().is_some_and(|node| node.enclosing().next().is_some());
    let may = matches!(event.body, Body::NodeFinished(_) | Body::StateEdited(_) | Body::InputReceived(_));
    may && !is_within
}
