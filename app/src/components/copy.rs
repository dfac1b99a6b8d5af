//! A button that copies a text.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::{Icon, IconName};
use crate::browser;

/// Copies what `text` gives at the moment of the click.
#[component]
pub fn CopyButton(
    /// The text.
    #[prop(into)]
    text: Callback<(), String>,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        browser::copy(&text.run(()));
        copied.set(true);
        let reset = move || {
            copied.try_set(false);
        };
        set_timeout(reset, Duration::from_millis(1_500));
    };
    view! {
        <button type="button" class="quiet-button" on:click=copy>
            <Icon name=IconName::Copy />
            <span aria-live="polite">{move || if copied.get() { "Copied" } else { "Copy" }}</span>
        </button>
    }
}
