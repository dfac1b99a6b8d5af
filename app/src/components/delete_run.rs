//! Deleting a run, after it was asked whether that is meant.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::RunId;

use super::{dialog::Modal, notice::Refusal};
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
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(asked.with(Option::is_some)));
    Effect::new(move |_| {
        if !open.get() && asked.with_untracked(Option::is_some) {
            asked.set(None);
        }
    });
    let delete = Action::new(move |run: &RunId| {
        let run = *run;
        async move {
            api::delete_run(run).await?;
            asked.try_set(None);
            on_deleted.run(run);
            Ok::<(), api::ApiError>(())
        }
    });
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some((run, _)) = asked.get_untracked() {
            delete.dispatch(run);
        }
    };
    let title =
        move || asked.with(|asked| asked.as_ref().map(|(_, title)| title.clone())).unwrap_or_default();
    view! {
        <Modal open id="delete-run" title="Delete this run?".to_owned()>
            <p><strong>{title}</strong></p>
            <p>
                "Its whole log goes for good: answers, prompts, tool calls and questions, and the links that share it. "
                "Export it first if somebody may want to read it again."
            </p>
            <p class="dim">
                "What it traded stays in its portfolio, what it used still counts for the account, and runs that "
                "continue it keep what they took over."
            </p>
            <form class="dialog-form" on:submit=confirm>
                <Refusal act=delete lead="It was not deleted: " />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Keep it"</button>
                    <button type="submit" class="button danger" disabled=delete.pending()>"Delete the run"</button>
                </div>
            </form>
        </Modal>
    }
}
