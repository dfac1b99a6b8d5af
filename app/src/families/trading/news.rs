//! Pages that are read again when runs change what they show.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::live::{RunNews, run_feed};

/// How long news are gathered before a page asks for what is new.
const GATHERED: Duration = Duration::from_millis(1500);

/// Reads again after news that concern the page, but not with each of them: while it waits to ask, or for an answer, the
/// others are left to that one.
pub fn read_after<Reading: Future<Output = ()> + 'static>(
    concerns: impl Fn(&RunNews) -> bool + Send + Sync + 'static,
    read: impl Fn() -> Reading + Copy + 'static,
) {
    let is_asked = StoredValue::new(false);
    run_feed().follow(move |news| {
        if is_asked.try_get_value() != Some(false) || !concerns(&news) {
            return;
        }
        is_asked.try_set_value(true);
        let ask = move || {
            spawn_local(async move {
                read().await;
                is_asked.try_set_value(false);
            });
        };
        set_timeout(ask, GATHERED);
    });
}
