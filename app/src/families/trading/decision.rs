//! The page of a decision: what the manager was told, what was decided, and what became of each order and why.

mod told;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    Decimal, Problem, RunId, grouped,
    trading::{DecidedOrder, Decision, DecisionReport, OrderEnd, Side},
};

use self::told::Told;
use super::{
    api as own_api,
    news::read_after,
    portfolio::{SideTag, figures::{signed_usd, usd}},
    ticker::TickerLink,
};
use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        icon::IconName,
        notice::ProblemNotice,
        status::{RunPill, Sign, SignLabel, Tone},
        table::{Empty, gain_class},
    },
    format,
    live::RunNews,
    markdown::Markdown,
};

/// The address that decisions are below.
pub const DECISIONS: &str = "/decisions";

/// The page of one decision.
#[component]
pub fn DecisionPage(
    /// The run that decides, as the address names it.
    id: Signal<String>,
) -> impl IntoView {
    let data = Resource::new(move || id.get(), read);
    view! {
        <Transition fallback=|| view! { <p class="loading">"Loading the decision …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <Title text="Decision" /> <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(report) => view! { <Board report /> }.into_any(),
                }
            })}
        </Transition>
    }
}

async fn read(id: String) -> Result<DecisionReport, ApiError> {
    let run: RunId = id.parse().map_err(|_| {
        api::set_status(404);
        ApiError(Problem::not_found("There is no decision at this address. Choose a portfolio's run from the runs."))
    })?;
    own_api::decision(run).await
}

#[component]
fn Board(report: DecisionReport) -> impl IntoView {
    let run = report.run.run;
    let portfolio = report.portfolio.clone();
    let title = format!("Decision · {portfolio} · {}", format::day(report.date));
    let report = RwSignal::new(report);
    follow(run, report);
    view! {
        <Title text=title.clone() />
        <div class="page decision-page">
            <header class="ticker-head">
                <div class="ticker-name">
                    <p class="dim">
                        <a href=at(format!("/portfolios/{portfolio}"))>{portfolio.to_string()}</a>
                        " › "
                        <a href=at(format!("/runs/{run}"))>"The run, step by step"</a>
                    </p>
                    <div class="ticker-title">
                        <h1>{title}</h1>
                        {move || report.with(|report| view! { <RunPill status=report.run.status phase=report.run.phase.clone() /> })}
                    </div>
                </div>
            </header>
            {move || report.with(|report| report.run.error.clone().map(|error| view! {
                <p class="backtest-error tone-failed" role="status">{error}</p>
            }))}
            <div class="decision-main">
                <Decided report />
                <Orders report />
            </div>
            {move || report.with(|report| view! { <Told report=report.clone() /> })}
        </div>
    }
}

/// Asks for what is new until the run is over, but not with each of its events.
fn follow(run: RunId, report: RwSignal<DecisionReport>) {
    let concerns = move |news: &RunNews| {
        let is_over = report.try_with_untracked(|report| report.run.status.is_over());
        news.run() == run && is_over == Some(false)
    };
    read_after(concerns, move || async move {
        if let Ok(newer) = own_api::decision(run).await
            && report.try_with_untracked(|known| newer.run.seq > known.run.seq) == Some(true)
        {
            report.try_set(newer);
        }
    });
}

