//! The portfolios in short.

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    ListedRun, grouped,
    trading::{PortfolioSummary, Task},
};

use super::{api as own_api, portfolio::new_portfolio::NewPortfolio};
use crate::{
    base::at,
    components::{notice::ProblemNotice, table::Empty},
    pages::runs::list::RunList,
};

/// A card for each portfolio, and the act that opens another.
#[component]
pub fn PortfolioCards(list: RwSignal<RunList>) -> impl IntoView {
    let portfolios = Resource::new(|| (), |()| own_api::portfolios());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match portfolios.await {
                    Ok(portfolios) => view! { <Cards portfolios list /> }.into_any(),
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Cards(portfolios: Vec<PortfolioSummary>, list: RwSignal<RunList>) -> impl IntoView {
    let portfolios = RwSignal::new(portfolios);
    read_again_after_runs(portfolios, list);
    let none = Memo::new(move |_| portfolios.with(Vec::is_empty));
    view! {
        <section class="card" aria-labelledby="portfolios-heading">
            <header class="card-head">
                <h2 id="portfolios-heading">"Portfolios"</h2>
                <NewPortfolio />
            </header>
            <Show when=move || none.get()>
                <Empty title="There is no portfolio yet">
                    <p>
                        "A portfolio holds paper money. Portfolio runs decide what it buys and sells. "
                        "Open one to begin."
                    </p>
                </Empty>
            </Show>
            <ul class="portfolio-cards" role="list">
                {move || portfolios.get().into_iter().map(|portfolio| view! { <PortfolioCard portfolio /> }).collect_view()}
            </ul>
        </section>
    }
}

/// A portfolio run that ends may have traded.
fn read_again_after_runs(portfolios: RwSignal<Vec<PortfolioSummary>>, list: RwSignal<RunList>) {
    let has_traded =
        |run: &&ListedRun| run.status.is_over() && run.kind().as_str() == Task::PORTFOLIO;
    let ended = Memo::new(move |_| list.with(|list| list.newest_first().filter(has_traded).count()));
    Effect::new(move |before: Option<usize>| {
        let now = ended.get();
        if before.is_some_and(|before| before != now) {
            spawn_local(async move {
                if let Ok(newer) = own_api::portfolios().await {
                    portfolios.try_set(newer);
                }
            });
        }
        now
    });
}

#[component]
fn PortfolioCard(portfolio: PortfolioSummary) -> impl IntoView {
    let PortfolioSummary { id, name, cash, positions, .. } = portfolio;
    let held = match positions {
        0 => "no positions".to_owned(),
        1 => "1 position".to_owned(),
        many => format!("{many} positions"),
    };
    view! {
        <li class="portfolio-card">
            <a class="row-link" href=at(format!("/portfolios/{id}"))>{name}</a>
            <span class="dim">{held}</span>
            <span class="digits">{format!("${} cash", grouped(cash, 2))}</span>
            <a class="quiet-button above-row" href=at(format!("/start?type=portfolio&portfolio={id}"))>"New run"</a>
        </li>
    }
}
