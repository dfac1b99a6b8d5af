//! What a socket sends beside events.

use serde::{Deserialize, Serialize};

use crate::{CallId, Event, RunId, Timestamp};

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
    /// The connection still carries what the server says. Sent on every socket at its beginning, at a fixed
    /// interval, and at once when the client sends a text of any kind: pages do not see the protocol's pings.
    Heartbeat {
        /// This moment by the server's clock.
        at: Timestamp,
    },
    /// The last message of a poll, in place of a socket's close frame.
    Closed {
        /// The code that a socket is closed with.
        code: u16,
        /// The same in a sentence.
        reason: String,
    },
}

impl Control {
    /// Close code: nothing more will come.
    pub const COMPLETE: u16 = 1000;
    /// Close code: what let the client in has expired or was revoked.
    pub const SIGNED_OUT: u16 = 4401;
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
            Self::Hello { .. }
            | Self::Queued { .. }
            | Self::Removed { .. }
            | Self::Trouble(_)
            | Self::Heartbeat { .. }
            | Self::Closed { .. } => None,
        }
    }

    /// The message as JSON text.
    pub fn encode(&self) -> String {
        // Strings, numbers and ids always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}
