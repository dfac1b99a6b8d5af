//! The head of the run page. It never scrolls away.

use leptos::prelude::*;
use protocol::{Decimal, RunStatus, grouped};

use super::{
    acts::{ApproveMode, DeleteButton, ExportMenu, ForkMenu, StopButton},
    clock::horizon,
    lineage::{OriginCrumb, ParentCrumb},
    screen::Screen,
    share::ShareButton,
};
use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::RunPill,
    },
    format::{self, Cost},
    live::ConnectionLabel,
};

/// What runs, where it stands, what it used, and the acts.
#[component]
pub fn Header(screen: Screen) -> impl IntoView {
    let view = screen.view;
    let summary = Memo::new(move |_| view.with(|view| view.summary.clone()));
    let (flow, title) =
        view.with_untracked(|view| (view.summary.request.flow.clone(), view.summary.title.clone()));
    let elapsed = move || {
        let now = screen.now.get();
        view.with(|view| format::stopwatch(horizon(view, now).since(view.summary.created_at)))
    };
    let queued = Memo::new(move |_| {
        let is_queued =
            summary.with(|summary| summary.status == RunStatus::Queued) && !screen.travel.is_past();
        screen.live.place.get().filter(|_| is_queued).map(format::place)
    });
    let past = move || {
        screen.travel.is_past().then(|| match screen.travel.moment() {
            Some(moment) => format!("as of event {}, {} UTC", screen.travel.position(), moment.clock()),
            None => format!("as of event {}", screen.travel.position()),
        })
    };
    let limits = view.with_untracked(|view| view.summary.request.limits.clone());
    let cost_limit = view.with_untracked(|view| view.summary.request.limits.cost);
    let in_flight = Memo::new(move |_| screen.tokens_in_flight());
    let cost = Memo::new(move |_| {
        let cost = summary.with(|summary| format::cost(&summary.used()));
        // What is being written is charged once it has ended.
        let so_far = (in_flight.get() > 0 && cost.gap.is_none()).then(|| "so far".to_owned());
        Cost { gap: cost.gap.or(so_far), ..cost }
    });
    view! {
        <header class="run-head">
            <div class="run-name">
                <nav class="crumbs" aria-label="Where this is">
                    <a href=at("/runs")>"Runs"</a>
                    " › "
                    <a class="crumb-flow" href=at(format!("/runs?flow={flow}"))>
                        {format!("Flow {flow}")}
                    </a>
                    <ParentCrumb screen />
                    <OriginCrumb screen />
                </nav>
                <div class="run-title">
                    <h1>{title}</h1>
                    <span aria-live="polite">
                        {move || {
                            let (status, phase) = summary.with(|summary| (summary.status, summary.phase.clone()));
                            view! { <RunPill status phase /> }
                        }}
                        {move || queued.get().map(|place| view! { <span class="dim queue-place">{place}</span> })}
                        {move || past().map(|words| view! {
                            <span class="pill tone-attention"><Icon name=IconName::Hourglass />{words}</span>
                        })}
                    </span>
                </div>
            </div>
            <dl class="facts run-facts">
                <div>
                    <dt>{limited("Elapsed", limits.seconds.map(|seconds| format::duration(seconds.saturating_mul(1_000))))}</dt>
                    <dd>{elapsed}</dd>
                </div>
                <div>
                    <dt>"Nodes"</dt>
                    <dd>{move || summary.with(|summary| format!("{} / {}", summary.nodes_done, summary.nodes))}</dd>
                </div>
                <div>
                    <dt>{limited("Tokens", limits.tokens.map(format::short_count))}</dt>
                    <dd>{move || {
                        let tokens = summary.with(|summary| summary.used().tokens()).saturating_add(in_flight.get());
                        format::estimate(format::count(tokens), in_flight.get() > 0)
                    }}</dd>
                    {limits.tokens.map(|limit| {
                        let spent = Signal::derive(move || summary.with(|summary| summary.own_used().tokens().min(limit).to_string()));
                        view! { <Budget spent limit=limit.to_string() of="tokens" /> }
                    })}
                </div>
                <div class="fact-cost">
                    <dt>
                        {limited("Cost", cost_limit.map(budget))}
                    </dt>
                    <dd>
                        {move || cost.get().known}
                        {move || cost.get().gap.map(|gap| view! { " " <small class="dim">{gap}</small> })}
                    </dd>
                    {cost_limit.map(|limit| {
                        let spent = Signal::derive(move || summary.with(|summary| summary.own_used().cost.min(limit).to_string()));
                        view! { <Budget spent limit=limit.to_string() of="budget" /> }
                    })}
                </div>
                <div>
                    <dt>"Connection"</dt>
                    <dd>
                        <ConnectionLabel connection=screen.live.connection />
                    </dd>
                </div>
            </dl>
            <div class="run-acts">
                <ApproveMode screen />
                <ForkMenu screen />
                <ExportMenu screen />
                <ShareButton screen />
                <DeleteButton screen />
                <StopButton screen />
            </div>
        </header>
    }
}

/// A limit in whole cents, where it is one.
fn budget(limit: Decimal) -> String {
    format!("${}", grouped(limit, limit.normalize().scale().max(2)))
}

/// A figure's name, with its limit where there is one.
fn limited(name: &str, limit: Option<String>) -> String {
    match limit {
        Some(limit) => format!("{name} of {limit}"),
        None => name.to_owned(),
    }
}

/// How much of what the run may use is used.
#[component]
fn Budget(spent: Signal<String>, limit: String, of: &'static str) -> impl IntoView {
    view! {
        <progress class="budget" max=limit value=spent aria-label=format!("Part of the {of} that is used")></progress>
    }
}
