//! A run that was exported elsewhere is taken in.

#[cfg(feature = "hydrate")]
use std::time::Duration;

use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::RunAccepted;

use crate::{
    api::ApiError,
    components::icon::{Icon, IconName},
};

/// A button that asks for a file, and leads to the run that was in it.
#[component]
pub fn ImportButton(
    /// Why the last file was refused.
    problem: RwSignal<Option<String>>,
) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let busy = RwSignal::new(false);
    let navigate = use_navigate();
    let take = move |_: ev::Event| {
        let Some(input) = chooser.get_untracked() else { return };
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        let navigate = navigate.clone();
        busy.set(true);
        leptos::task::spawn_local(async move {
            let name = file.name();
            let outcome = send(file).await;
            // So that the same file can be chosen again.
            input.set_value("");
            busy.try_set(false);
            problem
                .try_set(outcome.as_ref().err().map(|error| format!("“{name}” was not imported. {error}")));
            if let Ok(accepted) = outcome {
                navigate(&format!("/runs/{}", accepted.run), Default::default());
            }
        });
    };
    let choose = move |_| {
        if let Some(input) = chooser.get_untracked() {
            input.click();
        }
    };
    view! {
        <input
            type="file"
            node_ref=chooser
            accept=".jsonl,application/x-ndjson"
            hidden=true
            aria-label="File of a run"
            on:change=take
        />
        <button type="button" class="button import-act" disabled=busy title="Take in a run that was exported as JSON Lines" on:click=choose>
            <Icon name=IconName::Import />
            <span aria-live="polite">{move || if busy.get() { "Importing …" } else { "Import" }}</span>
        </button>
    }
}

/// How long a file may take on its way. It may be large and the line slow.
#[cfg(feature = "hydrate")]
const PATIENCE: Duration = Duration::from_secs(600);

/// Sends the file as it is; it may be larger than what a call of the pages may carry.
#[cfg(feature = "hydrate")]
async fn send(file: leptos::web_sys::File) -> Result<RunAccepted, ApiError> {
    use gloo_net::http::Request;
    use leptos::wasm_bindgen::JsValue;
    use protocol::{Problem, SERVER_TIME};

    use crate::api::caller::{broken_off, own, unreachable, within};

    within(PATIENCE, async {
        let request = Request::post(&crate::base::at("/api/v1/runs/import"))
            .header("content-type", "application/x-ndjson");
        let request = request.body(JsValue::from(file)).map_err(|_| unreachable())?;
        let response = request.send().await.map_err(|_| unreachable())?;
        let is_marked = response.headers().get(SERVER_TIME).is_some();
        let text = response.text().await.map_err(|_| broken_off())?;
        own(response.status(), is_marked, text.as_bytes())?;
        let unreadable =
            || Problem { status: response.status(), detail: "The server's answer cannot be read.".into() };
        if response.ok() {
            return serde_json::from_str(&text).map_err(|_| ApiError(unreadable()));
        }
        Err(ApiError(serde_json::from_str(&text).unwrap_or_else(|_| unreadable())))
    })
    .await
}

/// Files are chosen in a browser only.
#[cfg(not(feature = "hydrate"))]
async fn send(_: leptos::web_sys::File) -> Result<RunAccepted, ApiError> {
    Err(ApiError(protocol::Problem::internal("Files can be sent from a browser only.")))
}
