//! One document: its text, what is wrong with it, its versions.

mod beside;
mod editor;
mod history;
mod place;
mod title;

use leptos::{ev::KeyboardEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_params_map};
use protocol::{
    Problem,
    document::{CopyDocument, DocumentHistory, DocumentId, DocumentKindSpec},
};
use serde::{Deserialize, Serialize};

use self::{
    beside::BesidePane,
    editor::{Editor, EditorForm},
    history::{History, VERSIONS},
    title::TitleForm,
};
use super::documents::delete::DeleteDocument;
use crate::{
    api::{self as all, ApiError, documents as api, documents::OpenedDocument},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::{Notice, Refusal},
    },
    format,
};

/// What the page shows at first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    document: OpenedDocument,
    history: DocumentHistory,
    /// Its kind; `None` where nobody offers it any more.
    kind: Option<DocumentKindSpec>,
}

async fn read(id: String) -> Result<PageData, ApiError> {
    let id: DocumentId = id.parse().map_err(|error| {
        all::set_status(404);
        ApiError(Problem::not_found(format!("{error}.")))
    })?;
    let document = api::document(id, None).await?;
    let mut kinds = api::kinds().await?.into_iter();
    Ok(PageData {
        kind: kinds.find(|spec| spec.kind == document.summary.kind),
        history: api::history(id, None, VERSIONS).await?,
        document,
    })
}

/// The page.
#[component]
pub fn DocumentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let data = Resource::new(move || id.get(), read);
    view! {
        <Transition fallback=|| view! { <p class="loading">"Loading the document …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <NotShown problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Opened data /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn NotShown(problem: Problem) -> impl IntoView {
    let title = match problem.status {
        404 => "There is no such document",
        0 => "The server cannot be reached",
        _ => "The document cannot be shown",
    };
    view! {
        <Title text="Document" />
        <Notice title>
            <p role="alert">{problem.detail}</p>
            <p><a class="button" href=at("/documents")>"Go to the documents"</a></p>
        </Notice>
    }
}

#[component]
fn Opened(data: PageData) -> impl IntoView {
    let PageData { document, history, kind } = data;
    let id = document.summary.id;
    let label = kind.as_ref().map_or_else(|| document.summary.kind.to_string(), |kind| kind.label.clone());
    let schema = kind.map(|kind| format!("{:#}", kind.schema));
    let editor = Editor::new(document, history, schema.is_some());
    // The head is written after the page, where signals of the page cannot be found any more.
    let named = ArcRwSignal::from(editor.summary);
    let is_known = editor.is_known;
    let save_by_key = move |event: KeyboardEvent| {
        if (event.ctrl_key() || event.meta_key()) && event.key() == "s" {
            event.prevent_default();
            editor.save();
        }
    };
    view! {
        <Title text=move || named.with(|summary| summary.title.to_string()) />
        <div class="page document-page" on:keydown=save_by_key>
            <nav class="document-path" aria-label="Where this is">
                <a href=at("/documents")>"Documents"</a>
                <span class="dim">" › " {label}</span>
            </nav>
            <header class="page-head">
                <TitleForm editor />
                <Acts editor />
            </header>
            <Facts editor />
            {(!is_known).then(|| view! {
                <p class="banner tone-attention" role="status">
                    <Icon name=IconName::Alert />
                    <span>"This version of Pitwall does not know this kind of document. It can be read, exported and deleted."</span>
                </p>
            })}
            <div class="document-body" class:with-beside=move || editor.beside.with(Option::is_some)>
                <EditorForm editor schema />
                <BesidePane editor />
                <History editor id />
            </div>
        </div>
    }
}

#[component]
fn Facts(editor: Editor) -> impl IntoView {
    let summary = editor.summary;
    view! {
        <dl class="facts document-facts">
            <div><dt>"Version"</dt><dd>{move || summary.with(|summary| summary.version.to_string())}</dd></div>
            <div><dt>"Size"</dt><dd>{move || summary.with(|summary| format::bytes(summary.bytes))}</dd></div>
            <div><dt>"Made (UTC)"</dt><dd>{move || summary.with(|summary| format::moment(summary.created_at))}</dd></div>
            <div><dt>"Changed (UTC)"</dt><dd>{move || summary.with(|summary| format::moment(summary.changed_at))}</dd></div>
        </dl>
    }
}

/// What can be done with the document as a whole.
#[component]
fn Acts(editor: Editor) -> impl IntoView {
    let id = editor.id;
    let deleting = RwSignal::new(None::<(DocumentId, String)>);
    let ask = move |_| {
        let title = editor.summary.with_untracked(|summary| summary.title.to_string());
        deleting.set(Some((id, title)));
    };
    let (to_copy, to_list) = (use_navigate(), use_navigate());
    let copy = Action::new(move |()| api::copy(id, CopyDocument::default()));
    Effect::new(move || {
        if let Some(Ok(made)) = copy.value().get() {
            to_copy(&format!("/documents/{}", made.id), Default::default());
        }
    });
    view! {
        <div class="page-acts">
            {editor.is_known.then(|| view! {
                <button type="button" class="button" title="Copy the version that was saved last" disabled=copy.pending() on:click=move |_| drop(copy.dispatch(()))>"Copy"</button>
            })}
            <a class="button" href=at(format!("/api/v1/documents/{id}/export.json")) download="" rel="external" title="Take along the version that was saved last">"Export"</a>
            <button type="button" class="button danger" on:click=ask>"Delete"</button>
        </div>
        <Refusal act=copy lead="It was not copied: " />
        <DeleteDocument asked=deleting on_deleted=move |_| {
            editor.forget();
            to_list("/documents", Default::default());
        } />
    }
}
