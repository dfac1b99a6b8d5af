//! The runs that a run has started.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{NodeId, RunStatus, view::SubRunView};

use super::screen::Screen;
use crate::{
    base::at,
    components::status::{SignLabel, run_sign},
    format,
};

/// Runs that are listed at most.
const MOST_LISTED: usize = 40;

/// The runs that a node has started, each leading to its own page; without a node, those that all have.
#[component]
pub fn SubRuns(screen: Screen, #[prop(optional, into)] node: Option<NodeId>) -> impl IntoView {
    let runs = Memo::new(move |_| {
        screen.view.with(|view| {
            let is_of = |run: &&Arc<SubRunView>| node.is_none() || run.node == node;
            view.sub_runs.iter().filter(is_of).cloned().collect::<Vec<_>>()
        })
    });
    let row = |run: Arc<SubRunView>| {
        // What it does at this moment stands on its own page.
        let status = run.outcome.as_ref().map_or(RunStatus::Running, |outcome| outcome.status);
        let asks = (!run.asks.is_empty()).then_some(" · needs you");
        let cost = run.outcome.as_ref().map(|outcome| format::cost(&outcome.totals).known);
        let error = run.outcome.as_ref().and_then(|outcome| outcome.error.clone());
        view! {
            <li class="sub-run">
                <a href=at(format!("/runs/{}", run.run))>{run.title.clone()}</a>
                <SignLabel sign=run_sign(status) />
                <span class="dim mono">{cost}{asks}</span>
                {error.map(|error| view! { <span class="sub-run-error dim">{error}</span> })}
            </li>
        }
    };
    move || {
        let runs = runs.get();
        let more = runs.len().saturating_sub(MOST_LISTED);
        (!runs.is_empty()).then(|| {
            view! {
                <h3>{format!("Runs of their own ({})", runs.len())}</h3>
                <ul class="sub-runs">{runs.into_iter().take(MOST_LISTED).map(row).collect_view()}</ul>
                {(more > 0).then(|| view! { <p class="dim">{format!("and {more} more, at the nodes that started them")}</p> })}
            }
        })
    }
}
