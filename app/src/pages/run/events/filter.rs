//! Which events are shown.

use std::{collections::BTreeSet, time::Duration};

use leptos::{html, prelude::*};
use protocol::Event;

use super::{
    headline::json_of,
    outcome::{Outcome, outcome_of},
};
use crate::{browser::lowercase, components::draft::draft_of, pages::run::screen::Screen};

/// What an event has to be to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    kind: String,
    outcome: Option<Outcome>,
    node: String,
    words: String,
}

impl Filter {
    /// Whether an event is shown.
    pub fn admits(&self, event: &Event) -> bool {
        (self.kind.is_empty() || event.body.kind() == self.kind)
            && (self.outcome.is_none() || self.outcome == outcome_of(event))
            && (self.node.is_empty() || event.node.as_ref().is_some_and(|node| node.as_str() == self.node))
            && (self.words.is_empty() || lowercase(&json_of(event)).contains(&self.words))
    }
}

/// The fields in which it is chosen.
#[component]
pub fn Filters(screen: Screen, filter: RwSignal<Filter>) -> impl IntoView {
    let fields: NodeRef<html::Div> = draft_of(move || format!("events {}", screen.id));
    view! {
        <div class="event-filters" node_ref=fields>
            <KindFilter screen filter />
            <OutcomeFilter filter />
            <NodeFilter screen filter />
            <WordFilter filter />
        </div>
    }
}

#[component]
fn OutcomeFilter(filter: RwSignal<Filter>) -> impl IntoView {
    let choose = move |event| {
        let chosen = event_target_value(&event);
        filter.update(|filter| {
            filter.outcome = Outcome::ALL.into_iter().find(|outcome| outcome.id() == chosen)
        });
    };
    view! {
        <label>
            <span class="visually-hidden">"Outcome"</span>
            <select class="input" name="outcome" on:change=choose>
                <option value="">"Any outcome"</option>
                {Outcome::ALL.map(|outcome| view! { <option value=outcome.id()>{outcome.label()}</option> }).collect_view()}
            </select>
        </label>
    }
}

#[component]
fn KindFilter(screen: Screen, filter: RwSignal<Filter>) -> impl IntoView {
    let kinds = RwSignal::new(BTreeSet::new());
    Effect::new(move |known: Option<usize>| {
        screen.log.events.with(|events| {
            let new = events.get(known.unwrap_or(0)..).into_iter().flatten();
            let new = new.filter(|event| kinds.with_untracked(|kinds| !kinds.contains(event.body.kind())));
            let new: BTreeSet<_> = new.map(|event| event.body.kind().to_owned()).collect();
            if !new.is_empty() {
                kinds.update(|kinds| kinds.extend(new));
            }
            events.len()
        })
    });
    view! {
        <label>
            <span class="visually-hidden">"Kind"</span>
            <select class="input" name="kind" on:change=move |event| filter.update(|filter| filter.kind = event_target_value(&event))>
                <option value="">"All kinds"</option>
                <For each=move || kinds.get() key=String::clone let:kind>
                    {kind_option(kind)}
                </For>
            </select>
        </label>
    }
}

fn kind_option(kind: String) -> impl IntoView {
    let words = kind.replace('_', " ");
    view! { <option value=kind>{words}</option> }
}

#[component]
fn NodeFilter(screen: Screen, filter: RwSignal<Filter>) -> impl IntoView {
    let count = Memo::new(move |_| screen.view.with(|view| view.nodes.len()));
    let nodes = Memo::new(move |_| {
        count.get();
        screen.view.with_untracked(|view| {
            view.nodes.iter().map(|node| (node.plan.id.clone(), node.plan.label.clone())).collect::<Vec<_>>()
        })
    });
    view! {
        <label>
            <span class="visually-hidden">"Node"</span>
            <select class="input" name="node" on:change=move |event| filter.update(|filter| filter.node = event_target_value(&event))>
                <option value="">"All nodes"</option>
                <For each=move || nodes.get() key=|(id, _)| id.clone() let:node>
                    <option value=node.0.to_string()>{node.1}</option>
                </For>
            </select>
        </label>
    }
}

#[component]
fn WordFilter(filter: RwSignal<Filter>) -> impl IntoView {
    // Looking through all texts takes a moment: not with every key.
    let mut search = debounce(Duration::from_millis(200), move |words: String| {
        filter.try_update(|filter| filter.words = words);
    });
    view! {
        <label class="event-words">
            <span class="visually-hidden">"Text"</span>
            <input
                class="input"
                name="words"
                type="search"
                placeholder="Text in the event"
                on:input=move |event| search(lowercase(event_target_value(&event).trim()))
            />
        </label>
    }
}
