use std::{
    future::Future,
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
};

use protocol::Body;

use crate::{
    NodeError,
    lane::{Lane, Visit},
};

/// What a node can read of its run, and what it can ask for. It is a [`Lane`] as well: what is asked here is
/// outside of all lanes.
pub struct NodeContext {
    outside: Lane,
    emitted: AtomicUsize,
}

impl Deref for NodeContext {
    type Target = Lane;

    fn deref(&self) -> &Lane {
        &self.outside
    }
}

impl NodeContext {
    pub(crate) fn new(visit: Visit) -> Self {
        Self { outside: Lane::outside(visit), emitted: AtomicUsize::new(0) }
    }

    /// Writes messages, reports, results or log lines: all of them or none, and once, also
    /// when the visit is repeated after a crash.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn emit(&self, bodies: Vec<Body>) -> Result<(), NodeError> {
        let new = self.not_in_log(bodies);
        if new.is_empty() { Ok(()) } else { self.append(new).await }
    }

    /// The same without a wait for the disk, for what nobody waits for. Each is written by itself, ahead of everything
    /// that leaves the process later.
    pub fn note(&self, bodies: Vec<Body>) {
        for body in self.not_in_log(bodies) {
            self.shared().log.stage(&self.shared().plan.id, body);
        }
    }

    /// What the log does not have yet of what the visit emits next.
    fn not_in_log(&self, bodies: Vec<Body>) -> Vec<Body> {
        let before = self.emitted.fetch_add(bodies.len(), Ordering::Relaxed);
        let in_log = self.shared().log.progress().emitted(&self.shared().plan.id);
        bodies.into_iter().skip(in_log.saturating_sub(before)).collect()
    }

    /// Whether the log has what this visit emits next.
    pub(crate) fn is_emitted_next(&self) -> bool {
        self.shared().log.progress().emitted(&self.shared().plan.id) > self.emitted.load(Ordering::Relaxed)
    }

    /// Counts what the visit emits by another way than [`NodeContext::emit`].
    pub(crate) fn count_emitted(&self, events: usize) {
        self.emitted.fetch_add(events, Ordering::Relaxed);
    }

    /// Does work that a stop must not cut in two, such as a trade and its record.
    ///
    /// # Errors
    /// The run was stopped before the work began, or the work failed.
    pub async fn commit<T>(
        &self,
        work: impl Future<Output = Result<T, NodeError>> + Send,
    ) -> Result<T, NodeError> {
        let _token = self.shared().log.commits.token();
        self.check_going_on()?;
        // It leaves the process, so all that led to it has to be durable.
        self.shared().log.flush().await?;
        work.await
    }
}
