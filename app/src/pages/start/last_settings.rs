//! The form filled in as the last run of the chosen kind was.

use leptos::prelude::*;
use protocol::{ListedRun, RunFilter, RunSummary, WorkflowKind};

use super::draft::Draft;
use crate::api;

/// Runs of the kind that are looked at: of those that people started, the newest counts.
const LOOKED_AT: u32 = 20;

/// The button, where such a run is known; then what became of it.
#[component]
pub fn LastSettings(
    /// The form's values.
    draft: Draft,
    /// The chosen kind.
    kind: WorkflowKind,
    /// Recent runs, newest first.
    recent: Signal<Vec<ListedRun>>,
) -> impl IntoView {
    let of_kind = kind.clone();
    let is_known = Memo::new(move |_| {
        let is_own = |run: &ListedRun| {
            *run.kind() == of_kind && run.imported_from.is_none() && run.unreadable.is_none()
        };
        recent.with(|runs| runs.iter().any(is_own))
    });
    let fill = Action::new(move |kind: &WorkflowKind| {
        let kind = kind.clone();
        async move {
            let filter =
                RunFilter { kind: Some(kind.clone()), limit: Some(LOOKED_AT), ..RunFilter::default() };
            let runs = api::runs(filter).await?.runs;
            let Some(run) = runs.into_iter().find(was_started_here) else {
                return Ok("None of the newest runs was started from this form.".to_owned());
            };
            // Another kind may be chosen by now.
            if draft.kind.try_get_untracked().flatten() == Some(kind) {
                return Ok::<_, api::ApiError>(said(&run.title, &draft.fill(&run.request)));
            }
            Ok(String::new())
        }
    });
    let outcome = move || {
        fill.value().get().map(|outcome| match outcome {
            Ok(said) => said,
            Err(error) => format!("The last settings were not read. {error}"),
        })
    };
    view! {
        <div class="last-settings" hidden=move || !is_known.get()>
            <button
                type="button"
                class="button"
                aria-disabled=move || fill.pending().get().then_some("true")
                on:click=move |_| drop(fill.dispatch(kind.clone()))
            >
                "Use the last settings"
            </button>
            <span class="dim" role="status">{outcome}</span>
        </div>
    }
}

/// Whether a person of this account asked for the run: it was not imported, and no other run started it.
fn was_started_here(run: &RunSummary) -> bool {
    run.imported_from.is_none() && run.parent.is_none() && run.unreadable.is_none()
}

/// What was taken over, and what was not.
fn said(title: &str, left: &[String]) -> String {
    match left {
        [] => format!("As in “{title}”."),
        [one] => format!("As in “{title}”, except for “{one}”: what stood there is not offered any more."),
        several => {
            let names = several.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ");
            format!("As in “{title}”, except for {names}: what stood there is not offered any more.")
        }
    }
}
