//! Changes of the runs that one caller may read.

use journal::RunChange;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::access::Caller;

/// Changes of the runs that one caller may read.
pub struct RunChanges {
    pub(super) changes: Receiver<RunChange>,
    pub(super) caller: Caller,
}

impl RunChanges {
    /// The next one. Cancel-safe.
    ///
    /// # Errors
    /// Some were missed, or the journal is closed.
    pub async fn next(&mut self) -> Result<RunChange, RecvError> {
        loop {
            let change = self.changes.recv().await?;
            let may_read = match &change {
                RunChange::Grown(summary) => self.caller.may_read(summary),
                RunChange::Removed { run, owner } => self.caller.may_know(*run, owner),
            };
            if may_read {
                return Ok(change);
            }
        }
    }
}
