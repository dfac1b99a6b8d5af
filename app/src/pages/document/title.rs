//! The title of a document, and how it gets another one.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::document::DocumentTitle;

use super::editor::Editor;
use crate::{
    api::{ApiError, documents as api},
    components::notice::FormError,
};

/// The title; it becomes a field while it is changed.
#[component]
pub fn TitleForm(editor: Editor) -> impl IntoView {
    let (is_open, typed) = (RwSignal::new(false), RwSignal::new(String::new()));
    let fault = RwSignal::new(None::<String>);
    let title = move || editor.summary.with(|summary| summary.title.to_string());
    let rename = Action::new(move |title: &DocumentTitle| {
        let title = title.clone();
        async move {
            match api::rename(editor.id, title).await {
                Ok(summary) => {
                    // What else changed meanwhile is noticed by the next save.
                    editor.summary.try_update(|own| {
                        own.title = summary.title;
                        own.changed_at = summary.changed_at;
                    });
                    is_open.try_set(false);
                }
                Err(ApiError(problem)) => drop(fault.try_set(Some(problem.detail))),
            }
        }
    });
    let open = move |_| {
        typed.set(editor.summary.with_untracked(|summary| summary.title.to_string()));
        fault.set(None);
        is_open.set(true);
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match typed.get_untracked().trim().parse::<DocumentTitle>() {
            Ok(_) if rename.pending().get_untracked() => {}
            Ok(title) => {
                fault.set(None);
                rename.dispatch(title);
            }
            Err(error) => fault.set(Some(format!("{error}."))),
        }
    };
    view! {
        <h1 class="document-title" hidden=is_open>{title}</h1>
        <Show
            when=move || is_open.get()
            fallback=move || view! { <button type="button" class="quiet-button" on:click=open>"Rename"</button> }
        >
            <form class="document-rename" novalidate=true on:submit=submit>
                <input class="input" type="text" name="title" aria-label="Title" maxlength="120" autocomplete="off" autofocus=true prop:value=typed on:input=move |event| typed.set(event_target_value(&event)) />
                <button type="submit" class="button primary" disabled=rename.pending()>"Rename"</button>
                <button type="button" class="button" on:click=move |_| is_open.set(false)>"Cancel"</button>
                <FormError text=fault />
            </form>
        </Show>
    }
}
