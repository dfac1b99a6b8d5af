//! Time that passes while a run works.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{NodeView, RunView, Timestamp};

use crate::browser;

/// This moment, once a second while `ticks` holds. `None` on the server and until the page
/// is taken over, so that both render the same.
pub fn use_clock(ticks: Signal<bool>) -> Signal<Option<Timestamp>> {
    let now = RwSignal::new(None);
    Effect::new(move |_| {
        if !ticks.get() {
            return;
        }
        let tick = move || {
            now.try_set(Some(browser::now()));
        };
        tick();
        if let Ok(interval) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || interval.clear());
        }
    });
    now.into()
}

/// The last moment that the run's own log tells of.
pub fn last_known(view: &RunView) -> Timestamp {
    let summary = &view.summary;
    if let Some(end) = summary.finished_at {
        return end;
    }
    view.updated_at.max(summary.created_at)
}

/// The end of the time axis: now, or the last moment known.
pub fn horizon(view: &RunView, now: Option<Timestamp>) -> Timestamp {
    let known = last_known(view);
    match now {
        Some(now) if view.summary.finished_at.is_none() => known.max(now),
        _ => known,
    }
}

/// Time worked on a node, in milliseconds; with the visit under way up to `now`.
pub fn worked_ms(node: &NodeView, now: Option<Timestamp>) -> u64 {
    let under_way = node.working_since().zip(now).map_or(0, |(since, now)| now.since(since));
    node.worked_ms() + under_way
}

/// A moment some milliseconds after another.
pub fn ends_at(start: Timestamp, milliseconds: u64) -> Timestamp {
    Timestamp(start.0.saturating_add_unsigned(milliseconds))
}
