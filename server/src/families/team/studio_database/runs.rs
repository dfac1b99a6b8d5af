//! Runs with their messages, as imported runs.

use std::collections::BTreeMap;

use protocol::{
    FlowId, Heading, NewEvent, Problem, RunId, RunRequest, Timestamp, Workflow, WorkflowKind, team::KIND,
};
use serde_json::{Map, Value};
use wire::autogen::{PastEnd, PastMessage, PastRun, history};

use super::{
    Importer, KnownSession,
    identity::Identity,
    tables::{self, Key, MessageRow, RunRow, Tables},
    unreadable,
};
use crate::{families::team::import::title_of, problem::from_journal};

/// The most runs of a database that are taken in, messages of one of them, and bytes of these.
const MOST_RUNS: usize = 10_000;
const MOST_MESSAGES: usize = 20_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What stands beside the title of such a run.
const BADGE: &str = "from AutoGen Studio";

/// A run that was read, without its messages.
struct ReadRun {
    identity: Identity,
    /// What stands in its row.
    row: Option<RunRow>,
    messages: Vec<i64>,
}

impl Importer<'_> {
    pub(super) async fn runs(
        &mut self,
        tables: &mut Tables,
        sessions: &BTreeMap<Key, KnownSession>,
    ) -> Result<(), Problem> {
        let mut messages = tables.messages().await.map_err(unreadable)?;
        if !tables.has_runs() {
            for (key, session) in sessions {
                // The first versions have no runs: what was said in a session is one.
                let Some(messages) = messages.remove(key) else { continue };
                let read = ReadRun { identity: session.row.part("run"), row: None, messages };
                self.run(tables, &format!("The conversation of session {key}"), read, Some(session)).await?;
            }
            return Ok(());
        }
        let (places, more) = tables.run_places(MOST_RUNS).await.map_err(unreadable)?;
        for place in places {
            let Some(row) = tables.run(place).await.map_err(unreadable)? else { continue };
            let what = format!("Run {}", row.row.key);
            let session = row.row.parent.as_ref().and_then(|session| sessions.get(session));
            let identity = Identity::new(self.owner, "run", &row.row);
            let messages = messages.remove(&row.row.key).unwrap_or_default();
            if row.status == "created" && messages.is_empty() {
                // Nobody said what it was to do.
                continue;
            }
            self.run(tables, &what, ReadRun { identity, row: Some(row), messages }, session).await?;
        }
        if more > 0 {
            self.leave_out(&format!("{more} more runs"), "There are more of them than are taken in at once.");
        }
        Ok(())
    }

    async fn run(
        &mut self,
        tables: &mut Tables,
        what: &str,
        read: ReadRun,
        session: Option<&KnownSession>,
    ) -> Result<(), Problem> {
        let run = RunId(read.identity.id());
        if self.journal.summary(run).await.map_err(from_journal)?.is_some() {
            self.told.known += 1;
            return Ok(());
        }
        let (messages, mut remarks) = self.messages(tables, &read.messages).await?;
        let (task, end) = self.outcome(read.row.as_ref());
        let Some(task) =
            task.or_else(|| messages.first().map(|first| text_of(&Value::Object(first.message.clone()))))
        else {
            self.leave_out(what, "Nothing was said in it.");
            return Ok(());
        };
        let team = session.and_then(|session| session.team.as_ref());
        remarks.insert(0, origin(what, session));
        let past = PastRun {
            run,
            owner: self.owner.clone(),
            request: request(session, &task)?,
            heading: heading(team.map(|team| team.name.as_str()), &task),
            team: team.map(|team| team.name.clone()).unwrap_or_default(),
            participants: team.map(|team| team.participants.clone()).unwrap_or_default(),
            messages,
            end,
            began: read.identity.at(),
            remarks,
        };
        match history(past) {
            Ok(events) => self.store(run, what, events).await,
            Err(why) => {
                self.leave_out(what, &format!("It cannot be written as a log: {why}."));
                Ok(())
            }
        }
    }

    async fn store(&mut self, run: RunId, what: &str, events: Vec<NewEvent>) -> Result<(), Problem> {
        let epoch = self.journal.claim(run).await.map_err(from_journal)?;
        // One append: after a crash, a part of the log would be taken for a run to be resumed.
        match self.journal.append(run, epoch, events).await.map_err(from_journal) {
            Ok(_) => self.told.runs = self.told.runs.saturating_add(1),
            Err(Problem { status: 409 | 413 | 422, detail }) => self.leave_out(what, &detail),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }

    /// The messages at these places, and what is to be said of those that are not among them.
    async fn messages(
        &self,
        tables: &mut Tables,
        places: &[i64],
    ) -> Result<(Vec<PastMessage>, Vec<String>), Problem> {
        let (mut messages, mut bytes, mut unreadable_ones) = (Vec::new(), 0_usize, 0_usize);
        let mut at = Timestamp::default();
        let mut read = 0;
        for place in places.iter().take(MOST_MESSAGES) {
            let Some(row) = tables.message(*place).await.map_err(unreadable)? else { continue };
            let MessageRow { at: said_at, config } = row;
            bytes = bytes.saturating_add(config.text().map_or(0, str::len));
            if bytes > MOST_BYTES {
                break;
            }
            read += 1;
            // Messages follow each other by their numbers; a clock may have been set back between them.
            at = said_at.unwrap_or(at).max(at);
            match tables::json(&config).map(|message| self.keys.removed_from(message)) {
                Ok(Value::Object(message)) => messages.push(PastMessage { at, message }),
                _ => unreadable_ones += 1,
            }
        }
        let mut remarks = Vec::new();
        if unreadable_ones > 0 {
            remarks.push(format!("{unreadable_ones} messages cannot be read and were left out."));
        }
        if read < places.len() {
            remarks.push(format!("Only its first {read} messages were taken in, of {}.", places.len()));
        }
        Ok((messages, remarks))
    }

    /// What a run was to do, where its row says it, and how it ended.
    fn outcome(&self, row: Option<&RunRow>) -> (Option<String>, PastEnd) {
        let Some(RunRow { row, status, result, error }) = row else { return (None, PastEnd::Open) };
        let cleaned = |cell| tables::json(cell).map(|value| self.keys.removed_from(value)).ok();
        let task = cleaned(&row.content).map(|task| text_of(&task)).filter(|task| !task.is_empty());
        let result = cleaned(result).unwrap_or_default();
        let reason = result.pointer("/task_result/stop_reason").and_then(Value::as_str).map(str::to_owned);
        let end = match status.as_str() {
            "complete" => PastEnd::Complete(reason),
            "error" => {
                // What follows the first line is Studio's traceback, which names files of its server.
                let error =
                    error.text().and_then(|error| error.lines().next()).map(|line| self.keys.redacted(line));
                let why = error.filter(|error| !error.trim().is_empty()).or(reason);
                PastEnd::Failed(why.unwrap_or_else(|| "The file does not say why it failed.".to_owned()))
            }
            "stopped" => PastEnd::Stopped(reason),
            _ => PastEnd::Open,
        };
        (task, end)
    }
}

