//! What can be started, and the form that starts it.

mod as_request;
mod draft;
mod estimate;
mod flow;
mod form;
mod last_settings;
mod models;
mod picker;
mod remarks;
mod request;
mod sample;

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{ListedRun, ListedRuns, ModelProfile, RunFilter, StartOptions};
use serde::{Deserialize, Serialize};

use self::form::StartForm;
use super::runs::list::use_list;
use crate::{
    api::{self, ApiError},
    components::{
        import::Importer,
        notice::{FormError, ProblemNotice},
    },
    live::{ConnectionLabel, run_feed},
};

/// Recent runs that are read: for the flows that a run can join.
const RECENT: u32 = 50;

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    options: StartOptions,
    models: Vec<ModelProfile>,
    recent: Vec<ListedRun>,
}

/// The page.
#[component]
pub fn StartPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| read());
    view! {
        <Title text="Start a run" />
        <Suspense fallback=|| view! { <p class="loading">"Loading what can be started …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Start data /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn read() -> Result<PageData, ApiError> {
    let options = api::start_options().await?;
    // Without what is known of them the models can be chosen by their names; who may start nothing is not told.
    let models = if options.configured_model.is_some() || !options.profiles.is_empty() {
        api::models().await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let filter = RunFilter { limit: Some(RECENT), top: true, ..RunFilter::default() };
    Ok(PageData { options, models, recent: api::listed_runs(filter).await?.runs })
}

#[component]
fn Start(data: PageData) -> impl IntoView {
    let PageData { options, models, recent } = data;
    let extent = extent(&options);
    let list = use_list(RunFilter::default(), ListedRuns { runs: recent, more: false });
    let recent = Memo::new(move |_| list.with(|list| list.newest_first().cloned().collect::<Vec<_>>()));
    let problem = RwSignal::new(None::<String>);
    let importer = Importer::new(problem, None);
    view! {
        <div class="page start" class:dropping=importer.is_over on:dragover=move |event| importer.drag_over(&event) on:dragleave=move |event| importer.drag_leave(&event) on:drop=move |event| importer.drop(&event)>
            <header class="page-head start-head">
                <h1>"Start a run"</h1>
                <p class="dim">{extent}</p>
                <ConnectionLabel connection=run_feed().connection() />
            </header>
            <FormError text=problem />
            <StartForm options profiles=models recent importer />
        </div>
    }
}

/// `15 kinds in 5 families.`
fn extent(options: &StartOptions) -> String {
    let families: BTreeSet<&str> = options.kinds.iter().map(|kind| kind.spec.family.as_str()).collect();
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let kinds = counted(options.kinds.len(), "kind", "kinds");
    format!("{kinds} in {}.", counted(families.len(), "family", "families"))
}
