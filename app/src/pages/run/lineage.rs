//! Which run this one continues, and which continue it.

use leptos::prelude::*;
use protocol::{RunFilter, RunSummary};

use super::{fork::in_words, screen::Screen};
use crate::{
    api,
    components::status::{SignLabel, run_sign},
    format,
    pages::runs::Outcome,
};

/// The run that this one continues, with a link.
#[component]
pub fn OriginCrumb(screen: Screen) -> impl IntoView {
    let origin = screen.live.view.with_untracked(|view| view.summary.origin.clone());
    origin.map(|origin| {
        let words = move || screen.live.view.with(|view| in_words(&origin.point, view));
        let short: String = origin.run.to_string().chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
        view! {
            <span class="origin">
                " · continues "
                <a href=format!("/runs/{}", origin.run) title=format!("Run {}", origin.run)>{format!("run …{short}")}</a>
                " "
                {words}
                " · "
                <a href=format!("/compare?left={}&right={}", origin.run, screen.id)>"compare"</a>
            </span>
        }
    })
}

/// The runs that continue this one.
#[component]
pub fn Continuations(screen: Screen, runs: Vec<RunSummary>) -> impl IntoView {
    let runs = RwSignal::new(runs);
    // One may have begun since the page was made.
    let load = Action::new(move |(): &()| async move {
        let filter = RunFilter { origin: Some(screen.id), ..RunFilter::default() };
        if let Ok(page) = api::runs(filter).await {
            runs.try_set(page.runs);
        }
    });
    Effect::new(move |before: Option<()>| {
        if before.is_none() {
            load.dispatch(());
        }
    });
    let rows = move || {
        let rows = runs.get().into_iter().map(|run| {
            let point = run.origin.as_ref().map(|origin| {
                screen.live.view.with_untracked(|view| in_words(&origin.point, view))
            });
            view! {
                <li class="continuation">
                    <a href=format!("/runs/{}", run.run)>{point}</a>
                    <SignLabel sign=run_sign(run.status) />
                    <time class="dim" datetime=run.created_at.to_string()>{format::moment(run.created_at)}</time>
                    <a class="dim" href=format!("/compare?left={}&right={}", screen.id, run.run)>"compare"</a>
                    <Outcome run />
                </li>
            }
        });
        rows.collect_view()
    };
    view! {
        <Show when=move || !runs.with(Vec::is_empty)>
            <h3>"Continued in"</h3>
            <ul class="continuations">{rows}</ul>
        </Show>
    }
}
