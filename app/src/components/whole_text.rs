//! A text that is needed whole, to be read by the page and not by a person.

use leptos::{prelude::*, task::spawn_local};
use protocol::{RunId, Text};

use crate::api;

/// The whole of a text: at once where it is here, else when it has come. Where it cannot be
/// fetched, its beginning.
pub fn whole_text(run: RunId, text: Text) -> RwSignal<Option<String>> {
    let whole = RwSignal::new(text.whole().map(str::to_owned));
    // Only in the browser.
    Effect::new(move |_| {
        let Some(digest) = text.stored().cloned() else { return };
        let beginning = text.shown().to_owned();
        spawn_local(async move {
            whole.try_set(Some(api::text(run, digest).await.unwrap_or(beginning)));
        });
    });
    whole
}
