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

impl Turn {
    /// Who said this, where it was not the node itself, which people call so: whoever gave the task, a person who told
    /// the node something, somebody within it.
    pub fn other_speaker(&self, label: &str) -> Option<&str> {
        let TurnContent::Message(Said { source, .. }) = &self.content else { return None };
        // A label may be the beginning of a long name.
        let is_own = match label.strip_suffix('…') {
            Some(beginning) => source.starts_with(beginning),
            None => source == label,
        };
        (!is_own && !source.is_empty()).then_some(source)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_said_is_not_taken_for_the_nodes_own() {
        let turn = |source: &str| Turn {
            seq: 1,
            at: Timestamp(0),
            node: None,
            content: TurnContent::Message(Said { source: source.to_owned(), content: "Hello".into() }),
        };
        assert_eq!(turn("user").other_speaker("Who speaks next"), Some("user"));
        assert_eq!(turn("writer").other_speaker("writer"), None);
        assert_eq!(turn("a very long name").other_speaker("a very…"), None);
        assert_eq!(turn("writers").other_speaker("writer"), Some("writers"));
        assert_eq!(turn("").other_speaker("writer"), None);
        let log = TurnContent::Unknown { kind: "teleported".to_owned() };
        assert_eq!(Turn { content: log, ..turn("user") }.other_speaker("writer"), None);
    }
}
