//! A document that was exported is taken in: chosen as a file, or dropped on the page.

#[cfg(feature = "hydrate")]
use std::time::Duration;

use leptos::{
    ev, html,
    prelude::*,
    web_sys::{DragEvent, File},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use protocol::document::DocumentId;

use crate::{
    api::ApiError,
    browser,
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
            let outcome = send(file).await;
            then();
            self.busy.try_set(false);
            let refused = outcome.as_ref().err().map(|error| format!("“{name}” was not imported. {error}"));
            self.problem.try_set(refused);
            if let Ok(id) = outcome {
                self.go.try_run(id);
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
#[cfg(feature = "hydrate")]
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends the file as it is; it may be larger than what a call of the pages may carry.
#[cfg(feature = "hydrate")]
async fn send(file: File) -> Result<DocumentId, ApiError> {
    use gloo_net::http::Request;
    use leptos::wasm_bindgen::JsValue;
    use protocol::{Problem, SERVER_TIME};

    use crate::api::caller::{broken_off, own, unreachable, within};

    /// What is read of the answer.
    #[derive(serde::Deserialize)]
    struct Imported {
        summary: Summary,
    }

    #[derive(serde::Deserialize)]
    struct Summary {
        id: DocumentId,
    }

    within(PATIENCE, async {
        let request = Request::post(&crate::base::at("/api/v1/documents/import"))
            .header("content-type", "application/json");
        let request = request.body(JsValue::from(file)).map_err(|_| unreachable())?;
        let response = request.send().await.map_err(|_| unreachable())?;
        let is_marked = response.headers().get(SERVER_TIME).is_some();
        let text = response.text().await.map_err(|_| broken_off())?;
        own(response.status(), is_marked, text.as_bytes())?;
        let unreadable =
            || Problem { status: response.status(), detail: "The server's answer cannot be read.".into() };
        if response.ok() {
            let imported: Imported = serde_json::from_str(&text).map_err(|_| ApiError(unreadable()))?;
            return Ok(imported.summary.id);
        }
        Err(ApiError(serde_json::from_str(&text).unwrap_or_else(|_| unreadable())))
    })
    .await
}

/// Files are sent from a browser only.
#[cfg(not(feature = "hydrate"))]
async fn send(_: File) -> Result<DocumentId, ApiError> {
    Err(ApiError(protocol::Problem::internal("Files can be sent from a browser only.")))
}
