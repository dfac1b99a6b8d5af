//! How much of a conversation a model reads.

use serde::{Deserialize, Serialize};

use super::{Kept, ModelClient};

/// How much of a conversation a model reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Context {
    /// All of it.
    #[default]
    Unbounded,
    /// The last messages.
    Buffered {
        /// How many.
        size: u32,
    },
    /// The first and the last messages.
    HeadAndTail {
        /// How many of the first.
        head: u32,
        /// How many of the last.
        tail: u32,
    },
    /// As much as fits into a number of tokens.
    TokenLimited {
        /// The model that counts them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<Box<ModelClient>>,
        /// How many; `None` for as many as the model takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// A kind that is not known. All of the conversation is read, and this is kept for export.
    Unknown {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
}

impl Context {
    pub(crate) fn model(&self) -> Option<&ModelClient> {
        match self {
            Self::TokenLimited { model, .. } => model.as_deref(),
            _ => None,
        }
    }

    /// Which of so many messages are read, as their numbers from 0. Tokens are not counted here: where they are
    /// limited, all messages are named and whoever knows the model leaves out the oldest.
    #[must_use]
    pub fn read_of(&self, messages: usize) -> Vec<usize> {
        let count = |number: &u32| usize::try_from(*number).unwrap_or(usize::MAX);
        match self {
            Self::Unbounded | Self::TokenLimited { .. } | Self::Unknown { .. } => (0..messages).collect(),
            Self::Buffered { size } => (messages.saturating_sub(count(size))..messages).collect(),
            Self::HeadAndTail { head, tail } => {
                let head = count(head).min(messages);
                (0..head).chain(messages.saturating_sub(count(tail)).max(head)..messages).collect()
            }
        }
    }
}
