//! What is different on paper: nothing can be unfolded or loaded there.

use leptos::{ev, prelude::*};

/// Whether the page is being printed.
pub fn use_printing() -> ReadSignal<bool> {
    let (is_printing, set_printing) = signal(false);
    Effect::new(move |_| {
        let set = move |now: bool| {
            set_printing.try_set(now);
        };
        let before = window_event_listener(ev::beforeprint, move |_| set(true));
        let after = window_event_listener(ev::afterprint, move |_| set(false));
        on_cleanup(move || {
            before.remove();
            after.remove();
        });
    });
    is_printing
}

/// Says on paper, and only there, what is missing on it and where it stands.
#[component]
pub fn PaperNote(
    /// The sentences.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    view! { <p class="paper-note">{text}</p> }
}
