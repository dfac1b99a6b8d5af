//! When a team ends.

use serde::{Deserialize, Serialize};

use super::{Kept, is_false};

/// When a team ends. [`crate::termination::Termination`] watches for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
    /// There are so many messages, the task's included.
    MaxMessages {
        /// How many.
        max_messages: u64,
        /// Whether events, such as calls of tools, count as well.
        #[serde(default, skip_serializing_if = "is_false")]
        include_agent_event: bool,
    },
    /// A text occurs in a message or an event of anybody, in the same case.
    TextMention {
        /// The text.
        text: String,
    },
    /// A message that asks to stop.
    StopMessage,
    /// So many tokens were used: any of the limits is enough.
    TokenUsage {
        /// Of prompts and answers together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_total: Option<u64>,
        /// Of prompts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_prompt: Option<u64>,
        /// Of answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_completion: Option<u64>,
    },
    /// So much time has passed. It is looked at between turns.
    Timeout {
        /// How many seconds.
        seconds: f64,
    },
    /// Somebody outside of the team says so.
    External,
    /// Somebody hands over to this one.
    Handoff {
        /// To whom.
        target: String,
    },
    /// One of these says or does anything.
    SourceMatch {
        /// Who.
        sources: Vec<String>,
    },
    /// A message that is plain text.
    TextMessage {
        /// From whom; `None` for anybody, also whoever gives the task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// A function was called and has answered.
    FunctionCall {
        /// The function.
        function_name: String,
    },
    /// Any of these.
    Any {
        /// The conditions.
        conditions: Vec<Self>,
    },
    /// All of these, not necessarily at the same time.
    All {
        /// The conditions.
        conditions: Vec<Self>,
    },
    /// A kind that is not known. It is kept for export, and the team cannot run with it.
    Unknown {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
}

impl Condition {
    /// The conditions within this one.
    #[must_use]
    pub fn inner(&self) -> &[Self] {
        match self {
            Self::Any { conditions } | Self::All { conditions } => conditions,
            _ => &[],
        }
    }

    /// How many conditions this one consists of, itself included.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.inner().iter().map(Self::count).sum::<usize>()
    }

    /// Levels of conditions within each other; one for a simple condition.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + self.inner().iter().map(Self::depth).max().unwrap_or(0)
    }

    /// Whether somebody outside of the team can make it hold, by itself or with others.
    #[must_use]
    pub fn hears_outside(&self) -> bool {
        matches!(self, Self::External) || self.inner().iter().any(Self::hears_outside)
    }

    /// The class that AutoGen calls so; for an unknown kind, what the file calls it.
    #[must_use]
    pub fn class(&self) -> &str {
        match self {
            Self::MaxMessages { .. } => "MaxMessageTermination",
            Self::TextMention { .. } => "TextMentionTermination",
            Self::StopMessage => "StopMessageTermination",
            Self::TokenUsage { .. } => "TokenUsageTermination",
            Self::Timeout { .. } => "TimeoutTermination",
            Self::External => "ExternalTermination",
            Self::Handoff { .. } => "HandoffTermination",
            Self::SourceMatch { .. } => "SourceMatchTermination",
            Self::TextMessage { .. } => "TextMessageTermination",
            Self::FunctionCall { .. } => "FunctionCallTermination",
            Self::Any { .. } => "OrTerminationCondition",
            Self::All { .. } => "AndTerminationCondition",
            Self::Unknown { provider, .. } => provider,
        }
    }
}

impl std::ops::BitOr for Condition {
    type Output = Self;

    /// Either of both.
    fn bitor(self, other: Self) -> Self {
        Self::Any { conditions: vec![self, other] }
    }
}

impl std::ops::BitAnd for Condition {
    type Output = Self;

    /// Both.
    fn bitand(self, other: Self) -> Self {
        Self::All { conditions: vec![self, other] }
    }
}
