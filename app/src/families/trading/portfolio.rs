//! A paper portfolio: what it holds, what it is worth, what it trades and why.

mod allocation;
mod decision;
pub mod figures;
mod holdings;
mod lit;
mod money;
pub mod new_portfolio;
mod orders;
mod risk;
mod rules;
mod starting_table;
mod trades;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;
use protocol::{
    Problem, RunFilter, RunSummary,
    trading::{PortfolioId, PortfolioSummary, PortfolioView, Side, Task},
};
use serde::{Deserialize, Serialize};

use self::{
    allocation::Allocation,
    decision::{FollowDecision, Orders, is_about, works_on},
    figures::Figures,
    holdings::Holdings,
    money::RulesAndMoney,
    new_portfolio::NewPortfolio,
    orders::LiveDecision,
    risk::Risk,
    trades::Trades,
};
use super::{api as own_api, chart::ValueChart, lessons::LESSONS, prices::PRICES};
use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        icon::{Icon, IconName},
        later::{Later, once_alive},
        notice::ProblemNotice,
    },
    format,
    live::{ConnectionLabel, OldSince, RunNews, run_feed, use_feed},
};

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    portfolio: PortfolioView,
    all: Vec<PortfolioSummary>,
    at_work: Option<RunSummary>,
}

/// The page of one portfolio.
#[component]
pub fn PortfolioPage(
    /// The portfolio's id, as the address names it.
    id: Signal<String>,
) -> impl IntoView {
    let data = Resource::new(move || id.get(), read);
    view! {
        <Transition fallback=|| view! { <p class="loading">"Loading the portfolio …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <Title text="Portfolio" /> <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Board data /> }.into_any(),
                }
            })}
        </Transition>
    }
}

async fn read(id: String) -> Result<PageData, ApiError> {
    let id: PortfolioId = id.parse().map_err(|_| {
        api::set_status(404);
        ApiError(Problem::not_found("There is no portfolio at this address. Choose one from the overview."))
    })?;
    let portfolio = own_api::portfolio(id.clone(), None).await?;
    let all = own_api::portfolios().await?;
    let at_work = newest_runs().await?.into_iter().find(|run| works_on(run, &id));
    Ok(PageData { portfolio, all, at_work })
}

async fn newest_runs() -> Result<Vec<RunSummary>, ApiError> {
    let filter = RunFilter { kind: Task::PORTFOLIO.parse().ok(), limit: Some(20), ..RunFilter::default() };
    Ok(api::runs(filter).await?.runs)
}

#[component]
fn Board(data: PageData) -> impl IntoView {
    let PageData { portfolio, all, at_work } = data;
    let id = StoredValue::new(portfolio.id.clone());
    let title = portfolio.name.clone();
    let view = RwSignal::new(portfolio);
    let connection = {
        let path = format!("/ws/v1/portfolios/{}", id.get_value());
        let read = |text: &str| serde_json::from_str::<PortfolioView>(text).ok();
        use_feed(path, read, move |views| views.into_iter().for_each(|newer| take_newer(view, newer)))
    };

    // The run that works on this portfolio, if one does.
    let active = RwSignal::new(at_work);
    run_feed().follow(move |news| {
        // Only what is over can be deleted, and that is no longer at work here.
        let RunNews::Stands(told) = news else { return };
        let Some(run) = told.read::<RunSummary>() else { return };
        let concerns = id.try_with_value(|id| is_about(&run, id)).unwrap_or(false);
        if concerns {
            active.try_update(|active| follow_run(active, run));
        }
    });
    let at_work = Memo::new(move |_| active.with(|active| active.as_ref().map(|run| run.run)));
    let decision = RwSignal::new(None::<LiveDecision>);

    // Rows that appear after the first drawing are news.
    let (settled, set_settled) = signal(false);
    Effect::new(move || {
        once_alive(move || {
            set_settled.try_set(true);
        });
    });

    let history = Memo::new(move |_| view.with(|view| view.history.clone()));
    let trades = Memo::new(move |_| view.with(|view| view.trades.clone()));
    view! {
        <Title text=title.clone() />
        <div class="page portfolio">
            <header class="portfolio-head">
                <div class="portfolio-name">
                    <p class="dim">{move || view.with(as_of)} " · " <ConnectionLabel connection /></p>
                    <div class="portfolio-title">
                        <Heading all current=id.get_value() name=title />
                        <ActivePill active decision />
                        <Later><NewPortfolio quiet=true /></Later>
                    </div>
                </div>
                <Later><Figures view /></Later>
                <div class="portfolio-acts">
                    <a class="quiet-button" href=at(LESSONS)>"Lessons"</a>
                    <a class="quiet-button" href=at(PRICES)>"Own prices"</a>
                    <a class="button primary" href=at(format!("/start?type=portfolio&portfolio={}", id.get_value()))>"New portfolio run"</a>
                </div>
            </header>
            <FollowDecision at_work decision />
            <div class="portfolio-main">
                <Later><ValueChart history trades /></Later>
                <Later><Holdings view settled /></Later>
            </div>
            <div class="portfolio-side">
                <Later><Orders view at_work decision /></Later>
                <Risk view />
                <Later><Allocation view settled /> <Trades view settled /></Later>
                <Later><RulesAndMoney view on_change=move |newer| take_newer(view, newer) /></Later>
            </div>
        </div>
    }
}

