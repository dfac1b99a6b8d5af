use protocol::{ModelChoice, RunId};
use serde::Deserialize;
use serde_json::Value;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Words, whose meaning follows from where the session stands.
    Words(String),
    /// A new task, wherever the session stands.
    Task {
        /// What is asked for.
        request: String,
        /// What whoever works on it should know.
        context: String,
        /// Which model answers; `None` is the one of the session's last run.
        model: Option<ModelChoice>,
    },
    /// A report that is to be written anew.
    Refinement {
        /// What is to be different.
        instruction: String,
        /// The run of the report; `None` is the last report.
        of: Option<RunId>,
    },
}

/// Why a client's message is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The message cannot be read: {0}. Send a text, or an object as docs/maws.md describes it.")]
pub struct InvalidMessage(String);

/// The objects that a client may send in place of words.
#[derive(Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum Command {
    #[serde(rename = "TASK")]
    Task {
        text: String,
        #[serde(default)]
        context: String,
        #[serde(default)]
        model: Option<ModelChoice>,
    },
    #[serde(rename = "REFINE")]
    Refine {
        text: String,
        #[serde(default)]
        of: Option<RunId>,
    },
}

impl ClientMessage {
    /// Reads what a client has sent. Whatever is no object of type `TASK` or `REFINE` is taken as words.
    ///
    /// # Errors
    /// An object of these types has wrong fields.
    pub fn read(text: &str) -> Result<Self, InvalidMessage> {
        let object = serde_json::from_str::<Value>(text).ok().filter(|value| {
            let kind = value.get("type").and_then(Value::as_str);
            matches!(kind, Some("TASK" | "REFINE"))
        });
        let Some(object) = object else { return Ok(Self::Words(text.to_owned())) };
        let command = serde_json::from_value(object).map_err(|error| InvalidMessage(error.to_string()))?;
        Ok(match command {
            Command::Task { text, context, model } => Self::Task { request: text, context, model },
            Command::Refine { text, of } => Self::Refinement { instruction: text, of },
        })
    }
}
