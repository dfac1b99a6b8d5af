//! Why the engine refuses.

use journal::JournalError;
use protocol::RunId;

use super::PlanError;
use crate::{GraphError, InputError, admission::Full, command::CommandError, fork::ForkError};

/// Why the engine refuses.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be run.
    #[error("{0}")]
    Refused(String),
    /// The workflow's graph is wrong.
    #[error("The workflow cannot be run: {0}")]
    Graph(#[from] GraphError),
    /// The run is over, or was never started.
    #[error("The run is not active, so this cannot be done.")]
    NotActive,
    /// It has begun before.
    #[error("This run has begun already. Make a new one for another task.")]
    Begun,
    /// Another run repeats this one already.
    #[error("The run is being re-run by {0} already. Wait for that to end, or stop it.")]
    ReRunning(RunId),
    /// It cannot be continued there.
    #[error("{0}")]
    Fork(#[from] ForkError),
    /// The answer is not taken.
    #[error("{0}")]
    Input(#[from] InputError),
    /// Too many runs.
    #[error("{0}")]
    Full(#[from] Full),
    /// The log cannot be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl From<PlanError> for EngineError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(why) => Self::Refused(why),
            PlanError::Journal(error) => Self::Journal(error),
        }
    }
}

impl From<CommandError> for EngineError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Input(error) => Self::Input(error),
            CommandError::Journal(error) => Self::Journal(error),
            CommandError::Over => Self::NotActive,
        }
    }
}
