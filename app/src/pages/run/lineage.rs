//! Which run this one continues, and which continue it.

use leptos::prelude::*;
use protocol::{RunId, RunSummary};

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
        view! {
            <span class="origin">
                " · continues "
                <a href=at(format!("/runs/{}", origin.run)) title=format!("Run {}", origin.run)>{format!("run …{}", short(origin.run))}</a>
                " "
                {words}
                " · "
                <a href=at(format!("/compare?left={}&right={}", origin.run, screen.id))>"compare"</a>
            </span>
        }
    })
}

/// The run that started this one, with a link to the node that did.
#[component]
pub fn ParentCrumb(screen: Screen) -> impl IntoView {
    let parent = screen.live.view.with_untracked(|view| view.summary.parent.clone());
    parent.map(|parent| {
        // A call's id begins with its node's, which has no letter that an address would have to escape.
        let (node, _) = parent.call.as_str().split_once(':').unwrap_or_default();
        let address = at(format!("/runs/{}?node={node}", parent.run));
        view! {
            <span class="origin">
                " · part of "
                <a href=address title=format!("Run {}", parent.run)>{format!("run …{}", short(parent.run))}</a>
            </span>
        }
    })
}

/// The end of a run's id, which tells it from others of the same time.
fn short(run: RunId) -> String {
    let id = run.to_string();
    id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_owned()
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
