//! Calls of models and tools.

use serde::{Deserialize, Serialize};

use super::{Prompt, Tier};
use crate::{CallId, Decimal, Digest, ProfileName, Text, Usage};

/// A model is asked. The same call again means: repeated after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallStarted {
    /// Pairs start and end.
    pub call: CallId,
    /// The model that is asked.
    pub model: String,
    /// Its tier.
    pub tier: Tier,
    /// The named model that the node asks in the place of the run's. Logs of old versions name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// All messages.
    pub prompt: Prompt,
    /// Names of the tools that are offered.
    #[serde(default)]
    pub tools: Vec<String>,
    /// SHA-256 of all that is asked: tier, messages, tools and form of the answer. A replay that asks
    /// something else under the same id must not take the old answer. `None` in logs of old versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Digest>,
}

/// A tool call that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolRequest {
    /// The provider's id of the request.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments, as JSON text; as the model wrote them, where they cannot be read.
    pub arguments: Text,
    /// Why the arguments cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Fields beside the request that its provider demands back with it, as a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Text>,
}

/// An attempt at a model call that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// The model that was asked.
    pub model: String,
    /// Why it failed, in a sentence.
    pub error: String,
    /// Tokens, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars; nothing where the provider refused before it began, `None` if not known.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// In milliseconds, without the wait before the next attempt.
    pub latency_ms: u64,
}

/// A model call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallFinished {
    /// Pairs start and end.
    pub call: CallId,
    /// The model that really answered.
    pub model: String,
    /// The whole answer; empty where it only asks for tools, or failed.
    #[serde(default)]
    pub answer: Text,
    /// What the model thought before it answered, where that was told. Never part of a report or of a
    /// later prompt.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub thoughts: Text,
    /// What the model had written when the call was dropped. It is no answer: nothing goes on from it, and it is part of
    /// no prompt. Logs of old versions have none.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub cut_off: Text,
    /// Tools that the model asks for.
    #[serde(default)]
    pub tool_requests: Vec<ToolRequest>,
    /// Fields of the message that its provider demands back in the next request, as a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Text>,
    /// Tokens of the answer's own attempt, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars of the answer's own attempt; `None` if not known. Nothing where all of the call's
    /// attempts failed: each has its own.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// From the first attempt to the end, in milliseconds.
    pub latency_ms: u64,
    /// How many attempts failed.
    #[serde(default)]
    pub retries: u32,
    /// The attempts that failed, oldest first. Logs of old versions only have their number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl CallFinished {
    /// The attempt of the model that was asked first, where another one answered in its place.
    pub fn refused_before_fallback(&self) -> Option<&Attempt> {
        let answered = self.error.is_none();
        self.attempts.iter().rev().find(|attempt| answered && attempt.model != self.model)
    }

    /// That a fallback model answered, and why, in a sentence.
    pub fn fallback_note(&self) -> Option<String> {
        let refused = self.refused_before_fallback()?;
        Some(format!(
            "The fallback model {} answered in place of {}. {}",
            self.model, refused.model, refused.error
        ))
    }

    /// The end of a call that was dropped while it was in flight, after so many milliseconds: its
    /// provider may charge for it, and nobody can say how much.
    pub fn dropped(call: CallId, model: String, latency_ms: u64) -> Self {
        Self {
            call,
            model,
            answer: Text::default(),
            thoughts: Text::default(),
            cut_off: Text::default(),
            tool_requests: Vec::new(),
            echo: None,
            usage: Usage::default(),
            cost: None,
            latency_ms,
            retries: 0,
            attempts: Vec::new(),
            error: Some("The call was dropped when the run ended, before its answer was there.".to_owned()),
        }
    }
}

/// How a tool call ended. A field of its own, never guessed from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// The full result.
    Success,
    /// No result.
    Error,
    /// A result with something missing, or none because the source has no such data.
    Degraded,
}

/// A tool is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolInvoked {
    /// Pairs start and end.
    pub call: CallId,
    /// The tool's name.
    pub tool: String,
    /// Its arguments, as JSON text.
    pub arguments: Text,
    /// SHA-256 of name and arguments, as for [`CallStarted::asked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Digest>,
}

/// A tool returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolReturned {
    /// Pairs start and end.
    pub call: CallId,
    /// How it ended.
    pub status: ToolStatus,
    /// The result or the error, as the model gets it.
    pub result: Text,
    /// The vendor that the result came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
}
