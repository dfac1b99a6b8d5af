//! The raw log of a run, and the whole run folded from it: loaded in the background, or when it is first looked at.

use std::{sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use protocol::{Event, RunId, RunView};

use super::travel::history::History;
use crate::{
    api::{self, ApiError},
    browser,
    live::LiveRun,
};

/// Events fetched at once: few at first, twice as many as long as taking them in is quick.
const PAGES: (u32, u32) = (60, 1_000);
/// Taking a page in is quick when it takes less, in milliseconds. Longer, and the page would stutter.
const QUICK: f64 = 12.0;

/// The log: what came before is fetched in pages, what comes now is appended.
#[derive(Clone, Copy)]
pub struct EventLog {
    run: RunId,
    live: LiveRun,
    /// The events, in order.
    pub events: RwSignal<Vec<Arc<Event>>>,
    /// Where the loading stands.
    pub loading: RwSignal<Loading>,
    /// What is loaded, folded, as long as the run is here as an outline only.
    pub so_far: RwSignal<Option<RunView>>,
    /// Moments of what is loaded.
    history: StoredValue<History>,
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
        let log = Self {
            run,
            live,
            events: RwSignal::new(Vec::new()),
            loading: RwSignal::new(Loading::Idle),
            so_far: RwSignal::new(None),
            history: StoredValue::new(History::of_length(live.view.with_untracked(RunView::seq))),
        };
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
            if outcome.is_ok()
                && let Some(view) = self.so_far.try_update_untracked(Option::take).flatten()
            {
                self.live.complete(view);
            }
            self.loading.try_set(outcome.map_or_else(Loading::Failed, |()| Loading::Done));
        });
    }

    /// The run as it was after event `seq`, if that is here; folded on from the moment that was looked at `last`.
    pub fn view_at(self, seq: u64, last: Option<RunView>) -> Option<RunView> {
        self.events.with_untracked(|events| {
            self.history.try_update_value(|history| history.view_at(events, seq, last)).flatten()
        })
    }

    /// The events that a filter admits, in order. An event that comes is looked at once, and all of them where the
    /// filter changes.
    pub fn filtered<F>(self, filter: Signal<F>, admits: fn(&F, &Event) -> bool) -> ReadSignal<Vec<Arc<Event>>>
    where
        F: Clone + PartialEq + Send + Sync + 'static,
    {
        let (admitted, set_admitted) = signal(Vec::new());
        Effect::new(move |before: Option<(F, usize)>| {
            let filter = filter.get();
            let known = before.filter(|(before, _)| *before == filter).map(|(_, known)| known);
            self.events.with(|events| {
                let new = events.get(known.unwrap_or(0)..).into_iter().flatten();
                let new: Vec<_> = new.filter(|event| admits(&filter, event)).cloned().collect();
                match known {
                    None => set_admitted.set(new),
                    Some(_) if new.is_empty() => {}
                    Some(_) => set_admitted.update(|admitted| admitted.extend(new)),
                }
                (filter, events.len())
            })
        });
        admitted
    }

    async fn load_pages(self) -> Result<(), ApiError> {
        let mut size = PAGES.0;
        // Gone with the page: nobody waits for the rest.
        while let Some(after) = self.events.try_with_untracked(|events| last_seq(events)) {
            let page = api::events(self.run, after, size).await?;
            let is_last = page.len() < size as usize;
            let begun = browser::steady_ms();
            let page: Vec<_> = page.into_iter().map(Arc::new).collect();
            if self.live.needs_whole() {
                self.history
                    .try_update_value(|history| self.so_far.try_update(|view| history.fold(view, &page)));
            }
            self.events.try_update(|events| append(events, page));
            if is_last {
                return Ok(());
            }
            if browser::steady_ms() - begun < QUICK {
                size = (size * 2).min(PAGES.1);
            }
            // The browser draws, and hears the person.
            browser::sleep(Duration::ZERO).await;
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
