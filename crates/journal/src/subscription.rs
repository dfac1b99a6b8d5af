use std::sync::Arc;

use protocol::RunId;
use tokio::sync::watch;

use crate::{
    Encoded, JournalError,
    store::Store,
    tail::{Progress, Tail, Tails},
};

/// The most events of one answer.
const LIMIT: u32 = 256;
/// Bytes of events after which an answer from the file ends. A reader that takes nothing holds this much.
const ENOUGH: usize = 256 << 10;

/// A cursor over one run's log: what is stored and what is being added are one stream,
/// without gap or repetition.
pub struct Subscription {
    run: RunId,
    after: u64,
    progress: watch::Receiver<Progress>,
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
        // Joined before the log's length is read: what is committed in between reaches the tail.
        let tail = tails.join(run).ok_or(JournalError::Closed)?;
        let progress = tail.watch();
        if !tail.is_primed() {
            let (seq, finished) = store.reach(run).await?.ok_or(JournalError::NoSuchRun(run))?;
            tail.advance(seq, finished);
        }
        Ok(Self { run, after, progress, tail, store })
    }

    /// Number of the last event that was handed out.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next events, at least one, as soon as there are any; `None` after the run's last
    /// event. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`JournalError::NoSuchRun`]: the run was deleted. Or the log cannot be read, or the journal was
    /// closed; calling again tries again.
    pub async fn next(&mut self) -> Result<Option<Vec<Encoded>>, JournalError> {
        loop {
            let progress = *self.progress.borrow_and_update();
            if progress.removed {
                return Err(JournalError::NoSuchRun(self.run));
            }
            if progress.seq > self.after {
                return self.take().await.map(Some);
            }
            if progress.finished {
                return Ok(None);
            }
            if progress.closed {
                return Err(JournalError::Closed);
            }
            self.progress.changed().await.map_err(|_| JournalError::Closed)?;
        }
    }

    async fn take(&mut self) -> Result<Vec<Encoded>, JournalError> {
        let events = match self.tail.after(self.after, LIMIT as usize) {
            Some(events) => events,
            None => self.store.read_within(self.run, self.after, LIMIT, ENOUGH).await?,
        };
        // Committed events are there, one after the other; if not, the file is at fault.
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            // Deleted just now: word of that is on its way.
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