/// Where a run comes from.
fn origin(what: &str, session: Option<&KnownSession>) -> String {
    let session = session.map(|session| format!(" of the session “{}”", session.name)).unwrap_or_default();
    format!(
        "{what}{session} was imported from a database of AutoGen Studio. That does not keep which version of the team \
         the run was of: the one named here is that of its session. Times are those at which messages were stored."
    )
}

fn request(session: Option<&KnownSession>, task: &str) -> Result<RunRequest, Problem> {
    let internal = |error: String| Problem::internal(error);
    let kind: WorkflowKind = KIND.parse().map_err(|_| internal("Teams have no kind of run.".to_owned()))?;
    let workflow = match session.and_then(|session| session.team.as_ref()) {
        Some(team) => Workflow::bare(kind)
            .with("team", format!("{}@{}", team.document, team.version).into())
            .map_err(|error| internal(error.to_string()))?,
        None => Workflow::bare(kind),
    };
    // A task that is too long for a request stands in the log alone.
    let workflow = workflow.clone().with("task", task.into()).unwrap_or(workflow);
    let flow = session.map_or_else(|| "autogen-studio".to_owned(), |session| session.document.to_string());
    let flow: FlowId = flow.parse().map_err(|_| internal("A session has no flow.".to_owned()))?;
    Ok(RunRequest::new(workflow, flow))
}

fn heading(team: Option<&str>, task: &str) -> Heading {
    let line = |text: &str| title_of(text).map(|title| title.to_string()).unwrap_or_default();
    let team = team.map_or_else(|| "Team".to_owned(), line);
    let title = format!("{team} · {}", line(task));
    Heading { subject: Some(team), badge: Some(BADGE.to_owned()), ..Heading::new(title) }
}

/// The text of a task or of a message: of several messages, all of it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let texts = values.iter().map(text_of).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join("\n\n")
        }
        Value::Object(fields) => content(fields).map(text_of).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn content(fields: &Map<String, Value>) -> Option<&Value> {
    fields.get("content")
}
