//! A run that its caller may read.

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use engine::{Engine, LiveCalls};
use futures::Stream;
use journal::Subscription;
use protocol::{Event, Problem, RunId, RunSummary};
use tokio::sync::watch;

use crate::{problem::from_journal, service::Service};

/// A run that its caller may read: the type is the proof of the check.
pub struct Readable<'s> {
    pub(super) service: &'s Service,
    pub(super) summary: RunSummary,
}

impl Deref for Readable<'_> {
    type Target = RunSummary;

    fn deref(&self) -> &RunSummary {
        &self.summary
    }
}

impl Readable<'_> {
    /// Up to `limit` events after number `after`.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn read(&self, after: u64, limit: u32) -> Result<Vec<Event>, Problem> {
        self.service.journal.read(self.run, after, limit).await.map_err(from_journal)
    }

    /// Number of the last event.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn last_seq(&self) -> Result<u64, Problem> {
        self.service.last_seq(self.run).await
    }

    /// The log from `after` on.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn subscribe(&self, after: u64) -> Result<Subscription, Problem> {
        self.service.journal.subscribe(self.run, after).await.map_err(from_journal)
    }

    /// All of it, as JSON Lines. It ends with an error where the log cannot be read.
    pub fn export_json_lines(&self) -> impl Stream<Item = Result<Bytes, Problem>> + Send + use<> {
        self.service.export_json_lines(self.run)
    }

    /// All of it, as one HTML file.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn export_html(&self) -> Result<String, Problem> {
        self.service.export_html(self.run).await
    }

    /// The run's state in the engine.
    pub fn activity(&self) -> Activity {
        Activity::of(&self.service.engine, self.run)
    }
}

/// A run's state in the engine. It can be kept as long as a socket lives.
#[derive(Clone)]
pub struct Activity {
    engine: Engine,
    run: RunId,
}

impl Activity {
    pub(super) fn of(engine: &Engine, run: RunId) -> Self {
        Self { engine: engine.clone(), run }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// The live text of calls; `None` while the run is not active.
    pub fn live(&self) -> Option<Arc<LiveCalls>> {
        self.engine.live(self.run)
    }

    /// Wakes when a position in the queue may have changed.
    pub fn queue_changes(&self) -> watch::Receiver<u64> {
        self.engine.queue_changes()
    }

    /// The run's position, from 1; `None` if it does not wait.
    pub fn place(&self) -> Option<usize> {
        self.engine.place_in_queue(self.run)
    }
}
