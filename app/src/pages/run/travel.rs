//! The run as it was: which event the page stands at, and the view of that moment.

pub mod axis;
pub mod history;

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{NavigateOptions, hooks::query_signal_with_options};
use protocol::{RunView, Timestamp};

use self::axis::Axis;
use super::log::{EventLog, Loading};
use crate::live::LiveRun;

/// The address follows when the slider has stood still this long: browsers limit how often it changes.
const ADDRESS_PAUSE: Duration = Duration::from_millis(250);
/// The log is fetched once the page itself has settled.
const LOG_PAUSE: Duration = Duration::from_millis(400);

/// The run as the page shows it: as it is now, or as it was at a chosen event.
#[derive(Clone, Copy)]
pub struct Shown {
    live: LiveRun,
    past: RwSignal<Option<RunView>>,
    /// What is loaded of the whole run, which then takes the place of the outline.
    so_far: Option<RwSignal<Option<RunView>>>,
}

impl Shown {
    /// The same run; as it is now, as far as it is loaded, until all of it is.
    pub fn so_far(self, log: EventLog) -> Self {
        Self { so_far: Some(log.so_far), ..self }
    }

    /// Reads the view, and tells when it changes.
    pub fn with<T>(&self, read: impl FnOnce(&RunView) -> T) -> T {
        self.past.with(|past| match (past, self.so_far) {
            (Some(view), _) => read(view),
            (None, Some(so_far)) if !self.live.is_whole.get() => so_far.with(|so_far| match so_far {
                Some(view) => read(view),
                None => self.live.view.with(read),
            }),
            _ => self.live.view.with(read),
        })
    }

    /// Reads the view without following it.
    pub fn with_untracked<T>(&self, read: impl FnOnce(&RunView) -> T) -> T {
        untrack(|| self.with(read))
    }
}

/// Where in the run's time the page stands.
#[derive(Clone, Copy)]
pub struct Travel {
    /// The chosen event; `None` is now.
    at: RwSignal<Option<u64>>,
    past: RwSignal<Option<RunView>>,
    /// Whether `past` was folded from the log; the server sends an outline.
    is_folded: RwSignal<bool>,
    live: LiveRun,
    log: EventLog,
    /// The log's events on the axis of time.
    pub axis: RwSignal<Axis>,
}

impl Travel {
    /// Stands where the address asks, at `past` as the server rendered it.
    pub fn new(live: LiveRun, log: EventLog, past: Option<RunView>) -> Self {
        let at = RwSignal::new(past.as_ref().map(RunView::seq));
        let axis = RwSignal::new(Axis::default());
        let inherited =
            live.view.with_untracked(|view| view.summary.origin.as_ref().map_or(0, |origin| origin.through));
        Effect::new(move |_| {
            log.events.with(|events| axis.update(|axis| axis.extend(events, inherited)));
        });
        let travel = Self { at, past: RwSignal::new(past), is_folded: RwSignal::new(false), live, log, axis };
        travel.follow_address();
        travel.load_when_settled();
        travel.fold();
        travel
    }

    /// What the parts of the page show.
    pub fn shown(&self) -> Shown {
        Shown { live: self.live, past: self.past, so_far: None }
    }

    /// Whether the page shows how the run was, and not how it is.
    pub fn is_past(&self) -> bool {
        self.at.with(Option::is_some)
    }

    /// Whether all of that moment is here, and not its outline alone.
    pub fn is_whole(&self) -> bool {
        self.is_folded.get()
    }

    /// The chosen event, or the newest.
    pub fn position(&self) -> u64 {
        self.at.get().unwrap_or_else(|| self.newest())
    }

    /// Number of the newest event.
    pub fn newest(&self) -> u64 {
        self.live.view.with(RunView::seq)
    }

    /// Goes to an event.
    pub fn go(&self, seq: u64) {
        self.log.load();
        let newest = untrack(|| self.newest());
        let seq = seq.clamp(1, newest);
        if self.at.get_untracked() != Some(seq) {
            self.at.set(Some(seq));
        }
    }

    /// Goes some events on, or back. From now on back is a step; forward from the newest is now.
    pub fn step(&self, by: i64) {
        let at = untrack(|| self.position());
        if by > 0 && at >= untrack(|| self.newest()) {
            self.go_live();
        } else {
            self.go(at.saturating_add_signed(by));
        }
    }

    /// Back to how the run is.
    pub fn go_live(&self) {
        if self.at.get_untracked().is_some() {
            self.at.set(None);
        }
    }

    /// When the chosen event was; `None` for now, and until its time is known.
    pub fn moment(&self) -> Option<Timestamp> {
        let at = self.at.get()?;
        self.log.events.with(|events| {
            let index = usize::try_from(at).ok()?.checked_sub(1)?;
            events.get(index).map(|event| event.at)
        })
    }

    /// Folds the view of the chosen event, from what is here.
    fn fold(self) {
        let last =
            Memo::new(move |_| self.log.events.with(|events| events.last().map_or(0, |event| event.seq)));
        let is_here = Memo::new(move |_| self.at.get().is_none_or(|at| at <= last.get()));
        Effect::new(move |_| {
            let Some(at) = self.at.get() else {
                if self.past.with_untracked(Option::is_some) {
                    self.past.set(None);
                    self.is_folded.set(false);
                }
                return;
            };
            let is_there = self.past.with_untracked(|past| past.as_ref().map(RunView::seq)) == Some(at);
            if is_there && self.is_folded.get_untracked() {
                return;
            }
            if !is_here.get() {
                return self.log.load();
            }
            // An outline lacks what the next events are about.
            let last = match self.is_folded.get_untracked() {
                true => self.past.try_update_untracked(Option::take).flatten(),
                false => None,
            };
            if let Some(view) = self.log.view_at(at, last) {
                self.past.set(Some(view));
                self.is_folded.set(true);
            }
        });
    }

    fn load_when_settled(self) {
        Effect::new(move |_| {
            let load = move || {
                if self.log.loading.try_with_untracked(|loading| *loading == Loading::Idle) == Some(true) {
                    self.log.load();
                }
            };
            if let Ok(timeout) = set_timeout_with_handle(load, LOG_PAUSE) {
                on_cleanup(move || timeout.clear());
            }
        });
    }

    /// Keeps `?at=` and the chosen event together.
    fn follow_address(self) {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            // The present path, where the query is set, is an outer one already.
            resolve: false,
            ..NavigateOptions::default()
        };
        let (address, set_address) = query_signal_with_options::<u64>("at", options);
        let written = StoredValue::new(address.get_untracked());
        let pause = StoredValue::new(None::<TimeoutHandle>);
        let clear = move || {
            if let Some(timeout) = pause.try_update_value(Option::take).flatten() {
                timeout.clear();
            }
        };
        on_cleanup(clear);
        Effect::new(move |_| {
            let at = self.at.get();
            clear();
            if written.get_value() == at {
                return;
            }
            let write = move || {
                if written.try_set_value(at).is_none() {
                    set_address.set(at);
                }
            };
            pause.set_value(set_timeout_with_handle(write, ADDRESS_PAUSE).ok());
        });
        Effect::new(move |before: Option<Option<u64>>| {
            let asked = address.get();
            if before.is_some() && written.get_value() != asked {
                written.set_value(asked);
                match asked {
                    Some(seq) => self.go(seq),
                    None => self.go_live(),
                }
            }
            asked
        });
    }
}
