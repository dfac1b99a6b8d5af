//! What a socket sends beside events.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{CallId, Event, RunId, Timestamp};

/// A message of a socket that is not an event of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// Which message it is, in its field `control`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Hello,
    Delta,
    Thinking,
    InLine,
    Queued,
    Removed,
    Trouble,
    Heartbeat,
    Closed,
}

/// The fields of all messages.
#[derive(Deserialize)]
struct Fields {
    control: Kind,
    run: Option<RunId>,
    seq: Option<u64>,
    call: Option<CallId>,
    from: Option<usize>,
    text: Option<String>,
    bytes: Option<usize>,
    before: Option<usize>,
    place: Option<usize>,
    detail: Option<String>,
    at: Option<Timestamp>,
    code: Option<u16>,
    reason: Option<String>,
}

impl Fields {
    fn control(self) -> Option<Control> {
        Some(match self.control {
            Kind::Hello => Control::Hello { run: self.run?, seq: self.seq? },
            Kind::Delta => Control::Delta { call: self.call?, from: self.from?, text: self.text? },
            Kind::Thinking => Control::Thinking { call: self.call?, bytes: self.bytes? },
            Kind::InLine => Control::InLine { call: self.call?, before: self.before },
            Kind::Queued => Control::Queued { place: self.place? },
            Kind::Removed => Control::Removed { run: self.run? },
            Kind::Trouble => Control::Trouble(Trouble { detail: self.detail }),
            Kind::Heartbeat => Control::Heartbeat { at: self.at? },
            Kind::Closed => Control::Closed { code: self.code?, reason: self.reason? },
        })
    }
}

/// By hand, as every page reads these: a derived decoder would keep each message as a tree of values first, and all
/// pages would load the code for such trees.
impl<'de> Deserialize<'de> for Control {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let control = Fields::deserialize(deserializer)?.control();
        control.ok_or_else(|| D::Error::custom("a field of the message is missing"))
    }
}

impl Control {
    /// Close code: nothing more will come.
    pub const COMPLETE: u16 = 1000;
    /// Close code: what let the client in has expired or was revoked.
    pub const SIGNED_OUT: u16 = 4401;
}

/// What keeps the server from storing, such as a full disk. Runs wait as long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What it is and what to do, in a sentence; `None` once it has passed.
    pub detail: Option<String>,
}

impl Trouble {
    /// Reads a message, if it is one of these.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.starts_with(r#"{"control":"trouble""#) {
            return None;
        }
        match serde_json::from_str(text) {
            Ok(Control::Trouble(trouble)) => Some(trouble),
            _ => None,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_read_as_it_was_written() {
        let run: RunId = "0197a1b2-0000-7000-8000-000000000001".parse().unwrap();
        let call: CallId = "bull:1:1".parse().unwrap();
        for control in [
            Control::Hello { run, seq: 7 },
            Control::Delta { call: call.clone(), from: 3, text: "The".into() },
            Control::Thinking { call: call.clone(), bytes: 9 },
            Control::InLine { call: call.clone(), before: Some(2) },
            Control::InLine { call, before: None },
            Control::Queued { place: 1 },
            Control::Removed { run },
            Control::Trouble(Trouble { detail: Some("The disk is full.".into()) }),
            Control::Trouble(Trouble::default()),
            Control::Heartbeat { at: Timestamp(5) },
            Control::Closed { code: Control::COMPLETE, reason: "It has ended.".into() },
        ] {
            let text = control.encode();
            assert_eq!(serde_json::from_str::<Control>(&text).unwrap(), control, "{text}");
            assert_eq!(Trouble::parse(&text).is_some(), matches!(control, Control::Trouble(_)), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused_and_what_is_more_is_left_out() {
        for text in [r#"{"control":"hello"}"#, r#"{"control":"of a later version"}"#, r#"{"run":"x"}"#, "[]"]
        {
            assert!(serde_json::from_str::<Control>(text).is_err(), "{text}");
        }
        let more = r#"{"place":2,"later":{"a":[1]},"control":"queued"}"#;
        assert_eq!(serde_json::from_str::<Control>(more).unwrap(), Control::Queued { place: 2 });
    }
}
