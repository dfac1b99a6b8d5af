//! What needs me, what runs, what came out; and the form that starts a run.

mod cards;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{RunFilter, RunPage, RunStatus, RunSummary, StartOptions};
use serde::{Deserialize, Serialize};

use self::cards::{RecentResults, RunningCards, WaitingCards};
use super::runs::list::RunList;
use crate::{
    api::{self, ApiError},
    components::{notice::ProblemNotice, start_form::StartForm},
    families,
    live::{ConnectionLabel, run_feed},
};

/// Recent runs that are read: for the results and for the flows that a run can join.
const RECENT: u32 = 50;

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    options: StartOptions,
    runs: Vec<RunSummary>,
}

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| read());
    view! {
        <Title text="" />
        <Suspense fallback=|| view! { <p class="loading">"Loading the overview …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Overview data /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn read() -> Result<PageData, ApiError> {
    let options = api::start_options().await?;
    let mut runs = api::runs(RunFilter { limit: Some(RECENT), ..RunFilter::default() }).await?.runs;
    // All that are under way, however old they are.
    for status in [RunStatus::Waiting, RunStatus::Running, RunStatus::Queued] {
        let filter = RunFilter { status: Some(status), limit: Some(RECENT), ..RunFilter::default() };
        runs.extend(api::runs(filter).await?.runs);
    }
    Ok(PageData { options, runs })
}

#[component]
fn Overview(data: PageData) -> impl IntoView {
    let PageData { options, runs } = data;
    let list = RwSignal::new(RunList::new(RunFilter::default(), RunPage { runs, more: false }));
    let feed = run_feed();
    feed.follow(move |run| {
        list.try_update(|list| list.take(run));
    });
    let recent = Memo::new(move |_| list.with(|list| list.newest_first().cloned().collect::<Vec<_>>()));
    view! {
        <div class="page overview">
            <header class="page-head">
                <h1>"Overview"</h1>
                <ConnectionLabel connection=feed.connection() />
            </header>
            <StartForm options recent />
            <div class="overview-live">
                <WaitingCards list />
                <RunningCards list />
                <RecentResults list />
                {families::overview(list)}
            </div>
        </div>
    }
}
