//! What can be started, and the form that starts it.

mod form;
mod request;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{ListedRun, ListedRuns, RunFilter, StartOptions};
use serde::{Deserialize, Serialize};

use self::form::StartForm;
use super::runs::list::RunList;
use crate::{
    api::{self, ApiError},
    components::notice::ProblemNotice,
    live::{ConnectionLabel, run_feed},
};

/// Recent runs that are read: for the flows that a run can join.
const RECENT: u32 = 50;

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    options: StartOptions,
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
    let filter = RunFilter { limit: Some(RECENT), ..RunFilter::default() };
    Ok(PageData { options, recent: api::listed_runs(filter).await?.runs })
}

#[component]
fn Start(data: PageData) -> impl IntoView {
    let PageData { options, recent } = data;
    let list = RwSignal::new(RunList::new(RunFilter::default(), ListedRuns { runs: recent, more: false }));
    let feed = run_feed();
    feed.follow(move |run| {
        list.try_update(|list| list.take(run));
    });
    let recent = Memo::new(move |_| list.with(|list| list.newest_first().cloned().collect::<Vec<_>>()));
    view! {
        <div class="page start">
            <header class="page-head">
                <h1>"Start a run"</h1>
                <ConnectionLabel connection=feed.connection() />
            </header>
            <StartForm options recent />
        </div>
    }
}
