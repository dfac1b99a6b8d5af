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

/// Whether this key sends what is typed into a box of several lines: Enter does. With Shift it begins a line, and while a
/// word is composed it ends that.
pub fn sends(event: &ev::KeyboardEvent) -> bool {
    event.key() == "Enter" && !event.shift_key() && !event.is_composing()
}

/// A dialog with all keys, opened by `?`.
#[component]
pub fn KeyHelp() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    on_page_key(move |event| {
        if event.key() == "?"
            && let Some(dialog) = dialog.try_get_untracked().flatten()
        {
            browser::open_dialog(&dialog);
        }
    });
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="key-help-title">
            <h2 id="key-help-title">"Keys"</h2>
            // Written out: the browser is sent it as one piece of HTML, and no code that builds it.
            <dl class="key-list">
                <dt><kbd>"/"</kbd></dt>
                <dd>"Search"</dd>
                <dt><kbd>"?"</kbd></dt>
                <dd>"This help"</dd>
                <dt><kbd>"Escape"</kbd></dt>
                <dd>"Close what is open, or select nothing"</dd>
                <dt><kbd>"g"</kbd><kbd>"r"</kbd><kbd>"t"</kbd><kbd>"l"</kbd><kbd>"e"</kbd><kbd>"c"</kbd></dt>
                <dd>"Run: graph, runs of its own, timeline, transcript, events, chat"</dd>
                <dt><kbd>"s"</kbd></dt>
                <dd>"Run: stop it"</dd>
                <dt><kbd>"j"</kbd><kbd>"k"</kbd></dt>
                <dd>"Run: next or previous node; in its chat, question"</dd>
                <dt><kbd>"a"</kbd></dt>
                <dd>"Run: answer what it asks"</dd>
                <dt><kbd>"Arrow keys"</kbd></dt>
                <dd>"Graph: move to the node on that side"</dd>
                <dt><kbd>"f"</kbd></dt>
                <dd>"Graph: follow the node that works"</dd>
                <dt><kbd>"+"</kbd><kbd>"\u{2212}"</kbd><kbd>"0"</kbd></dt>
                <dd>"Graph: larger, smaller, fit"</dd>
                <dt><kbd>"n"</kbd><kbd>"o"</kbd></dt>
                <dd>"Graph: find a node, open or fold a group"</dd>
                <dt><kbd>"\u{2190}"</kbd><kbd>"\u{2192}"</kbd></dt>
                <dd>"Time slider: an event back, an event on"</dd>
                <dt><kbd>"Space"</kbd></dt>
                <dd>"Time slider: play, pause"</dd>
                <dt><kbd>"Home"</kbd><kbd>"End"</kbd></dt>
                <dd>"Time slider: the beginning, and back to live"</dd>
            </dl>
            <form method="dialog">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
}
