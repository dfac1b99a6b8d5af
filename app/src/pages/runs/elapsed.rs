//! How long a run takes or took.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{ListedRun, Timestamp};

use crate::{browser, format, live::OldSince};

/// A clock that ticks each second in the browser. It shows no time on the server, so that both
/// draw the same page.
pub fn use_clock() -> ReadSignal<Option<Timestamp>> {
    let (now, set_now) = signal(None);
    let tick = move || {
        set_now.try_set(Some(browser::now()));
    };
    Effect::new(move || {
        tick();
        if let Ok(ticking) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || ticking.clear());
        }
    });
    now
}

/// How long the run took; of one under way how long it takes so far, once the clock runs.
pub fn elapsed(run: &ListedRun, clock: ReadSignal<Option<Timestamp>>) -> String {
    match run.finished_at {
        Some(end) => format::duration(end.since(run.created_at)),
        None => clock.get().map_or_else(
            || "–".into(),
            |now| format::stopwatch(OldSince::heard_by(now).since(run.created_at)),
        ),
    }
}
