//! What happened, in order.

use serde::{Deserialize, Serialize};

use crate::{ApprovalChanged, CallId, LogLine, NodeId, Said, StateEdited, Timestamp};

/// An entry of the transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Turn {
    /// Number of the event that opened it.
    pub seq: u64,
    /// The time of that event.
    pub at: Timestamp,
    /// The node that the entry is from; `None` for the run itself, or a person.
    pub node: Option<NodeId>,
    /// The content to show.
    pub content: TurnContent,
}

/// What an entry of the transcript shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnContent {
    /// A model call; its text is among the view's `calls`.
    Call {
        /// The call.
        call: CallId,
    },
    /// A message.
    Message(Said),
    /// A line of the log.
    Log(LogLine),
    /// A question to a person; it is among the view's `inputs`.
    Input {
        /// The question.
        input: CallId,
    },
    /// A person changed the state.
    Edited(StateEdited),
    /// A person changed the approve mode.
    ApprovalChanged(ApprovalChanged),
    /// Something that was brought forth; it is among the view's `products`.
    Product {
        /// Its index there.
        index: usize,
    },
    /// Something that a newer version knows.
    Unknown {
        /// Its kind.
        kind: String,
    },
}
