//! A document that was exported is taken in: chosen as a file, or dropped on the page.

use std::time::Duration;

use leptos::{
    ev, html,
    prelude::*,
    web_sys::{DragEvent, File},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use protocol::document::DocumentId;
use serde::Deserialize;

use crate::{
    api, browser,
    components::icon::{Icon, IconName},
};

/// Takes files in, and leads to the document that was in one.
#[derive(Clone, Copy)]
pub struct Importer {
    /// Whether a file is being taken in.
    busy: RwSignal<bool>,
    /// Whether a file is held over the page.
    pub is_over: RwSignal<bool>,
    /// Why the last file was refused.
    problem: RwSignal<Option<String>>,
    go: Callback<DocumentId>,
}

impl Importer {
    /// One that says in `problem` why a file was refused.
    pub fn new(problem: RwSignal<Option<String>>) -> Self {
        let navigate = use_navigate();
        let go = Callback::new(move |id: DocumentId| {
            navigate(&format!("/documents/{id}"), NavigateOptions::default());
        });
        Self { busy: RwSignal::new(false), is_over: RwSignal::new(false), problem, go }
    }

    /// A file may be let go here.
    pub fn drag_over(self, event: &DragEvent) {
        event.prevent_default();
        self.is_over.set(true);
    }

    /// Nothing is held over the page any more.
    pub fn drag_leave(self, _: &DragEvent) {
        self.is_over.set(false);
    }

    /// Takes the file that was let go.
    pub fn drop(self, event: &DragEvent) {
        event.prevent_default();
        self.is_over.set(false);
        if let Some(file) = browser::dropped_file(event) {
            self.take(file, || {});
        }
    }

    fn take(self, file: File, then: impl FnOnce() + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        leptos::task::spawn_local(async move {
            let name = file.name();
            let sent = api::send_file("/api/v1/documents/import", "application/json", file, PATIENCE);
            let outcome: Result<Imported, _> = sent.await;
            then();
            self.busy.try_set(false);
            let refused = outcome.as_ref().err().map(|error| format!("“{name}” was not imported. {error}"));
            self.problem.try_set(refused);
            if let Ok(imported) = outcome {
                self.go.try_run(imported.summary.id);
            }
        });
    }
}

/// A button that asks for a file.
#[component]
pub fn ImportButton(importer: Importer) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let take = move |_: ev::Event| {
        let Some(input) = chooser.get_untracked() else { return };
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        // So that the same file can be chosen again.
        importer.take(file, move || input.set_value(""));
    };
    let choose = move |_| {
        if let Some(input) = chooser.get_untracked() {
            input.click();
        }
    };
    view! {
        <input type="file" node_ref=chooser accept=".json,application/json" hidden=true aria-label="File of a document" on:change=take />
        <button type="button" class="button import-act" disabled=importer.busy title="Take in a document that was exported; it can be dropped here as well" on:click=choose>
            <Icon name=IconName::Import />
            <span aria-live="polite">{move || if importer.busy.get() { "Importing …" } else { "Import" }}</span>
        </button>
    }
}

/// How long a file may take on its way.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is read of the answer: the new document's id.
#[derive(Deserialize)]
struct Imported {
    summary: ImportedSummary,
}

#[derive(Deserialize)]
struct ImportedSummary {
    id: DocumentId,
}
