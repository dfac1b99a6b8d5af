//! Broadcasts of committed changes.

use std::sync::Arc;

use protocol::{AccountId, RunId, RunSummary, trading::PortfolioId};
use tokio::sync::{broadcast, watch};

use crate::{JournalError, batch::Batch, runs::Runs, tail::Tails};

/// Changes that a receiver may lag behind.
const FEED: usize = 1024;

/// A change of a run.
#[derive(Clone, Debug)]
pub enum RunChange {
    /// Events were appended; this is the summary after them.
    Grown(Arc<RunSummary>),
    /// It was deleted.
    Removed {
        /// The run.
        run: RunId,
        /// The account that owned it.
        owner: AccountId,
    },
}

/// The senders of all feeds. Dropping them ends every receiver.
pub(crate) struct Feeds {
    pub tails: Arc<Tails>,
    pub runs: broadcast::Sender<RunChange>,
    pub ledger: broadcast::Sender<PortfolioId>,
    /// What keeps the journal from storing, if anything does.
    pub trouble: watch::Sender<Option<JournalError>>,
}

impl Feeds {
    pub fn new(tails: Arc<Tails>) -> Self {
        Self {
            tails,
            runs: broadcast::Sender::new(FEED),
            ledger: broadcast::Sender::new(FEED),
            trouble: watch::Sender::default(),
        }
    }

    /// Broadcasts a committed batch.
    pub fn publish(&self, batch: &Batch, runs: &Runs) {
        for (run, events) in &batch.events {
            let Some(known) = runs.get(run) else { continue };
            self.tails.publish(*run, events, known.is_finished());
            if self.runs.receiver_count() > 0 {
                // Fails without receivers, which is no error.
                let _ = self.runs.send(RunChange::Grown(Arc::new(known.summary.clone())));
            }
        }
        for entry in &batch.ledger {
            let _ = self.ledger.send(entry.portfolio.clone());
        }
    }

    /// Broadcasts that runs were deleted, and ends their tails.
    pub fn publish_removal(&self, removed: &[(RunId, AccountId)]) {
        for (run, owner) in removed {
            self.tails.remove(*run);
            let _ = self.runs.send(RunChange::Removed { run: *run, owner: owner.clone() });
        }
    }
}

impl Drop for Feeds {
    fn drop(&mut self) {
        self.tails.close();
    }
}

/// Subscribes to a feed; the receiver ends at once if the sender was dropped.
pub(crate) fn receiver<T: Clone>(feed: &broadcast::WeakSender<T>) -> broadcast::Receiver<T> {
    match feed.upgrade() {
        Some(sender) => sender.subscribe(),
        None => broadcast::Sender::new(1).subscribe(),
    }
}
