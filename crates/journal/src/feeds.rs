//! Where committed changes are shown.

use std::sync::Arc;

use protocol::{AccountId, PortfolioId, RunId, RunSummary};
use tokio::sync::{broadcast, watch};

use crate::{JournalError, batch::Batch, runs::Runs, tail::Tails};

/// Changes that a receiver may be behind.
const FEED: usize = 1024;

/// What happened to a run.
#[derive(Clone, Debug)]
pub enum RunChange {
    /// Its log has grown; this is its summary now.
    Grown(Arc<RunSummary>),
    /// It was deleted.
    Removed {
        /// The run.
        run: RunId,
        /// Whose it was.
        owner: AccountId,
    },
}

/// All feeds. Once dropped, all that listen are told that it is over.
pub(crate) struct Feeds {
    pub tails: Arc<Tails>,
    pub runs: broadcast::Sender<RunChange>,
    pub ledger: broadcast::Sender<PortfolioId>,
    /// What keeps the journal from storing at present.
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

    /// Shows what was committed.
    pub fn publish(&self, batch: &Batch, runs: &Runs) {
        for (run, events) in &batch.events {
            let Some(known) = runs.get(run) else { continue };
            self.tails.publish(*run, events, known.is_finished());
            if self.runs.receiver_count() > 0 {
                // Fails if the last receiver has just gone.
                let _ = self.runs.send(RunChange::Grown(Arc::new(known.summary.clone())));
            }
        }
        for entry in &batch.ledger {
            let _ = self.ledger.send(entry.portfolio.clone());
        }
    }

    /// Shows that runs were deleted, and lets who reads them know.
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

/// A receiver of a feed; one that ends at once if the feed is over.
pub(crate) fn receiver<T: Clone>(feed: &broadcast::WeakSender<T>) -> broadcast::Receiver<T> {
    match feed.upgrade() {
        Some(sender) => sender.subscribe(),
        None => broadcast::Sender::new(1).subscribe(),
    }
}
