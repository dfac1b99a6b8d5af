use serde::{Deserialize, Serialize};

use crate::{CallId, Event, RunId};

/// A message of a socket that is not an event of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// The first message of every connection.
    Hello {
        /// The run.
        run: RunId,
        /// Number of the newest event in the log at this moment.
        seq: u64,
    },
    /// More text of a model call in flight. Not in the log; the call's end carries the whole.
    Delta {
        /// The call.
        call: CallId,
        /// Bytes of the answer that stand before this piece. 0 begins anew, after a retry too.
        from: usize,
        /// The piece.
        text: String,
    },
    /// The model of a call in flight thinks before it answers. The call's end carries the thoughts.
    Thinking {
        /// The call.
        call: CallId,
        /// Bytes of its thoughts so far.
        bytes: usize,
    },
    /// A model call in flight waits in line for its endpoint.
    InLine {
        /// The call.
        call: CallId,
        /// How many requests are served before it; `None` once it waits no longer.
        before: Option<usize>,
    },
    /// The run waits for a place among its account's runs.
    Queued {
        /// How many runs are served before the next one is this one, with itself: 1 is next.
        place: usize,
    },
    /// A run was deleted. Sent on the feed of all runs.
    Removed {
        /// The run.
        run: RunId,
    },
    /// What keeps the server from going on, or that nothing does any more. Sent on every socket.
    Trouble(Trouble),
}

/// What keeps the server from storing, such as a full disk. Runs wait as long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is and what to do, in a sentence; `None` once it has passed.
    pub detail: Option<String>,
}

impl Trouble {
    /// Reads a message, if it is one of these.
    pub fn parse(text: &str) -> Option<Self> {
        text.starts_with(r#"{"control":"trouble""#).then(|| serde_json::from_str(text).ok()).flatten()
    }
}

/// Anything that a run's socket sends: an event exactly as it is in the log, or a [`Control`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An event of the log.
    Event(Box<Event>),
    /// Not an event.
    Control(Control),
}

impl Frame {
    /// Reads one text message.
    ///
    /// # Errors
    /// The message is not JSON of either form.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.starts_with(r#"{"control":"#) {
            serde_json::from_str(text).map(Self::Control)
        } else {
            serde_json::from_str(text).map(|event| Self::Event(Box::new(event)))
        }
    }
}

impl Control {
    /// The model call in flight that this tells of.
    pub fn call(&self) -> Option<&CallId> {
        match self {
            Self::Delta { call, .. } | Self::Thinking { call, .. } | Self::InLine { call, .. } => Some(call),
            Self::Hello { .. } | Self::Queued { .. } | Self::Removed { .. } | Self::Trouble(_) => None,
        }
    }

    /// The message as JSON text.
    pub fn encode(&self) -> String {
        // Strings, numbers and ids always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}
