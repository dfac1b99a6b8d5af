//! The versions of a document.

use leptos::prelude::*;
use protocol::document::{DocumentId, DocumentVersion, SavedVersion};

use super::{beside::Beside, editor::Editor};
use crate::{
    api::{ApiError, documents as api},
    components::notice::Refusal,
    format,
};

/// Versions that are loaded at once.
pub const VERSIONS: u32 = 20;

/// The versions, newest first; each can be opened beside the text.
#[component]
pub fn History(editor: Editor, id: DocumentId) -> impl IntoView {
    let history = editor.history;
    let open = Action::new(move |version: &DocumentVersion| {
        let version = *version;
        async move {
            let opened = api::document(id, Some(version)).await?;
            editor.beside.try_set(Some(Beside::Older { version, text: opened.text }));
            Ok::<(), ApiError>(())
        }
    });
    let more = Action::new(move |()| async move {
        let before = history.with_untracked(|history| history.versions.last().map(|saved| saved.version));
        let older = api::history(id, before, VERSIONS).await?;
        history.try_update(|history| {
            history.versions.extend(older.versions);
            history.more = older.more;
        });
        Ok::<(), ApiError>(())
    });
    let shown = move || {
        editor.beside.with(|beside| match beside {
            Some(Beside::Older { version, .. } | Beside::Newer { version, .. }) => Some(*version),
            None => None,
        })
    };
    let row = move |saved: SavedVersion| {
        let SavedVersion { version, saved_at, bytes } = saved;
        let is_newest = move || editor.summary.with(|summary| summary.version == version);
        view! {
            <li class="document-version">
                <strong>{format!("Version {version}")}</strong>
                <time class="dim" datetime=saved_at.to_string()>{format::moment(saved_at)}</time>
                <span class="dim">{format::bytes(bytes)}</span>
                {move || if is_newest() {
                    view! { <span class="dim">"newest"</span> }.into_any()
                } else {
                    view! {
                        <button type="button" class="quiet-button" aria-pressed=move || (shown() == Some(version)).to_string() disabled=open.pending() on:click=move |_| drop(open.dispatch(version))>
                            "Open" <span class="visually-hidden">{format!(" version {version}")}</span>
                        </button>
                    }
                    .into_any()
                }}
            </li>
        }
    };
    view! {
        <section class="card document-history" aria-labelledby="history-heading">
            <h2 id="history-heading">"Versions (UTC)"</h2>
            <Refusal act=open />
            <ol>
                <For each=move || history.with(|history| history.versions.clone()) key=|saved| saved.version children=row />
            </ol>
            <Show when=move || history.with(|history| history.more)>
                <button type="button" class="button" disabled=more.pending() on:click=move |_| drop(more.dispatch(()))>"Load older versions"</button>
            </Show>
            <Refusal act=more />
        </section>
    }
}
