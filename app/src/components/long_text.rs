//! A text that may stand here only with its beginning: the whole is fetched on demand.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{RunId, Text};

use super::{
    answer::Answer, copy::CopyButton, json::indented, notice::Refusal, paper::PaperNote, verbatim::Verbatim,
};
use crate::{api, base::at, format};

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Prose with Markdown, or the fields of a form that a model filled in.
    Prose,
    /// As it is, in a fixed-width face; JSON is indented.
    Verbatim,
}

/// A text with a button for the rest of it, and one to copy it.
#[component]
pub fn LongText(
    /// The run whose log holds it.
    run: RunId,
    /// The text, or its beginning.
    text: Text,
    /// How to show it.
    reading: Reading,
) -> impl IntoView {
    let shown = RwSignal::new(Arc::<str>::from(text.shown()));
    let rest = RwSignal::new(text.stored().cloned());
    let bytes = text.bytes();
    let load = Action::new(move |(): &()| async move {
        let Some(digest) = rest.try_get_untracked().flatten() else { return Ok(()) };
        let whole = api::text(run, digest).await?;
        shown.try_set(whole.into());
        rest.try_set(None);
        Ok::<(), api::ApiError>(())
    });
    let body = move || {
        let text = shown.get();
        match reading {
            Reading::Prose => view! { <Answer text /> }.into_any(),
            Reading::Verbatim => view! { <Verbatim text=indented(&text) /> }.into_any(),
        }
    };
    let cut = move || {
        let address = at(format!("/runs/{run}"));
        rest.with(Option::is_some).then(|| {
            view! {
                <PaperNote text=format!(
                    "This text is cut here: it has {} in all. The whole is on the page of the run, {address}, behind “Load all”, and in the run's export.",
                    format::bytes(bytes),
                ) />
            }
        })
    };
    let more = move || {
        rest.with(Option::is_some).then(|| {
            view! {
                <button
                    type="button"
                    class="quiet-button"
                    disabled=load.pending()
                    on:click=move |_| drop(load.dispatch(()))
                >
                    {move || if load.pending().get() { "Loading …".to_owned() } else { format!("Load all ({})", format::bytes(bytes)) }}
                </button>
            }
        })
    };
    view! {
        <div class="long-text">
            {body}
            {cut}
            <Refusal act=load />
            <div class="text-acts">
                {more}
                <CopyButton text=move |()| shown.get_untracked().to_string() />
            </div>
        </div>
    }
}
