use protocol::{CallId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// A message of the server over the socket of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The connection stands.
    System {
        /// `connected`
        status: &'static str,
        /// When.
        timestamp: String,
    },
    /// The answer to a ping.
    Pong {
        /// When.
        timestamp: String,
    },
    /// What the client sent was not done.
    Error {
        /// In the original's words, where it has any.
        error: String,
        /// What happened, and what to do.
        detail: String,
        /// When.
        timestamp: String,
    },
    /// Something was said or done.
    Message {
        /// The message, as AutoGen writes it.
        data: Value,
        /// The number of its event.
        seq: u64,
    },
    /// A piece of a message to come.
    MessageChunk {
        /// The piece.
        data: Chunk,
    },
    /// A person is asked.
    InputRequest {
        /// The question.
        prompt: String,
        /// The same once more, in the form of a message.
        data: Value,
        /// Which question it is.
        input: CallId,
        /// Who asks.
        agent: Option<String>,
        /// Until when an answer is waited for.
        deadline: Option<String>,
        /// When.
        timestamp: String,
        /// The number of its event.
        seq: u64,
    },
    /// The run has done what it was for.
    Result {
        /// What came of it.
        data: TeamResult,
        /// `complete`
        status: &'static str,
        /// The number of its event.
        seq: u64,
    },
    /// The run has ended otherwise, or could not begin.
    Completion {
        /// How.
        status: Ended,
        /// Why, in the form of a result.
        data: TeamResult,
        /// When.
        timestamp: String,
        /// The number of its event; `None` where no run began.
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
}

/// How a run ended that has not done what it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Somebody stopped it.
    Cancelled,
    /// It failed.
    Error,
}

/// A piece of a message to come, as AutoGen writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chunk {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) models_usage: Option<()>,
    pub(super) metadata: NoFields,
    pub(super) created_at: String,
    pub(super) content: String,
    pub(super) full_message_id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

/// `{}`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NoFields {}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeamResult {
    pub(super) task_result: TaskResult,
    /// The tokens of the run, in words; empty where no model was asked.
    pub(super) usage: String,
    /// Seconds from the run's start to its end.
    pub(super) duration: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct TaskResult {
    pub(super) messages: Vec<Value>,
    pub(super) stop_reason: Option<String>,
}

impl TeamResult {
    /// Of a run that has not done what it was for: the reason is its one message.
    pub(super) fn of_ended(how: Ended, reason: &str, at: Timestamp, usage: String, duration: f64) -> Self {
        let (source, stop_reason) = match how {
            Ended::Cancelled => ("user", reason),
            Ended::Error => ("system", "An error occurred while processing this run"),
        };
        let message = json!({
            "source": source,
            "models_usage": null,
            "metadata": {},
            "created_at": moment(at),
            "content": reason,
            "type": "TextMessage",
        });
        let task_result = TaskResult { messages: vec![message], stop_reason: Some(stop_reason.to_owned()) };
        Self { task_result, usage, duration }
    }
}

impl Frame {
    /// The first frame of every connection.
    #[must_use]
    pub fn connected(at: Timestamp) -> Self {
        Self::System { status: "connected", timestamp: moment(at) }
    }

    /// The answer to a ping.
    #[must_use]
    pub fn pong(at: Timestamp) -> Self {
        Self::Pong { timestamp: moment(at) }
    }

    /// Something was not done.
    #[must_use]
    pub fn error(error: impl Into<String>, detail: impl Into<String>, at: Timestamp) -> Self {
        Self::Error { error: error.into(), detail: detail.into(), timestamp: moment(at) }
    }

    /// The run could not begin.
    #[must_use]
    pub fn not_begun(why: &str, at: Timestamp) -> Self {
        let data = TeamResult::of_ended(Ended::Error, why, at, String::new(), 0.0);
        Self::Completion { status: Ended::Error, data, timestamp: moment(at), seq: None }
    }

    /// The frame as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        // Texts, numbers and JSON values always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A moment as AutoGen writes it: with an offset, which all its readers take.
pub(super) fn moment(at: Timestamp) -> String {
    let shown = at.to_string();
    match shown.strip_suffix('Z') {
        Some(time) => format!("{time}+00:00"),
        None => shown,
    }
}
