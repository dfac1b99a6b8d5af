//! Which events tell of something that went wrong.

use protocol::{Body, Event, LogLevel, NodeStatus, RunStatus, ToolStatus};

use crate::components::{icon::IconName, status::Tone};

/// How badly it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something failed.
    Failed,
    /// It went on with less than it should have had, or at a second attempt.
    Attention,
}

impl Outcome {
    /// All, the worst first.
    pub const ALL: [Self; 2] = [Self::Failed, Self::Attention];

    /// What stands for it in a form.
    pub fn id(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Attention => "attention",
        }
    }

    /// The words on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Attention => "With something missing",
        }
    }

    /// Its colour.
    pub fn tone(self) -> Tone {
        match self {
            Self::Failed => Tone::Failed,
            Self::Attention => Tone::Attention,
        }
    }

    /// Its icon.
    pub fn icon(self) -> IconName {
        match self {
            Self::Failed => IconName::Cross,
            Self::Attention => IconName::Alert,
        }
    }
}

/// The outcome that an event tells of; nothing where all went well, and where it tells of none.
pub fn outcome_of(event: &Event) -> Option<Outcome> {
    let failed = |failed: bool| failed.then_some(Outcome::Failed);
    let attention = |attention: bool| attention.then_some(Outcome::Attention);
    match &event.body {
        Body::StatusChanged(changed) => failed(changed.status == RunStatus::Failed),
        Body::RunFinished(finished) => failed(finished.status == RunStatus::Failed),
        Body::SubRunFinished(finished) => failed(finished.status == RunStatus::Failed),
        Body::NodeStatusChanged(changed) => failed(changed.status == NodeStatus::Failed),
        Body::NodeFinished(finished) => {
            failed(finished.status == NodeStatus::Failed).or(attention(finished.degraded.is_some()))
        }
        Body::CallFinished(finished) => failed(finished.error.is_some())
            .or(attention(!finished.attempts.is_empty() || finished.retries > 0)),
        Body::ToolReturned(returned) => match returned.status {
            ToolStatus::Success => None,
            ToolStatus::Degraded => Some(Outcome::Attention),
            ToolStatus::Error => Some(Outcome::Failed),
        },
        Body::ChatAnswered(answered) => failed(answered.error.is_some()),
        Body::Logged(line) => match line.level {
            LogLevel::Info => None,
            LogLevel::Warning => Some(Outcome::Attention),
            LogLevel::Error => Some(Outcome::Failed),
        },
        _ => None,
    }
}