/// A feed may repeat an older state after it reconnects.
fn take_newer(view: RwSignal<PortfolioView>, newer: PortfolioView) {
    let is_news = view.try_with_untracked(|view| {
        (newer.entries, newer.as_of) >= (view.entries, view.as_of) && newer != *view
    });
    if is_news == Some(true) {
        view.try_set(newer);
    }
}

/// A run that begins takes the place of the one before; one that ends leaves it.
fn follow_run(active: &mut Option<RunSummary>, run: RunSummary) {
    let is_same = active.as_ref().is_some_and(|known| known.run == run.run);
    match (run.status.is_over(), is_same) {
        (true, true) => *active = None,
        (false, true) if active.as_ref().is_some_and(|known| known.seq > run.seq) => {}
        (false, _) => *active = Some(run),
        (true, false) => {}
    }
}

/// `Portfolio · as of 28 Dec 2022`, and whether own prices value it.
fn as_of(view: &PortfolioView) -> String {
    let own = if view.price_table.is_some() { " · at own prices" } else { "" };
    match view.as_of {
        Some(day) => format!("Portfolio · as of {}{own}", format::day(day)),
        None => "Portfolio · not valued yet".to_owned(),
    }
}

/// What the run at work does now; leads to it.
#[component]
fn ActivePill(
    active: RwSignal<Option<RunSummary>>,
    decision: RwSignal<Option<LiveDecision>>,
) -> impl IntoView {
    let run = Memo::new(move |_| active.with(|active| active.as_ref().map(|run| run.run)));
    let words = Memo::new(move |_| {
        let of_run = || active.with(|active| active.as_ref().map(LiveDecision::of_summary));
        let decided = decision.get().filter(|decision| decision.orders.is_some());
        decided.or_else(of_run).map(|decision| decision.headline())
    });
    let (is_old, remark) = (OldSince::is_old(), OldSince::remark());
    let class = move || if is_old() { "pill tone-quiet" } else { "pill tone-live" };
    move || {
        run.get().map(|run| {
            view! {
                <a class=class href=at(format!("/runs/{run}"))>
                    <Icon name=IconName::CircleDot />
                    <span aria-live="polite">{words}{remark}</span>
                </a>
            }
        })
    }
}

/// The portfolio's name; where there are several, the way to the others.
#[component]
fn Heading(all: Vec<PortfolioSummary>, current: PortfolioId, name: String) -> impl IntoView {
    let navigate = use_navigate();
    let go =
        move |event| navigate(&format!("/portfolios/{}", event_target_value(&event)), Default::default());
    let has_others = all.len() > 1;
    view! {
        <h1 class=if has_others { "visually-hidden" } else { "" }>{name}</h1>
        {has_others.then(|| view! {
            <select class="bare-select portfolio-select" aria-label="Portfolio" on:change=go>
                {all.into_iter().map(|portfolio| {
                    let selected = portfolio.id == current;
                    view! { <option value=portfolio.id.to_string() selected=selected>{portfolio.name}</option> }
                }).collect_view()}
            </select>
        })}
    }
}

/// Buy or sell, as a word in a frame of its colour.
#[component]
pub fn SideTag(side: Side) -> impl IntoView {
    let class = match side {
        Side::Buy => "side-tag buy",
        Side::Sell => "side-tag sell",
    };
    view! { <span class=class>{side.to_string()}</span> }
}
