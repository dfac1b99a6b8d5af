//! The edges of a graph: who may follow whom, and when.

use leptos::prelude::*;
use serde_json::Value;

use super::{change, draft::Draft, told::Told};
use crate::components::{
    choice::choice,
    icon::{Icon, IconName},
};

/// What the nodes of a graph wait for, and what an edge's group waits for.
const ACTIVATIONS: [(&str, &str); 2] = [("all", "all that lead to it"), ("any", "any that leads to it")];

/// All nodes of the graph of the team at a place, with their edges.
#[component]
pub(super) fn Edges(draft: Draft, team: String) -> impl IntoView {
    let nodes = draft.count(format!("{team}/conduct/graph/nodes"));
    let place = team.clone();
    let names = Memo::new(move |_| {
        draft.content.with(|content| content.pointer(&place).map(change::names).unwrap_or_default())
    });
    let start = draft.at(format!("{team}/conduct/graph/start"));
    let team = StoredValue::new(team);
    let begin = move |event| {
        let start = event_target_value(&event);
        let start = (!start.is_empty()).then_some(start);
        team.with_value(|place| draft.step(place, |team| change::set_graph_start(team, start.as_deref())));
    };
    view! {
        <label>
            "Begins with"
            <select class="input" on:change=begin>
                {move || {
                    let all = choice("", "All that follow nobody", move || start.with(String::is_empty));
                    (all, choices(names.get(), &start.get()))
                }}
            </select>
        </label>
        <For each=move || 0..nodes.get() key=|node| *node let:node>
            <Node draft team=team.get_value() node names />
        </For>
    }
}

/// A node with the edges that leave it.
#[component]
fn Node(draft: Draft, team: String, node: usize, names: Memo<Vec<String>>) -> impl IntoView {
    let place = format!("{team}/conduct/graph/nodes/{node}");
    let name = draft.at(format!("{place}/name"));
    let activation = draft.at(format!("{place}/activation"));
    let edges = draft.count(format!("{place}/edges"));
    let team = StoredValue::new(team);
    let add = move |_| team.with_value(|place| draft.step(place, |team| change::add_edge(team, node)));
    let object = place.clone();
    let wait = move |event| draft.put(&object, "activation", Some(Value::String(event_target_value(&event))));
    let is_activation = move |value: &str| {
        activation.with(|chosen| value == if chosen.is_empty() { ACTIVATIONS[0].0 } else { chosen.as_str() })
    };
    let waits = ACTIVATIONS.map(|(value, label)| choice(value, label, move || is_activation(value))).collect_view();
    view! {
        <fieldset class="team-node">
            <legend>{move || format!("After {}", name.get())}</legend>
            <For each=move || 0..edges.get() key=|edge| *edge let:edge>
                <EdgeRow draft team=team.get_value() node edge name names />
            </For>
            {move || (edges.get() == 0).then(|| view! { <p class="dim">"Nobody follows: the graph ends here."</p> })}
            <Told draft part=place />
            <div class="team-row">
                <label>"Waits for" <select class="input" on:change=wait>{waits}</select></label>
                <button type="button" class="button" on:click=add aria-label=move || format!("Add a follower of {}", name.get())>
                    <Icon name=IconName::Plus />
                    "Add a follower"
                </button>
            </div>
        </fieldset>
    }
}

/// Who follows, and on which condition.
#[component]
fn EdgeRow(draft: Draft, team: String, node: usize, edge: usize, name: Memo<String>, names: Memo<Vec<String>>) -> impl IntoView {
    let place = format!("{team}/conduct/graph/nodes/{node}/edges/{edge}");
    let target = draft.at(format!("{place}/target"));
    let condition = draft.at(format!("{place}/condition"));
    let team = StoredValue::new(team);
    let lead = move |event| {
        let target = event_target_value(&event);
        team.with_value(|place| draft.step(place, |team| change::lead_edge_to(team, node, edge, &target)));
    };
    let remove = move |_| team.with_value(|place| draft.step(place, |team| change::remove_edge(team, node, edge)));
    let object = place.clone();
    let write = move |event| {
        let text = event_target_value(&event);
        draft.put(&object, "condition", (!text.is_empty()).then(|| Value::String(text)));
    };
    view! {
        <div class="team-edge">
            <select class="input" aria-label=move || format!("Follows {}", name.get()) on:change=lead>
                {move || choices(names.get(), &target.get())}
            </select>
            <input
                class="input"
                type="text"
                placeholder="always"
                aria-label=move || format!("Text in the message after which {} follows {}", target.get(), name.get())
                title="A text that has to be in the message; empty: always"
                prop:value=condition
                on:input=write
            />
            <button type="button" class="icon-button" title="Remove" aria-label=move || format!("Remove the way from {} to {}", name.get(), target.get()) on:click=remove>
                <Icon name=IconName::Close />
            </button>
        </div>
        <Told draft part=place />
    }
}

/// The participants to choose from; a name that none of them has is shown as such.
fn choices(names: Vec<String>, chosen: &str) -> impl IntoView + use<> {
    let is_known = chosen.is_empty() || names.iter().any(|name| name == chosen);
    let stranger = (!is_known).then(|| (chosen.to_owned(), format!("{chosen} (takes no part)")));
    let own = names.into_iter().map(|name| (name.clone(), name));
    let options = stranger.into_iter().chain(own).map(|(value, label)| {
        let is_chosen = value == chosen;
        choice(value, label, move || is_chosen)
    });
    options.collect_view()
}
