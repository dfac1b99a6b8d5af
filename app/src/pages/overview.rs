//! What needs me, what runs, what came out; and the form that starts a run.

mod cards;
mod portfolios;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{RunFilter, RunPage, RunStatus, RunSummary};

use self::{
    cards::{RecentResults, RunningCards, WaitingCards},
    portfolios::PortfolioCards,
};
use super::runs::{catch_up, list::RunList};
use crate::{
    api::{self, ApiError},
    components::{notice::ProblemNotice, start_form::StartForm},
    live::{ConnectionLabel, use_feed},
};

/// Recent runs that are read: for the results and for the flows that a run can join.
const RECENT: u32 = 50;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let options = Resource::new(|| (), |()| api::start_options());
    let runs = Resource::new(|| (), |()| runs_of_interest());
    let list = RwSignal::new(RunList::new(RunFilter::default(), RunPage::default()));
    let take = move |run: RunSummary| {
        list.try_update(|list| list.take(run));
    };
    let connection = use_feed::<RunSummary>("/ws/v1/feed", take);
    catch_up(connection, runs_of_interest, take);
    let recent = Memo::new(move |_| list.with(|list| list.newest_first().cloned().collect::<Vec<_>>()));

    view! {
        <Title text="" />
        <div class="page overview">
            <header class="page-head">
                <h1>"Overview"</h1>
                <ConnectionLabel connection />
            </header>
            <div class="overview-start">
                <Suspense fallback=|| view! { <p class="loading">"Loading the form …"</p> }>
                    {move || Suspend::new(async move {
                        match options.await {
                            Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                            Ok(options) => view! { <StartForm options recent /> }.into_any(),
                        }
                    })}
                </Suspense>
            </div>
            <div class="overview-live">
                <Suspense fallback=|| view! { <p class="loading">"Loading the runs …"</p> }>
                    {move || Suspend::new(async move {
                        match runs.await {
                            Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                            Ok(page) => {
                                list.update(|list| page.runs.into_iter().for_each(|run| list.take(run)));
                                view! {
                                    <WaitingCards list />
                                    <RunningCards list />
                                    <RecentResults list />
                                }.into_any()
                            }
                        }
                    })}
                </Suspense>
                <PortfolioCards />
            </div>
        </div>
    }
}

/// The newest runs, and all that are under way however old they are.
async fn runs_of_interest() -> Result<RunPage, ApiError> {
    let mut runs = api::runs(RunFilter { limit: Some(RECENT), ..RunFilter::default() }).await?.runs;
    for status in [RunStatus::Waiting, RunStatus::Running, RunStatus::Queued] {
        let filter = RunFilter { status: Some(status), limit: Some(RECENT), ..RunFilter::default() };
        runs.extend(api::runs(filter).await?.runs);
    }
    Ok(RunPage { runs, more: false })
}
