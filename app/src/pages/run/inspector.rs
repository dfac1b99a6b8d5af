//! What is known of the selection; without one, how the run stands.

mod node;
mod prompt;
pub mod tools;

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{NodeStatus, Product, RunSummary, RunView, Standing};

use self::node::NodeInspector;
use super::{lineage::Continuations, screen::Screen, sub_runs::SubRuns};
use crate::{
    components::{
        icon::{Icon, IconName},
        product::ProductCard,
        status::{SignLabel, node_sign},
    },
    families, format,
    pages::run::graph::card::icon_of,
};

/// Nodes that are listed at most.
const MOST_LISTED: usize = 40;
/// Steps that stand here at most.
const MOST_STEPS: usize = 12;

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
        screen.view.with(|view| view.nodes.place(&id))
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
    let products = Memo::new(move |_| view.with(newest_products));
    let family =
        screen.spec.with_value(|spec| spec.as_ref().map_or_else(String::new, |spec| spec.family.clone()));
    let views = families::views(&family);
    let kind = view.with_untracked(|view| view.summary.request.workflow.kind().clone());
    let beside = move || views.get().and_then(|views| (views.beside?)(&kind, view));
    let has_result = Memo::new(move |_| view.with(RunView::has_result));
    view! {
        <header class="inspector-head">
            <button
                type="button"
                class="sheet-handle"
                aria-expanded=move || unfolded.get().to_string()
                on:click=move |_| unfolded.update(|unfolded| *unfolded = !*unfolded)
            >
                <h2>{move || if has_result.get() { "Result" } else { "What is going on" }}</h2>
                <Icon name=IconName::Chevron />
            </button>
        </header>
        <div class="inspector-body">
            {beside}
            {move || products.get().into_iter().map(|product| view! { <ProductCard run=screen.id product /> }).collect_view()}
            <AtWork screen />
            <SubRuns screen />
            <Continuations screen runs=continuations.get_value() />
        </div>
    }
}

/// What the run has brought forth in short. Of steps only the newest: the transcript has all, and a run may have very
/// many.
fn newest_products(view: &RunView) -> Vec<Arc<Product>> {
    let is_step = |product: &Arc<Product>| product.standing == Standing::Step;
    let products = view.products_in_short();
    let steps = products.iter().filter(|product| is_step(product)).count();
    let mut skipped = steps.saturating_sub(MOST_STEPS);
    let shown = products.into_iter().filter(|product| {
        let is_skipped = is_step(product) && skipped > 0;
        skipped -= usize::from(is_skipped);
        !is_skipped
    });
    shown.collect()
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
        let rows = nodes.get().into_iter().take(MOST_LISTED).map(|node| {
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
        {move || {
            let more = nodes.with(Vec::len).saturating_sub(MOST_LISTED);
            (more > 0).then(|| view! { <p class="dim">{format!("and {} more nodes, in the timeline", format::count(more as u64))}</p> })
        }}
        {move || note().map(|note| view! { <p class="dim">{note}</p> })}
        <p class="dim inspector-hint">"Select a node to see its answer, prompt, tools and state."</p>
    }
}

fn quiet_note(view: &RunView) -> Option<&'static str> {
    match view.summary.status {
        status if status.is_over() && !view.has_result() => Some("The run ended without a result."),
        status if status.is_over() => None,
        _ => Some("No node works at this moment."),
    }
}
