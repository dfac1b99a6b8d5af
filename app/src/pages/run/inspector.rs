//! What is known of the selection; without one, how the run stands.

mod node;
mod prompt;
pub mod tools;

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{NodeStatus, NodeView, Product, RunSummary, RunView, Standing};

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
            <Products screen />
            <AtWork screen />
            <SubRuns screen />
            <Continuations screen runs=continuations.get_value() />
        </div>
    }
}

/// What the run has brought forth.
#[component]
fn Products(screen: Screen) -> impl IntoView {
    let newest = Memo::new(move |_| screen.view.with(newest_products));
    move || {
        newest.get().into_iter().map(|product| view! { <ProductCard run=screen.id product /> }).collect_view()
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
    let standing_out = Memo::new(move |_| screen.view.with(StandingOut::of));
    let is_quiet = move || standing_out.with(|nodes| nodes.listed.is_empty());
    let note = Memo::new(move |_| is_quiet().then(|| screen.view.with(quiet_note)).flatten());
    view! {
        <ul class="work-rows">
            <For each=move || standing_out.with(|nodes| nodes.listed.clone()) key=|place| *place let:place>
                <WorkRow screen place />
            </For>
        </ul>
        {move || {
            let more = standing_out.with(|nodes| nodes.more);
            (more > 0).then(|| view! { <p class="dim">{format!("and {} more nodes, in the timeline", format::count(more as u64))}</p> })
        }}
        {move || note.get().map(|note| view! { <p class="dim">{note}</p> })}
        <p class="dim inspector-hint">"Select a node to see its answer, prompt, tools and state."</p>
    }
}

/// The nodes that are listed, by their places in the plan, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StandingOut {
    listed: Vec<usize>,
    more: usize,
}

impl StandingOut {
    fn of(view: &RunView) -> Self {
        let stands_out = |node: &NodeView| {
            matches!(node.status, NodeStatus::Running | NodeStatus::Waiting | NodeStatus::Failed)
                || node.degraded.is_some()
        };
        let nodes = view.nodes.iter().enumerate().filter(|(_, node)| stands_out(node));
        let mut places = nodes.map(|(place, _)| place);
        let listed = places.by_ref().take(MOST_LISTED).collect();
        Self { listed, more: places.count() }
    }
}

/// A node that stands out. Of what it does, only what has changed is drawn anew.
#[component]
fn WorkRow(screen: Screen, place: usize) -> impl IntoView {
    let plan = screen.view.with_untracked(|view| view.nodes.get(place).map(|node| node.plan.clone()))?;
    let of_node = move |view: &RunView| {
        let node = view.nodes.get(place)?;
        let why = node.reason.as_ref().or(node.degraded.as_ref()).or(node.headline.as_ref());
        Some((node_sign(node), why.cloned()))
    };
    let known = Memo::new(move |_| screen.view.with(of_node));
    let sign = Memo::new(move |_| known.with(|known| known.as_ref().map(|(sign, _)| *sign)));
    let why = move || known.with(|known| known.as_ref().and_then(|(_, why)| why.clone()));
    let id = plan.id.clone();
    Some(view! {
        <li>
            <button type="button" class="work-row" on:click=move |_| screen.select(Some(id.clone()))>
                <Icon name=icon_of(&plan.role, plan.kind) />
                <span class="work-name">{plan.label}</span>
                {move || sign.get().map(|sign| view! { <SignLabel sign /> })}
                <span class="work-line dim">{why}</span>
            </button>
        </li>
    })
}

fn quiet_note(view: &RunView) -> Option<&'static str> {
    match view.summary.status {
        status if status.is_over() && !view.has_result() => Some("The run ended without a result."),
        status if status.is_over() => None,
        _ => Some("No node works at this moment."),
    }
}
