//! What nodes write for people: messages, reports, lines of the log.

use serde::{Deserialize, Serialize};

use crate::Text;

/// Somebody said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Said {
    /// The name of the node or agent that said it.
    pub source: String,
    /// The message, as Markdown.
    pub content: Text,
}

/// A complete report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Its key in the run's state.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its text, as Markdown.
    pub markdown: Text,
    /// The figures that it rests on.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// A figure with its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figure {
    /// What the figure measures, in words.
    pub label: String,
    /// Its value as shown, or why there is none.
    pub value: String,
    /// The vendor or calculation that the figure comes from.
    pub source: String,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Good to know.
    Info,
    /// Something is missing or was mended.
    Warning,
    /// Something failed.
    Error,
}

/// A line for the reader of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}
