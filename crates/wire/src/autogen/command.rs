use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::{CallId, Timestamp};
use serde_json::{Map, Value};

use super::Frame;

/// Why a run is stopped where the client gives no reason, in the original's words.
pub const UNEXPLAINED_STOP: &str = "User requested stop/cancellation";

/// The most files that go along with a task.
const MOST_FILES: usize = 16;

/// What a client asks for over the socket of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The run is to begin.
    Start(Start),
    /// The run is to end, for this reason.
    Stop(String),
    /// Is anybody there?
    Ping,
    /// What a person says.
    Answer {
        /// Their words.
        response: String,
        /// The question, where the client says which one it is.
        input: Option<CallId>,
    },
}

/// What a run is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The task; empty where only files are sent.
    pub task: String,
    /// Texts that go along with it, each a message of its own.
    pub files: Vec<AttachedText>,
    /// The team that works on it.
    pub team: StartedTeam,
}

/// The team of a start.
#[derive(Clone, Debug, PartialEq)]
pub enum StartedTeam {
    /// One that begins without any history, as a component.
    New(Map<String, Value>),
    /// The one of an earlier run, which goes on with what was said there. The original has no such thing.
    After {
        /// The number of that run.
        run: u64,
        /// The team as a component, where the client sends it; it has to be that of the run.
        component: Option<Map<String, Value>>,
    },
}

/// A text that goes along with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedText {
    /// The file's name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Why a message of a client cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommand {
    /// It is no JSON, or no object.
    #[error("A message must be a JSON object such as {{\"type\": \"ping\"}}.")]
    NotAnObject,
    /// Its type is not known.
    #[error("A message must have the type \"start\", \"stop\", \"ping\" or \"input_response\".")]
    UnknownType,
    /// A start has neither a task nor a file, or no team.
    #[error("A start needs a \"task\" or \"files\", and the team as the object \"team_config\".")]
    IncompleteStart,
    /// An earlier run has no number.
    #[error("The \"after\" of a start is the number of an earlier run, whose team goes on.")]
    AfterNoRun,
    /// A file is no text.
    #[error(
        "The file \"{0}\" cannot go along: only texts in UTF-8 can. Write what matters of it into the task."
    )]
    NotAText(String),
    /// There are too many files.
    #[error("At most {MOST_FILES} files go along with a task.")]
    TooManyFiles,
    /// An answer is no text.
    #[error("An answer needs the text \"response\".")]
    AnswerIsNoText,
    /// An answer names a question that cannot be one.
    #[error("The \"input\" of an answer is none that a question had.")]
    UnknownInput,
}

impl InvalidCommand {
    /// The frame that answers the message.
    #[must_use]
    pub fn frame(&self, at: Timestamp) -> Frame {
        let error = match self {
            Self::NotAnObject => "Invalid message format",
            Self::IncompleteStart | Self::AfterNoRun | Self::NotAText(_) | Self::TooManyFiles => {
                "Invalid start message format"
            }
            Self::UnknownType => "Unknown message type",
            Self::AnswerIsNoText | Self::UnknownInput => "Invalid input response",
        };
        Frame::error(error, self.to_string(), at)
    }
}

impl Command {
    /// Reads a message of a client.
    ///
    /// # Errors
    /// See [`InvalidCommand`].
    pub fn read(message: &str) -> Result<Self, InvalidCommand> {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(message) else {
            return Err(InvalidCommand::NotAnObject);
        };
        let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "start" => Start::read(fields).map(Self::Start),
            "stop" => {
                let reason = fields.get("reason").and_then(Value::as_str).map(str::trim).unwrap_or_default();
                let reason = if reason.is_empty() { UNEXPLAINED_STOP } else { reason };
                Ok(Self::Stop(reason.to_owned()))
            }
            "ping" => Ok(Self::Ping),
            "input_response" => {
                let Some(Value::String(response)) = fields.remove("response") else {
                    return Err(InvalidCommand::AnswerIsNoText);
                };
                let input = match fields.get("input") {
                    None | Some(Value::Null) => None,
                    Some(input) => {
                        let parsed = input.as_str().and_then(|input| input.parse().ok());
                        Some(parsed.ok_or(InvalidCommand::UnknownInput)?)
                    }
                };
                Ok(Self::Answer { response, input })
            }
            _ => Err(InvalidCommand::UnknownType),
        }
    }
}

impl Start {
    fn read(mut fields: Map<String, Value>) -> Result<Self, InvalidCommand> {
        let task = match fields.remove("task") {
            Some(Value::String(task)) => task,
            None | Some(Value::Null) => String::new(),
            Some(_) => return Err(InvalidCommand::IncompleteStart),
        };
        let files = match fields.remove("files") {
            Some(Value::Array(files)) if files.len() > MOST_FILES => {
                return Err(InvalidCommand::TooManyFiles);
            }
            Some(Value::Array(files)) => files.iter().map(attached).collect::<Result<Vec<_>, _>>()?,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(InvalidCommand::IncompleteStart),
        };
        if task.trim().is_empty() && files.is_empty() {
            return Err(InvalidCommand::IncompleteStart);
        }
        // The original takes a text as the path of a file on the server.
        let component = match fields.remove("team_config") {
            Some(Value::Object(team)) => Some(team).filter(|team| !team.is_empty()),
            None | Some(Value::Null) => None,
            Some(_) => return Err(InvalidCommand::IncompleteStart),
        };
        let team = match fields.remove("after") {
            None | Some(Value::Null) => {
                component.map(StartedTeam::New).ok_or(InvalidCommand::IncompleteStart)?
            }
            Some(after) => {
                StartedTeam::After { run: after.as_u64().ok_or(InvalidCommand::AfterNoRun)?, component }
            }
        };
        Ok(Self { task, files, team })
    }
}

fn attached(file: &Value) -> Result<AttachedText, InvalidCommand> {
    let text = |field: &str| file.get(field).and_then(Value::as_str);
    let name = text("name").unwrap_or("file");
    let is_text =
        text("type").is_some_and(|kind| kind.starts_with("text/") || kind.starts_with("application/"));
    let bytes = text("content").filter(|_| is_text).and_then(|content| STANDARD.decode(content).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| InvalidCommand::NotAText(name.chars().take(80).collect()))?;
    Ok(AttachedText { name: name.to_owned(), text })
}
