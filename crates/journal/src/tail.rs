use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
};

use protocol::RunId;
use tokio::sync::watch;

use crate::Encoded;

/// Bytes of events that a tail keeps: most runs as a whole, so that many readers who lag together need not
/// each read the file. The values of these events are kept beside their bytes.
const CAPACITY: usize = 4 << 20;

/// How far a run's log reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reach {
    /// Number of the last committed event; 0 before it is known.
    pub seq: u64,
    /// Whether that event ends the run.
    pub finished: bool,
    /// Whether the journal is closed, so that nothing will be added.
    pub closed: bool,
    /// Whether the run was deleted.
    pub removed: bool,
}

/// The last events of a run with subscribers; lives as long as they do.
pub(crate) struct Tail {
    reach: watch::Sender<Reach>,
    recent: RwLock<Recent>,
}

#[derive(Default)]
struct Recent {
    events: VecDeque<Encoded>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, events: &[Encoded]) {
        self.bytes += events.iter().map(|event| event.json.len()).sum::<usize>();
        self.events.extend(events.iter().cloned());
        while self.bytes > CAPACITY
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= oldest.json.len();
        }
    }
}

impl Tail {
    fn new() -> Self {
        Self { reach: watch::Sender::default(), recent: RwLock::default() }
    }

    pub fn watch(&self) -> watch::Receiver<Reach> {
        self.reach.subscribe()
    }

    pub fn is_primed(&self) -> bool {
        self.reach.borrow().seq > 0
    }

    /// Wakes the readers, unless they know this number already.
    pub fn advance(&self, seq: u64, finished: bool) {
        self.reach.send_if_modified(|reach| {
            let is_news = seq > reach.seq;
            if is_news {
                reach.seq = seq;
                reach.finished = finished;
            }
            is_news
        });
    }

    /// Up to `limit` events after number `after`; `None` if the tail no longer has some of them.
    pub fn after(&self, after: u64, limit: usize) -> Option<Vec<Encoded>> {
        let events = &self.recent.read().unwrap_or_else(PoisonError::into_inner).events;
        let skipped = (after + 1).checked_sub(events.front()?.seq)?;
        let events: Vec<_> =
            events.iter().skip(usize::try_from(skipped).ok()?).take(limit).cloned().collect();
        (!events.is_empty()).then_some(events)
    }
}

/// The tails of all runs with subscribers.
#[derive(Default)]
pub(crate) struct Tails(Mutex<OpenTails>);

#[derive(Default)]
struct OpenTails {
    closed: bool,
    tails: HashMap<RunId, Weak<Tail>>,
}

impl Tails {
    /// The run's tail, shared by its subscribers; `None` once closed.
    pub fn join(&self, run: RunId) -> Option<Arc<Tail>> {
        let mut open = lock(&self.0);
        if open.closed {
            return None;
        }
        if let Some(tail) = open.tails.get(&run).and_then(Weak::upgrade) {
            return Some(tail);
        }
        open.tails.retain(|_, tail| tail.strong_count() > 0);
        let tail = Arc::new(Tail::new());
        open.tails.insert(run, Arc::downgrade(&tail));
        Some(tail)
    }

    /// Publishes committed events to the run's subscribers.
    pub fn publish(&self, run: RunId, events: &[Encoded], finished: bool) {
        let Some(last) = events.last() else { return };
        let tail = lock(&self.0).tails.get(&run).and_then(Weak::upgrade);
        if let Some(tail) = tail {
            // Events before the number: a subscriber that sees the number must find them.
            tail.recent.write().unwrap_or_else(PoisonError::into_inner).push(events);
            tail.advance(last.seq, finished);
        }
    }

    /// Ends the tail of a deleted run; later subscribers find no run.
    pub fn remove(&self, run: RunId) {
        let tail = lock(&self.0).tails.remove(&run).and_then(|tail| tail.upgrade());
        if let Some(tail) = tail {
            tail.reach.send_modify(|reach| reach.removed = true);
        }
    }

    /// Ends all tails.
    pub fn close(&self) {
        let mut open = lock(&self.0);
        open.closed = true;
        for tail in open.tails.drain().filter_map(|(_, tail)| tail.upgrade()) {
            tail.reach.send_modify(|reach| reach.closed = true);
        }
    }
}

/// Each critical section leaves the value consistent at every statement, so a poisoned lock is still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
