//! What is known of the selection; without one, how the run stands.

mod node;
pub mod result;
pub mod tools;

use leptos::prelude::*;
use protocol::{NodeStatus, RunSummary, RunView};

use self::{
    node::NodeInspector,
    result::{DecisionCard, RatingCard, RejectedCard, TradeCard},
};
use super::{lineage::Continuations, screen::Screen};
use crate::{
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, node_sign},
    },
    pages::run::graph::card::icon_of,
};

/// The panel beside the views; on a small screen a sheet from below.
#[component]
pub fn Inspector(
    /// The page.
    screen: Screen,
    /// The runs that continue this one.
    continuations: Vec<RunSummary>,
) -> impl IntoView {
    let continuations = StoredValue::new(continuations);
    // On a small screen the sheet without a selection is opened by hand.
    let unfolded = RwSignal::new(false);
    let selected = Memo::new(move |_| {
        let id = screen.selected()?;
        screen.view.with(|view| view.nodes.iter().position(|node| node.plan.id == id))
    });
    let class = move || match (selected.get().is_some(), unfolded.get()) {
        (true, _) => "inspector with-selection",
        (_, true) => "inspector unfolded",
        _ => "inspector",
    };
    view! {
        <aside class=class aria-label="Inspector">
            {move || match selected.get() {
                Some(node) => view! { <NodeInspector screen node /> }.into_any(),
                None => view! { <Standing screen unfolded continuations /> }.into_any(),
            }}
        </aside>
    }
}

/// The result, or what is going on.
#[component]
fn Standing(
    screen: Screen,
    unfolded: RwSignal<bool>,
    continuations: StoredValue<Vec<RunSummary>>,
) -> impl IntoView {
    let view = screen.view;
    let rating = Memo::new(move |_| view.with(|view| view.rating.clone()));
    let decision = Memo::new(move |_| view.with(|view| view.decision.clone()));
    let trades = Memo::new(move |_| view.with(|view| view.trades.clone()));
    let rejected = Memo::new(move |_| view.with(|view| view.rejected.clone()));
    let has_result = move || rating.with(Option::is_some) || decision.with(Option::is_some);
    view! {
        <header class="inspector-head">
            <button
                type="button"
                class="sheet-handle"
                aria-expanded=move || unfolded.get().to_string()
                on:click=move |_| unfolded.update(|unfolded| *unfolded = !*unfolded)
            >
                <h2>{move || if has_result() { "Result" } else { "What is going on" }}</h2>
                <Icon name=IconName::Chevron />
            </button>
        </header>
        <div class="inspector-body">
            {move || rating.get().map(|rating| view! { <RatingCard rating /> })}
            {move || decision.get().map(|decision| view! { <DecisionCard decision /> })}
            {move || trades.get().into_iter().map(|trade| view! { <TradeCard trade /> }).collect_view()}
            {move || rejected.get().into_iter().map(|rejected| view! { <RejectedCard rejected /> }).collect_view()}
            <AtWork screen />
            <Continuations screen runs=continuations.get_value() />
        </div>
    }
}

/// The nodes that work or wait for somebody, and failed ones.
#[component]
fn AtWork(screen: Screen) -> impl IntoView {
    let nodes = Memo::new(move |_| {
        screen.view.with(|view| {
            let stands_out =
                |status| matches!(status, NodeStatus::Running | NodeStatus::Waiting | NodeStatus::Failed);
            let partial = |node: &protocol::NodeView| node.degraded.is_some();
            view.nodes
                .iter()
                .filter(|node| stands_out(node.status) || partial(node))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let rows = move || {
        let rows = nodes.get().into_iter().map(|node| {
            let id = node.plan.id.clone();
            let why = node.reason.clone().or_else(|| node.degraded.clone()).or_else(|| node.headline.clone());
            view! {
                <li>
                    <button type="button" class="work-row" on:click=move |_| screen.select(Some(id.clone()))>
                        <Icon name=icon_of(&node.plan.role, node.plan.kind) />
                        <span class="work-name">{node.plan.label.clone()}</span>
                        <SignLabel sign=node_sign(&node) />
                        <span class="work-line dim">{why}</span>
                    </button>
                </li>
            }
        });
        rows.collect_view()
    };
    let note = move || nodes.with(Vec::is_empty).then(|| screen.view.with(quiet_note)).flatten();
    view! {
        <ul class="work-rows">{rows}</ul>
        {move || note().map(|note| view! { <p class="dim">{note}</p> })}
        <p class="dim inspector-hint">"Select a node to see its answer, prompt, tools and state."</p>
    }
}

fn quiet_note(view: &RunView) -> Option<&'static str> {
    let has_result = view.rating.is_some() || view.decision.is_some();
    match view.summary.status {
        status if status.is_over() && !has_result => Some("The run ended without a result."),
        status if status.is_over() => None,
        _ => Some("No node works at this moment."),
    }
}
