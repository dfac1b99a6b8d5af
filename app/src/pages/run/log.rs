//! The raw log of a run, loaded when it is first looked at.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use protocol::{Event, RunId};

use crate::{
    api::{self, ApiError},
    live::LiveRun,
};

/// Events fetched at once.
const PAGE: u32 = 500;

/// The log: what came before is fetched in pages, what comes now is appended.
#[derive(Clone, Copy)]
pub struct EventLog {
    run: RunId,
    live: LiveRun,
    /// The events, in order.
    pub events: RwSignal<Vec<Arc<Event>>>,
    /// Where the loading stands.
    pub loading: RwSignal<Loading>,
}

/// Where the loading of the log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loading {
    /// Nobody has asked yet.
    Idle,
    /// Pages are on their way.
    Busy,
    /// All is here, and stays up to date.
    Done,
    /// It stopped.
    Failed(ApiError),
}

impl EventLog {
    /// The log of a run; nothing is loaded yet.
    pub fn new(run: RunId, live: LiveRun) -> Self {
        let log =
            Self { run, live, events: RwSignal::new(Vec::new()), loading: RwSignal::new(Loading::Idle) };
        Effect::new(move |_| {
            live.received.track();
            if log.loading.with(|loading| *loading == Loading::Done) {
                log.append_received();
            }
        });
        log
    }

    /// Loads the log, unless that was done or is under way. Only in the browser.
    pub fn load(self) {
        if self.loading.with_untracked(|loading| matches!(loading, Loading::Busy | Loading::Done)) {
            return;
        }
        self.loading.set(Loading::Busy);
        spawn_local(async move {
            let outcome = self.load_pages().await;
            self.loading.try_set(outcome.map_or_else(Loading::Failed, |()| Loading::Done));
        });
    }

    async fn load_pages(self) -> Result<(), ApiError> {
        // Gone with the page: nobody waits for the rest.
        while let Some(after) = self.events.try_with_untracked(|events| last_seq(events)) {
            let page = api::events(self.run, after, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            self.events.try_update(|events| append(events, page.into_iter().map(Arc::new)));
            if is_last {
                return Ok(());
            }
        }
        Ok(())
    }

    fn append_received(self) {
        let known = self.events.with_untracked(|events| last_seq(events));
        let new: Vec<_> = self.live.received.with_untracked(|received| {
            let first = received.partition_point(|event| event.seq <= known);
            received[first..].to_vec()
        });
        if !new.is_empty() {
            self.events.update(|events| append(events, new));
        }
    }
}

fn last_seq(events: &[Arc<Event>]) -> u64 {
    events.last().map_or(0, |event| event.seq)
}

fn append(events: &mut Vec<Arc<Event>>, new: impl IntoIterator<Item = Arc<Event>>) {
    for event in new {
        if event.seq > last_seq(events) {
            events.push(event);
        }
    }
}
