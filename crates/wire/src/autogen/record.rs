use protocol::{RunStatus, RunSummary, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::{encoded_message::EncodedMessage, frame::moment, stream::Stream};

/// The version that all rows of the original have.
const ROW_VERSION: &str = "0.0.1";

/// What all rows have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    id: u64,
    created_at: String,
    updated_at: String,
    user_id: Option<String>,
    version: &'static str,
}

impl Row {
    /// A row of this user.
    #[must_use]
    pub fn new(id: u64, created_at: Timestamp, updated_at: Timestamp, user: &str) -> Self {
        Self {
            id,
            created_at: moment(created_at),
            updated_at: moment(updated_at),
            user_id: Some(user.to_owned()),
            version: ROW_VERSION,
        }
    }

    /// The number by which clients know it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }
}

/// Runs that belong together, with a name and the team that new ones begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// What all rows have.
    #[serde(flatten)]
    pub row: Row,
    /// The team; `None` where it was not chosen, or is deleted.
    pub team_id: Option<u64>,
    /// What people call it.
    pub name: String,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeamRow {
    /// What all rows have.
    #[serde(flatten)]
    pub row: Row,
    /// The team as a component.
    pub component: Value,
}

/// A gallery, or the settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigRow {
    /// What all rows have.
    #[serde(flatten)]
    pub row: Row,
    /// What stands in it.
    pub config: Map<String, Value>,
}

/// A run with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// What all rows have.
    #[serde(flatten)]
    pub row: Row,
    /// The session.
    pub session_id: Option<u64>,
    /// How it stands.
    pub status: &'static str,
    /// What it is to do; `{}` before it begins.
    pub task: Value,
    /// What came of it; `{}` before its end.
    pub team_result: Value,
    /// Why it failed, if it did.
    pub error_message: Option<String>,
    /// What was said; empty where only the run is asked for.
    pub messages: Vec<MessageRow>,
}

/// Something that was said or done in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageRow {
    /// What all rows have. The id counts the messages of the run.
    #[serde(flatten)]
    pub row: Row,
    /// The session.
    pub session_id: Option<u64>,
    /// The run.
    pub run_id: u64,
    /// The message.
    pub config: EncodedMessage,
    /// `{}`
    pub message_meta: Map<String, Value>,
}

impl RunRow {
    /// A run that has not begun.
    #[must_use]
    pub fn created(id: u64, session: Option<u64>, at: Timestamp, user: &str) -> Self {
        Self {
            row: Row::new(id, at, at, user),
            session_id: session,
            status: "created",
            task: json!({}),
            team_result: json!({}),
            error_message: None,
            messages: Vec::new(),
        }
    }

    /// A run that has begun, with the stream of its log.
    #[must_use]
    pub fn begun(id: u64, session: Option<u64>, summary: &RunSummary, stream: &Stream) -> Self {
        let changed = stream.told().last().map_or(summary.created_at, |told| told.at);
        let updated = summary.finished_at.unwrap_or(changed);
        let result = stream.result().and_then(|result| serde_json::to_value(result).ok());
        let failed = summary.status == RunStatus::Failed;
        Self {
            row: Row::new(id, summary.created_at, updated, summary.owner.as_str()),
            session_id: session,
            status: status(summary.status),
            task: json!({ "source": "user", "content": stream.task(), "message_type": "text" }),
            team_result: result.unwrap_or_else(|| json!({})),
            error_message: summary.error.clone().filter(|_| failed),
            messages: Vec::new(),
        }
    }

    /// The same run with what was said in it.
    #[must_use]
    pub fn with_messages(self, stream: &Stream) -> Self {
        let messages = messages(self.row.id, self.session_id, stream);
        Self { messages, ..self }
    }
}

/// What was said and done in a run, in its order.
#[must_use]
pub fn messages(run: u64, session: Option<u64>, stream: &Stream) -> Vec<MessageRow> {
    let row = |(number, told): (u64, &super::Told)| MessageRow {
        row: Row { user_id: None, ..Row::new(number, told.at, told.at, "") },
        session_id: session,
        run_id: run,
        config: told.message.clone(),
        message_meta: Map::new(),
    };
    (1..).zip(stream.told()).map(row).collect()
}

/// The original's word for how a run stands. While it waits for a person, the original calls it active.
fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued | RunStatus::Running | RunStatus::Waiting => "active",
        RunStatus::Succeeded => "complete",
        RunStatus::Failed => "error",
        RunStatus::Cancelled => "stopped",
    }
}

/// A session to make or to change. A field that is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GivenSession {
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// The team; `null` is none.
    #[serde(default, deserialize_with = "given")]
    pub team_id: Option<Option<u64>>,
}

/// A field that is there, be it `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A run to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct GivenRun {
    /// The session.
    pub session_id: u64,
}

/// A team to make or to save.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GivenTeam {
    /// The team that it is saved as; `None` for a new one.
    #[serde(default)]
    pub id: Option<u64>,
    /// The team as a component.
    pub component: Map<String, Value>,
}

/// A gallery, or settings, to make or to save.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GivenConfig {
    /// What is to stand in it.
    pub config: Map<String, Value>,
}

/// A component to look at.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GivenComponent {
    /// The component.
    pub component: Map<String, Value>,
}

/// What is wrong with a component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// Whether nothing keeps it from running.
    pub is_valid: bool,
    /// What keeps it from running.
    pub errors: Vec<ValidationFinding>,
    /// What else is to be said of it.
    pub warnings: Vec<ValidationFinding>,
}

/// Something that is to be said of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidationFinding {
    /// Its place, as a JSON pointer.
    pub field: String,
    /// What it is.
    pub error: String,
    /// What to do; `None` where the sentence before says it.
    pub suggestion: Option<String>,
}

/// What came of a component's test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentTest {
    /// Whether it works.
    pub status: bool,
    /// In a sentence.
    pub message: String,
    /// What it answered, if it was asked.
    pub data: Option<String>,
    /// What else is to be said.
    pub logs: Vec<String>,
}
