//! The text of calls in flight, on its way to one client.

use std::{sync::Arc, time::Duration};

use engine::{LiveCalls, LiveCursor};
use protocol::Control;
use tokio::{sync::watch, time::Instant};

use crate::scope::Activity;

/// The least time between two sends, where text is drawn for a person: a display shows no more of it.
pub const USUAL_PAUSE: Duration = Duration::from_millis(50);

/// The live text that one client was not sent yet, at a bounded rate.
pub struct LiveText {
    /// The least time between two sends.
    pause: Duration,
    live: Option<(Arc<LiveCalls>, watch::Receiver<u64>)>,
    cursor: LiveCursor,
    not_before: Option<Instant>,
}

impl LiveText {
    /// Nothing that is followed yet, at this rate.
    pub fn every(pause: Duration) -> Self {
        Self { pause, live: None, cursor: LiveCursor::default(), not_before: None }
    }

    /// Follows the run's calls, if it is active and they are not followed yet.
    pub fn follow(&mut self, activity: &Activity) {
        if self.live.as_ref().is_none_or(|(_, changes)| changes.has_changed().is_err()) {
            self.live = activity.live().map(|live| {
                let mut changes = live.changes();
                // A client that comes late is sent the text so far.
                changes.mark_changed();
                (live, changes)
            });
        }
    }

    /// The next pieces; pending for ever while the run is not active. Cancel-safe.
    pub async fn next(&mut self) -> Vec<Control> {
        let Some((live, changes)) = &mut self.live else { return std::future::pending().await };
        if let Some(not_before) = self.not_before {
            tokio::time::sleep_until(not_before).await;
        }
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
        // Without a pause there is nothing to wait for, not even a timer.
        self.not_before = (!self.pause.is_zero()).then(|| Instant::now() + self.pause);
        live.unseen(&mut self.cursor)
    }
}
