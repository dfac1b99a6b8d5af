//! A run that was exported elsewhere is taken in.

use std::time::Duration;

use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::RunAccepted;

use crate::{
    api,
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
            let sent = api::send_file("/api/v1/runs/import", "application/x-ndjson", file, PATIENCE);
            let outcome: Result<RunAccepted, _> = sent.await;
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
const PATIENCE: Duration = Duration::from_secs(600);
