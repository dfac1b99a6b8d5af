use std::sync::Arc;

use protocol::RunId;
use tokio::sync::watch;

use crate::{
    Encoded, JournalError,
    store::Store,
    tail::{Reach, Tail, Tails},
};

/// The most events of one read.
const LIMIT: u32 = 256;
/// Bytes after which a read from the file ends: what a reader that takes nothing holds in memory.
const ENOUGH: usize = 256 << 10;

/// A cursor over one run's log: stored events and new ones are one stream, without gap or repetition.
pub struct Subscription {
    run: RunId,
    after: u64,
    reach: watch::Receiver<Reach>,
    tail: Arc<Tail>,
    store: Store,
}

impl Subscription {
    pub(crate) async fn open(
        run: RunId,
        after: u64,
        tails: &Tails,
        store: Store,
    ) -> Result<Self, JournalError> {
        let opened = Self::open_before_start(run, tails, store).await?;
        if opened.tail.is_primed() { Ok(Self { after, ..opened }) } else { Err(JournalError::NoSuchRun(run)) }
    }

    /// The same from the beginning on, of a run that may not have started.
    pub(crate) async fn open_before_start(
        run: RunId,
        tails: &Tails,
        store: Store,
    ) -> Result<Self, JournalError> {
        // Joins the tail before reading the log's length, so that events committed in between reach the tail.
        let tail = tails.join(run).ok_or(JournalError::Closed)?;
        let reach = tail.watch();
        if !tail.is_primed()
            && let Some((seq, finished)) = store.reach(run).await?
        {
            tail.advance(seq, finished);
        }
        Ok(Self { run, after: 0, reach, tail, store })
    }

    /// Number of the last event that was returned.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next events, at least one, waiting until there are any; `None` after the run's end. Dropping the
    /// future loses nothing (cancel-safe).
    ///
    /// # Errors
    /// [`JournalError::NoSuchRun`]: the run was deleted. Or the log cannot be read, or the journal was
    /// closed; calling again tries again.
    pub async fn next(&mut self) -> Result<Option<Vec<Encoded>>, JournalError> {
        loop {
            let reach = *self.reach.borrow_and_update();
            if reach.removed {
                return Err(JournalError::NoSuchRun(self.run));
            }
            if reach.seq > self.after {
                return self.take().await.map(Some);
            }
            if reach.finished {
                return Ok(None);
            }
            if reach.closed {
                return Err(JournalError::Closed);
            }
            self.reach.changed().await.map_err(|_| JournalError::Closed)?;
        }
    }

    async fn take(&mut self) -> Result<Vec<Encoded>, JournalError> {
        let events = match self.tail.after(self.after, LIMIT as usize) {
            Some(events) => events,
            None => self.store.read_within(self.run, self.after, LIMIT, ENOUGH).await?,
        };
        // Committed events are in the file without a gap; otherwise it is damaged.
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            // Deleted just now: the tail is about to say so.
            return match self.store.reach(self.run).await? {
                Some(_) => Err(self.gap()),
                None => Err(JournalError::NoSuchRun(self.run)),
            };
        };
        if first.seq != self.after + 1 || last.seq != self.after + events.len() as u64 {
            return Err(self.gap());
        }
        self.after = last.seq;
        Ok(events)
    }

    fn gap(&self) -> JournalError {
        JournalError::Corrupt(format!("event {} of run {} is missing", self.after + 1, self.run))
    }
}
