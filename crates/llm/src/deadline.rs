//! How long a step of a call may take.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{ChatError, TimeoutPhase};

/// Longer timeouts count as none, which keeps the clock from overflowing.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The time until which a step has to be done, and the error that it fails with afterwards.
pub(crate) struct Deadline<'a> {
    model: &'a str,
    phase: TimeoutPhase,
    after: Duration,
    pub(crate) until: Instant,
}

impl<'a> Deadline<'a> {
    pub(crate) fn new(model: &'a str, phase: TimeoutPhase, after: Duration) -> Self {
        let after = after.min(LONGEST_WAIT);
        Self { model, phase, after, until: Instant::now() + after }
    }

    /// Moves the deadline back, by time that was spent waiting for something else.
    pub(crate) fn extend(&mut self, by: Duration) {
        self.until = self.until.checked_add(by).unwrap_or(self.until);
    }

    /// The work's result, or [`ChatError::Timeout`] once the deadline has passed.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, ChatError> {
        let late =
            || ChatError::Timeout { model: self.model.to_owned(), phase: self.phase, after: self.after };
        // Work that is always ready would never yield to the timer.
        if Instant::now() >= self.until {
            return Err(late());
        }
        timeout_at(self.until, work).await.map_err(|_| late())
    }
}
