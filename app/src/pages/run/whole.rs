//! What needs the whole run, not its outline alone.

use leptos::prelude::*;

use super::{log::Loading, screen::Screen};
use crate::{components::notice::InlineProblem, format};

/// Its content, as soon as the whole run is here; until then, how much of its log is.
#[component]
pub fn Whole(screen: Screen, children: ChildrenFn) -> impl IntoView {
    let is_whole = wanted_whole(screen);
    move || match is_whole.get() {
        true => children().into_any(),
        false => view! { <Progress screen /> }.into_any(),
    }
}

/// The same for what is read from the run's beginning on: it is there with the first events, and grows.
#[component]
pub fn Growing(screen: Screen, view: fn(Screen) -> AnyView) -> impl IntoView {
    let growing = screen.so_far();
    let is_whole = wanted_whole(screen);
    let is_there = Memo::new(move |_| {
        let has_begun = || !screen.travel.is_past() && screen.log.so_far.with(Option::is_some);
        is_whole.get() || has_begun()
    });
    view! {
        {move || (!is_whole.get()).then(|| view! { <Progress screen /> })}
        {move || is_there.get().then(|| view(growing))}
    }
}

/// Whether the whole run is here; loads it where it is not.
fn wanted_whole(screen: Screen) -> Memo<bool> {
    let is_whole = Memo::new(move |_| screen.is_whole());
    Effect::new(move |_| {
        if !is_whole.get() {
            screen.log.load();
        }
    });
    is_whole
}

#[component]
fn Progress(screen: Screen) -> impl IntoView {
    let words = move || {
        let (here, all) = (screen.log.events.with(Vec::len), screen.travel.newest());
        format!("Loading the run: {} of {} events …", format::count(here as u64), format::count(all))
    };
    move || match screen.log.loading.get() {
        Loading::Failed(error) => view! {
            <InlineProblem text=error.to_string() />
            <button type="button" class="quiet-button" on:click=move |_| screen.log.load()>
                "Try again"
            </button>
        }
        .into_any(),
        _ => view! { <p class="loading dim">{words}</p> }.into_any(),
    }
}
