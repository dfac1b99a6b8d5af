//! A button that copies a text.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};

use super::icon::{Icon, IconName};
use crate::browser;

/// What became of the last click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Copied,
    Refused,
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Self::Copied => "Copied",
            Self::Refused => "Not copied: the browser refuses. Select the text instead.",
        }
    }

    /// How long it is said.
    fn time(self) -> Duration {
        match self {
            Self::Copied => Duration::from_millis(1_500),
            Self::Refused => Duration::from_secs(8),
        }
    }
}

/// Copies what `text` gives at the moment of the click, and says what became of it.
#[component]
pub fn CopyButton(
    /// The text.
    #[prop(into)]
    text: Callback<(), String>,
) -> impl IntoView {
    let outcome = RwSignal::new(None::<Outcome>);
    let resetting = StoredValue::new(None::<TimeoutHandle>);
    let copy = move |_| {
        let text = text.run(());
        spawn_local(async move {
            let now = if browser::copy(&text).await.is_ok() { Outcome::Copied } else { Outcome::Refused };
            // The button may be gone by now.
            if outcome.try_set(Some(now)).is_some() {
                return;
            }
            let reset = move || {
                outcome.try_set(None);
            };
            let next = set_timeout_with_handle(reset, now.time()).ok();
            // What an earlier click said is no longer on the button.
            if let Some(Some(earlier)) =
                resetting.try_update_value(|resetting| std::mem::replace(resetting, next))
            {
                earlier.clear();
            }
        });
    };
    view! {
        <button type="button" class="quiet-button" on:click=copy>
            <Icon name=IconName::Copy />
            <span aria-live="polite">{move || outcome.get().map_or("Copy", Outcome::words)}</span>
        </button>
    }
}
