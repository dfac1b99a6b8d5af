//! The decision in hand: that of a run at work, or else the last one.

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    RunId, RunSummary, RunView,
    trading::{PortfolioId, PortfolioView, Task},
};

use super::orders::{Fetched, LiveDecision, OrderLine, OrderList, is_of_decision, of_portfolio};
use crate::{
    api, base::at, components::table::Empty, families::trading::decision::DECISIONS, format, live::use_run,
};

/// Whether a run is at work on this portfolio.
pub fn works_on(run: &RunSummary, portfolio: &PortfolioId) -> bool {
    !run.status.is_over() && is_about(run, portfolio)
}

/// Whether a run is about this portfolio.
pub fn is_about(run: &RunSummary, portfolio: &PortfolioId) -> bool {
    let workflow = &run.request.workflow;
    workflow.kind().as_str() == Task::PORTFOLIO && workflow.text("portfolio") == Some(portfolio.as_str())
}

/// Follows the run `at_work` in the browser and keeps what it decides in `decision`.
#[component]
pub fn FollowDecision(
    at_work: Memo<Option<RunId>>,
    decision: RwSignal<Option<LiveDecision>>,
) -> impl IntoView {
    let read = RwSignal::new(None::<RunView>);
    Effect::new(move || {
        // Whatever was followed before is of another decision.
        read.set(None);
        decision.set(None);
        let Some(run) = at_work.get() else { return };
        spawn_local(async move {
            if let Ok(view) = api::run(run).await {
                read.try_set(Some(view));
            }
        });
    });
    move || read.get().map(|view| view! { <Follow view decision /> })
}

#[component]
fn Follow(view: RunView, decision: RwSignal<Option<LiveDecision>>) -> impl IntoView {
    let run = use_run(view, true);
    let id = run.view.with_untracked(|view| view.summary.run);
    let products = Memo::new(move |_| run.view.with(|view| view.products.clone()));
    let fetched = RwSignal::new(Fetched::default());
    Effect::new(move || {
        for product in products.get() {
            let Some(digest) = product.data.stored().cloned() else { continue };
            if !is_of_decision(&product) || fetched.with_untracked(|fetched| fetched.contains_key(&digest)) {
                continue;
            }
            spawn_local(async move {
                if let Ok(text) = api::text(id, digest.clone()).await {
                    fetched.try_update(|fetched| fetched.insert(digest, text));
                }
            });
        }
    });
    let now = Memo::new(move |_| fetched.with(|fetched| run.view.with(|view| LiveDecision::new(view, fetched))));
    Effect::new(move || drop(decision.try_set(Some(now.get()))));
}

/// The orders and what became of each.
#[component]
pub fn Orders(
    view: RwSignal<PortfolioView>,
    at_work: Memo<Option<RunId>>,
    decision: RwSignal<Option<LiveDecision>>,
) -> impl IntoView {
    let last = Memo::new(move |_| view.with(of_portfolio));
    let decided_by = Memo::new(move |_| {
        at_work.get().or_else(|| view.with(|view| view.last_decision.as_ref().and_then(|it| it.run)))
    });
    let heading = move || {
        if at_work.get().is_some() { "Orders of this decision" } else { "Orders of the last decision" }
    };
    let day = move || {
        let last_day = || last.with(|(day, _)| *day).map(|day| format!("of {}", format::day(day)));
        if at_work.get().is_some() {
            decision.with(|decision| decision.as_ref().map(LiveDecision::headline))
        } else {
            last_day()
        }
    };
    let to_come = Memo::new(move |_| {
        at_work.get().is_some() && decision.with(|it| it.as_ref().is_none_or(|it| it.orders.is_none()))
    });
    let lines = Memo::new(move |_| -> Vec<OrderLine> {
        match at_work.get() {
            Some(_) => decision.with(|decision| decision.as_ref()?.orders.clone()).unwrap_or_default(),
            None => last.with(|(_, lines)| lines.clone()),
        }
    });
    view! {
        <section class="card" aria-labelledby="orders-heading">
            <header class="card-head">
                <h2 id="orders-heading">{heading}</h2>
                <span class="dim">{day}</span>
                {move || decided_by.get().map(|run| view! {
                    <a href=at(format!("{DECISIONS}/{run}"))>"Why"</a>
                })}
            </header>
            {move || match (to_come.get(), lines.get()) {
                (true, _) => view! { <p class="quiet">"A run is at work on this portfolio. Its orders stand here as soon as it has decided."</p> }.into_any(),
                (false, lines) if lines.is_empty() => view! {
                    <Empty title="No orders">
                        <p>"The orders of a portfolio run stand here: what was filled, what was rejected and every reason why."</p>
                    </Empty>
                }.into_any(),
                (false, lines) => view! { <OrderList orders=lines /> }.into_any(),
            }}
        </section>
    }
}
