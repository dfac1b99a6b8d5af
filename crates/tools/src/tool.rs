use async_trait::async_trait;
use protocol::ToolStatus;
use serde_json::{Map, Value};

use crate::{Bounds, Definition};

/// Something that an agent may call.
///
/// It is called through an [`Offer`](crate::Offer) alone, which checks the arguments before and keeps time and
/// size of the result within [`Tool::bounds`].
#[async_trait]
pub trait Tool: Send + Sync {
    /// Its name, its description and the schema of its arguments.
    fn definition(&self) -> &Definition;

    /// What one call may take.
    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    /// Does its work with arguments that are valid under the schema. The future is dropped when the time is over.
    async fn call(&self, arguments: &Map<String, Value>) -> Outcome;
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the text is the full result, a part of it, or an error.
    pub status: ToolStatus,
    /// The result or the error, as the model gets it.
    pub text: String,
    /// Who really served it, such as a server's name; `None` where nobody was asked.
    pub source: Option<String>,
}

impl Outcome {
    /// The full result.
    pub fn success(text: impl Into<String>, source: impl Into<String>) -> Self {
        Self { status: ToolStatus::Success, text: text.into(), source: Some(source.into()) }
    }

    /// A result of which something is missing; the text says what.
    pub fn degraded(text: impl Into<String>, source: impl Into<String>) -> Self {
        Self { status: ToolStatus::Degraded, text: text.into(), source: Some(source.into()) }
    }

    /// No result; the text says why, and what to do.
    pub fn error(text: impl Into<String>) -> Self {
        Self { status: ToolStatus::Error, text: text.into(), source: None }
    }
}
