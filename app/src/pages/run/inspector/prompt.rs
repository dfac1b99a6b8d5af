//! What a model was asked in one call.

use leptos::prelude::*;
use protocol::{CallId, Text, WholePrompt};

use crate::{
    components::long_text::{LongText, Reading},
    pages::run::screen::Screen,
};

/// The messages of a prompt that are new in this call. Those that an earlier call was asked as well are folded.
#[component]
pub fn Prompt(screen: Screen, call: CallId) -> impl IntoView {
    let call = StoredValue::new(call);
    let read = move |range: fn(&WholePrompt<'_>) -> (usize, usize)| -> Vec<Text> {
        screen.view.with_untracked(|view| {
            let whole = view.prompt(&call.read_value());
            let (from, to) = range(&whole);
            whole.messages.into_iter().take(to).skip(from).cloned().collect()
        })
    };
    let (known, missing) = screen.view.with_untracked(|view| {
        let whole = view.prompt(&call.read_value());
        (whole.known, whole.missing)
    });
    let is_open = RwSignal::new(false);
    let fold = (known > 0).then(|| {
        let count = counted(known);
        view! {
            <button
                type="button"
                class="quiet-button"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                {move || if is_open.get() { format!("Hide {count} that it knew") } else { format!("Show {count} that it knew") }}
            </button>
        }
    });
    let lost = (missing > 0).then(|| {
        view! { <p class="dim">{format!("The log lacks {} before these.", counted(missing as usize))}</p> }
    });
    let shown = move |messages: Vec<Text>| {
        let texts = messages.into_iter();
        texts.map(|text| view! { <LongText run=screen.id text reading=Reading::Verbatim /> }).collect_view()
    };
    view! {
        {lost}
        {fold}
        {move || is_open.get().then(|| shown(read(|whole| (0, whole.known))))}
        {shown(read(|whole| (whole.known, whole.messages.len())))}
    }
}

fn counted(messages: usize) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}
