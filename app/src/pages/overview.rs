//! What needs me, what runs, what came out; and the ways to start a run.

mod cards;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{ListedKind, ListedRun, ListedRuns, RunFilter, RunStatus};
use serde::{Deserialize, Serialize};

use self::cards::{RecentResults, RunningCards, WaitingCards};
use super::runs::list::use_list;
use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::ProblemNotice,
    },
    families,
    live::{ConnectionLabel, run_feed},
};

/// Recent runs that are read.
const RECENT: u32 = 50;

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    kinds: Vec<ListedKind>,
    runs: Vec<ListedRun>,
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

/// What people started: the runs that those have started stand on their pages.
fn list_filter() -> RunFilter {
    RunFilter { top: true, ..RunFilter::default() }
}

async fn read() -> Result<PageData, ApiError> {
    let kinds = api::listed_kinds().await?;
    let top = RunFilter { limit: Some(RECENT), ..list_filter() };
    let mut runs = api::listed_runs(top.clone()).await?.runs;
    // All that are under way, however old they are.
    for status in [RunStatus::Waiting, RunStatus::Running, RunStatus::Queued] {
        let filter = RunFilter { status: Some(status), ..top.clone() };
        runs.extend(api::listed_runs(filter).await?.runs);
    }
    Ok(PageData { kinds, runs })
}

#[component]
fn Overview(data: PageData) -> impl IntoView {
    let PageData { kinds, runs } = data;
    let list = use_list(list_filter(), ListedRuns { runs, more: false });
    view! {
        <div class="page overview">
            <header class="page-head">
                <h1>"Overview"</h1>
                <ConnectionLabel connection=run_feed().connection() />
            </header>
            <Starts kinds />
            <div class="overview-live">
                <WaitingCards list />
                <RunningCards list />
                <RecentResults list />
                {families::overview(list)}
            </div>
        </div>
    }
}

/// The kinds of workflow, each leading to the form that starts it.
#[component]
fn Starts(kinds: Vec<ListedKind>) -> impl IntoView {
    let kinds = kinds.into_iter().filter(|spec| !spec.only_below).map(|spec| {
        view! {
            <li>
                <a class="button" href=at(format!("/start?type={}", spec.kind)) title=spec.hint>
                    <Icon name=IconName::of_role(&spec.icon) />
                    {spec.label}
                </a>
            </li>
        }
    });
    view! {
        <section class="card starts" aria-labelledby="starts-heading">
            <header class="card-head">
                <h2 id="starts-heading">"Start a run"</h2>
                <a href=at("/start")>"All kinds"</a>
            </header>
            <ul class="start-kinds" role="list">{kinds.collect_view()}</ul>
        </section>
    }
}
