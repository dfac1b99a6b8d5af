use protocol::{CallId, Event, RunId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::encoded_message::EncodedMessage;

/// When a frame was made, and of which event of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Names the event among those of all runs. `None`: it is made of none, such as a piece of a text to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// The number of the event in the run's log; without one, that of the event before. `None`: the frame is not of a
    /// run that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// When, with its offset.
    timestamp: String,
}

impl Moment {
    /// Of an event of a run's log.
    pub(super) fn of(event: &Event) -> Self {
        let name = format!("{}:{}", event.run, event.seq);
        Self { event: Some(name), seq: Some(event.seq), timestamp: moment(event.at) }
    }

    /// When.
    pub(super) fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// Between the event of this number and the next one.
    pub(super) fn after(seq: u64, at: Timestamp) -> Self {
        Self { event: None, seq: Some(seq), timestamp: moment(at) }
    }

    /// Of the connection, and of no run's log.
    fn of_connection(at: Timestamp) -> Self {
        Self { event: None, seq: None, timestamp: moment(at) }
    }
}

/// A message of the server over the socket of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The connection stands.
    System {
        /// `connected`
        status: &'static str,
        /// When.
        #[serde(flatten)]
        moment: Moment,
    },
    /// The answer to a ping.
    Pong {
        /// When.
        #[serde(flatten)]
        moment: Moment,
    },
    /// What the client sent was not done.
    Error {
        /// In the original's words, where it has any.
        error: String,
        /// What happened, and what to do.
        detail: String,
        /// When.
        #[serde(flatten)]
        moment: Moment,
    },
    /// Something was said or done.
    Message {
        /// The message.
        data: EncodedMessage,
        /// When.
        #[serde(flatten)]
        moment: Moment,
    },
    /// A piece of a message to come.
    MessageChunk {
        /// The piece.
        data: Chunk,
        /// When.
        #[serde(flatten)]
        moment: Moment,
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
        #[serde(flatten)]
        moment: Moment,
    },
    /// The run has done what it was for.
    Result {
        /// What came of it.
        data: TeamResult,
        /// `complete`
        status: &'static str,
        /// When.
        #[serde(flatten)]
        moment: Moment,
    },
    /// The run has ended otherwise, or could not begin.
    Completion {
        /// How.
        status: Ended,
        /// Why, in the form of a result.
        data: TeamResult,
        /// When; of no event where no run began.
        #[serde(flatten)]
        moment: Moment,
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
    pub(super) messages: Vec<EncodedMessage>,
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
        let task_result = TaskResult {
            messages: EncodedMessage::of(&message).into_iter().collect(),
            stop_reason: Some(stop_reason.to_owned()),
        };
        Self { task_result, usage, duration }
    }
}

impl Frame {
    /// The first frame of every connection.
    #[must_use]
    pub fn connected(at: Timestamp) -> Self {
        Self::System { status: "connected", moment: Moment::of_connection(at) }
    }

    /// The answer to a ping.
    #[must_use]
    pub fn pong(at: Timestamp) -> Self {
        Self::Pong { moment: Moment::of_connection(at) }
    }

    /// Something was not done.
    #[must_use]
    pub fn error(error: impl Into<String>, detail: impl Into<String>, at: Timestamp) -> Self {
        Self::Error { error: error.into(), detail: detail.into(), moment: Moment::of_connection(at) }
    }

    /// The run could not begin.
    #[must_use]
    pub fn not_begun(why: &str, at: Timestamp) -> Self {
        let data = TeamResult::of_ended(Ended::Error, why, at, String::new(), 0.0);
        Self::Completion { status: Ended::Error, data, moment: Moment::of_connection(at) }
    }

    /// The frame as JSON text, on the socket of this run.
    #[must_use]
    pub fn encode(&self, run: RunId) -> String {
        #[derive(Serialize)]
        struct OfRun<'f> {
            #[serde(flatten)]
            frame: &'f Frame,
            run: RunId,
        }
        // Texts, numbers and JSON values always encode.
        serde_json::to_string(&OfRun { frame: self, run }).unwrap_or_default()
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
