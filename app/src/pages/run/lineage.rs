//! Which run this one continues, and which continue it.

use leptos::prelude::*;
use protocol::RunSummary;

use super::{place::in_words, screen::Screen};
use crate::{
    base::at,
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
                <a href=at(format!("/runs/{}", origin.run)) title=format!("Run {}", origin.run)>{format!("run …{short}")}</a>
                " "
                {words}
                " · "
                <a href=at(format!("/compare?left={}&right={}", origin.run, screen.id))>"compare"</a>
            </span>
        }
    })
}

/// The runs that continue this one.
#[component]
pub fn Continuations(screen: Screen, runs: Vec<RunSummary>) -> impl IntoView {
    let has_any = !runs.is_empty();
    let rows = runs.into_iter().map(|run| {
        let point = run
            .origin
            .as_ref()
            .map(|origin| screen.live.view.with_untracked(|view| in_words(&origin.point, view)));
        view! {
            <li class="continuation">
                <a href=at(format!("/runs/{}", run.run))>{point}</a>
                <SignLabel sign=run_sign(run.status) />
                <time class="dim" datetime=run.created_at.to_string()>{format::moment(run.created_at)}</time>
                <a class="dim" href=at(format!("/compare?left={}&right={}", screen.id, run.run))>"compare"</a>
                <Outcome run=run.into() />
            </li>
        }
    });
    let rows = rows.collect_view();
    has_any.then(|| {
        view! {
            <h3>"Continued in"</h3>
            <ul class="continuations">{rows}</ul>
        }
    })
}
