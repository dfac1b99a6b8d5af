//! What belongs to an answer and is no part of it: the model's thoughts, what was cut off, and attempts that failed.

use leptos::prelude::*;
use protocol::{Attempt, RunId, Text};

use crate::{
    components::long_text::{LongText, Reading},
    format,
};

/// What the model thought before it answered, folded.
#[component]
pub fn Thoughts(run: RunId, text: Text) -> impl IntoView {
    let opened = RwSignal::new(false);
    (!text.is_empty()).then(|| {
        let title = format::thoughts(&text);
        view! {
            <details class="beside" on:toggle=move |_| opened.update(|opened| *opened = !*opened)>
                <summary>{title}</summary>
                // What is folded away is not in the document.
                {move || opened.get().then(|| view! { <LongText run text=text.clone() reading=Reading::Prose /> })}
            </details>
        }
    })
}

/// What a model had written when its call was dropped.
#[component]
pub fn CutOff(run: RunId, text: Text) -> impl IntoView {
    (!text.is_empty()).then(|| {
        view! {
            <section class="cut-off">
                <p>{format::CUT_OFF}</p>
                <LongText run text reading=Reading::Prose />
            </section>
        }
    })
}

/// The attempts of a call that failed, each with its reason and what it used.
#[component]
pub fn Attempts(
    /// The failed ones, oldest first.
    failed: Vec<Attempt>,
    /// Whether the last attempt, which is not among them, brought the answer.
    succeeded: bool,
) -> impl IntoView {
    (!failed.is_empty()).then(|| {
        let title = format::attempts(failed.len(), succeeded);
        let rows = failed.iter().map(|attempt| {
            view! {
                <li>
                    {attempt.error.clone()}
                    " "
                    <span class="dim mono">{format::attempt(attempt)}</span>
                </li>
            }
        });
        let rows = rows.collect_view();
        view! {
            <details class="beside">
                <summary>{title}</summary>
                <ol class="attempts">{rows}</ol>
            </details>
        }
    })
}