/// What was decided, with the reasons for the whole.
#[component]
fn Decided(report: RwSignal<DecisionReport>) -> impl IntoView {
    let decision = Memo::new(move |_| report.with(|report| report.decision.clone()));
    view! {
        <section class="card" aria-labelledby="decided-heading">
            <header class="card-head">
                <h2 id="decided-heading">"What was decided"</h2>
                <span class="dim">{move || decision.with(|it| it.as_ref().map(|it| format!("{} · {} confidence", it.regime, it.confidence)))}</span>
            </header>
            {move || match decision.get() {
                Some(decision) => view! { <Reasons decision /> }.into_any(),
                None => view! {
                    <Empty title=if report.with(|report| report.run.status.is_over()) { "The run ended without a decision" } else { "Nothing is decided yet" }>
                        <p>"Reasons, risks and orders stand here once the manager has decided."</p>
                    </Empty>
                }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Reasons(decision: Decision) -> impl IntoView {
    let headline = decision.headline();
    let has_risks = !decision.risk_summary.trim().is_empty();
    let holds = decision.holds.into_iter().map(|hold| {
        view! {
            <li>
                <div class="order-line"><span class="side-tag">"HOLD"</span><TickerLink ticker=hold.ticker /></div>
                <p class="order-reason dim">{hold.rationale}</p>
            </li>
        }
    });
    let holds: Vec<_> = holds.collect();
    view! {
        <p><strong>{headline}</strong></p>
        <Markdown text=decision.thesis.as_str() />
        {has_risks.then(|| view! { <h3>"Risks"</h3> <Markdown text=decision.risk_summary.as_str() /> })}
        {(!holds.is_empty()).then(|| view! { <h3>"Kept"</h3> <ul class="order-list" role="list">{holds}</ul> })}
    }
}

/// Each order, what became of it, and why.
#[component]
fn Orders(report: RwSignal<DecisionReport>) -> impl IntoView {
    let orders = Memo::new(move |_| report.with(|report| report.orders.clone()));
    let is_over = Memo::new(move |_| report.with(|report| report.run.status.is_over()));
    let remark = move || {
        orders.with(|orders| {
            let count = |wanted: fn(&OrderEnd) -> bool| {
                orders.iter().filter(|order| order.end.as_ref().is_some_and(wanted)).count()
            };
            let filled = count(|end| matches!(end, OrderEnd::Filled { .. }));
            let refused = count(|end| matches!(end, OrderEnd::Rejected { .. }));
            let waiting = count(|end| matches!(end, OrderEnd::Waits));
            let waiting = if waiting > 0 { format!(", {waiting} waiting") } else { String::new() };
            (!orders.is_empty()).then(|| format!("{filled} filled, {refused} rejected{waiting}"))
        })
    };
    view! {
        <section class="card" aria-labelledby="orders-heading">
            <header class="card-head">
                <h2 id="orders-heading">"What became of each order"</h2>
                <span class="dim">{remark}</span>
            </header>
            {move || if orders.with(Vec::is_empty) {
                view! { <Empty title="No orders"><p>"A decision without orders changes nothing: what is held stays as it is."</p></Empty> }.into_any()
            } else {
                let rows = orders.get().into_iter().map(|order| view! { <OrderRow order is_over=is_over.get() /> });
                view! { <ul class="order-list" role="list">{rows.collect_view()}</ul> }.into_any()
            }}
        </section>
    }
}

#[component]
fn OrderRow(order: DecidedOrder, is_over: bool) -> impl IntoView {
    let DecidedOrder { order, end } = order;
    let sign = |icon, word, tone| Sign { icon, word, tone };
    let (sign, price, why): (Sign, Option<Decimal>, AnyView) = match end {
        None if is_over => (
            sign(IconName::Skip, "not executed", Tone::Quiet),
            None,
            view! { <p class="refusals">"The run ended before its turn."</p> }.into_any(),
        ),
        None => (sign(IconName::CircleDot, "to come", Tone::Live), None, ().into_any()),
        Some(OrderEnd::Waits) => (
            sign(IconName::CircleDot, "waits for a price", Tone::Live),
            None,
            view! { <p class="refusals">"It is filled at the first price after the day of the decision."</p> }.into_any(),
        ),
        Some(OrderEnd::Rejected { date, price, reasons }) => {
            let reasons = reasons.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view();
            let on = format!("Refused at the prices of {}:", format::day(date));
            let why = view! { <p class="refusals">{on}</p> <ul class="refusals">{reasons}</ul> };
            (sign(IconName::Cross, "rejected", Tone::Failed), price, why.into_any())
        }
        Some(OrderEnd::Filled { trade }) => {
            let total = trade.quantity * trade.price;
            let word = if trade.side == Side::Buy { "paid" } else { "received" };
            let commission = (!trade.commission.is_zero()).then(|| format!(", commission {}", usd(trade.commission)));
            let profit = trade.realised_profit.map(|profit| {
                view! { ", realised " <span class=gain_class(Some(profit))>{signed_usd(profit)}</span> }
            });
            let on = format!("On {} {} {word}", format::day(trade.date), usd(total));
            let why = view! { <p class="refusals digits">{on}{commission}{profit}"."</p> };
            (sign(IconName::Check, "filled", Tone::Done), Some(trade.price), why.into_any())
        }
    };
    let price = price.map_or_else(String::new, |price| format!(" @ {}", grouped(price, 2)));
    let levels = [("stop loss", order.stop_loss), ("take profit", order.take_profit)];
    let levels: Vec<String> =
        levels.into_iter().filter_map(|(name, price)| Some(format!("{name} {}", grouped(price?, 2)))).collect();
    let rationale = match order.rationale.trim() {
        "" => "No reason was given.".to_owned(),
        reason => reason.to_owned(),
    };
    view! {
        <li>
            <div class="order-line">
                <SideTag side=order.side />
                <TickerLink ticker=order.ticker />
                <span class="digits">{order.quantity.normalize().to_string()} {price}</span>
                <SignLabel sign />
            </div>
            <p class="order-reason">{rationale} {(!levels.is_empty()).then(|| view! { <span class="dim">{format!(" ({})", levels.join(", "))}</span> })}</p>
            {why}
        </li>
    }
}
