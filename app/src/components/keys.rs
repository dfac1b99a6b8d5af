//! The help for keys, and where keys are listened for.

use std::rc::Rc;

use leptos::{ev, html, prelude::*};

use crate::browser;

/// Calls `act` for every key that is for the page, until the caller's owner is gone.
pub fn on_page_key(act: impl Fn(&ev::KeyboardEvent) + 'static) {
    let act = Rc::new(act);
    // Only in the browser: an effect that the server never runs is dropped where it was made.
    Effect::new(move |_| {
        let act = act.clone();
        let listener = window_event_listener(ev::keydown, move |event| {
            if !browser::is_for_input(&event) {
                act(&event);
            }
        });
        on_cleanup(move || listener.remove());
    });
}

const KEYS: &[(&str, &str)] = &[
    ("/", "Search"),
    ("?", "This help"),
    ("Escape", "Close what is open, or select nothing"),
    ("g  t  l  e  c", "Run: graph, timeline, transcript, events, chat"),
    ("s", "Run: stop it"),
    ("j  k", "Run: next or previous node"),
    ("Arrow keys", "Graph: move to the node on that side"),
    ("f", "Graph: follow the node that works"),
    ("+  \u{2212}  0", "Graph: larger, smaller, fit"),
    ("\u{2190}  \u{2192}", "Time slider: an event back, an event on"),
    ("Space", "Time slider: play, pause"),
    ("Home  End", "Time slider: the beginning, and back to live"),
];

/// A dialog with all keys, opened by `?`.
#[component]
pub fn KeyHelp() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    on_page_key(move |event| {
        if event.key() == "?"
            && let Some(dialog) = dialog.try_get_untracked().flatten()
        {
            // It fails only where the dialog is open already.
            drop(dialog.show_modal());
        }
    });
    let rows = KEYS
        .iter()
        .map(|(keys, act)| {
            let keys = keys.split("  ").map(|key| view! { <kbd>{key}</kbd> }).collect_view();
            view! {
                <dt>{keys}</dt>
                <dd>{*act}</dd>
            }
        })
        .collect_view();
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="key-help-title">
            <h2 id="key-help-title">"Keys"</h2>
            <dl class="key-list">{rows}</dl>
            <form method="dialog">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
}
