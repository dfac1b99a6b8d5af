//! Deleting a run.

use leptos::prelude::*;
use protocol::RunId;

use super::delete::ConfirmDeletion;
use crate::api;

/// Asks before a run is deleted. The run that it asks about, with its title, opens it.
#[component]
pub fn DeleteDialog(
    /// The run, while it is asked about.
    asked: RwSignal<Option<(RunId, String)>>,
    /// Told once it is gone.
    #[prop(into)]
    on_deleted: Callback<RunId>,
) -> impl IntoView {
    view! {
        <ConfirmDeletion asked noun="run" id="delete-run" delete=api::delete_run on_deleted>
            <p>
                "Its whole log goes for good: answers, prompts, tool calls and questions, and the links that share it. "
                "Export it first if somebody may want to read it again."
            </p>
            <p class="dim">
                "What it did beside its log stays, what it used still counts for the account, and runs that continue it "
                "keep what they took over."
            </p>
        </ConfirmDeletion>
    }
}
