//! The edges of a graph: who may follow whom, and when.

use leptos::prelude::*;
use serde_json::Value;

use super::{
    change::{self, graph},
    draft::Draft,
    field::LeftOut,
    told::Told,
    who::WhoField,
};
use crate::components::{
    choice::choice,
    icon::{Icon, IconName},
};

/// What the edges of a group wait for.
const ACTIVATIONS: [(&str, &str); 2] = [("all", "all that lead to it"), ("any", "any that leads to it")];

/// All nodes of the graph of the team at a place, with their edges.
#[component]
pub(super) fn Edges(draft: Draft, team: String) -> impl IntoView {
    let nodes = draft.rows(format!("{team}/conduct/graph/nodes"));
    let names = draft.of(team.clone(), change::names);
    let lacking = draft.of(team.clone(), graph::without_node);
    let start = draft.at(format!("{team}/conduct/graph/start"));
    let team = StoredValue::new(team);
    let begin = Callback::new(move |start: String| {
        let start = (!start.is_empty()).then_some(start);
        team.with_value(|place| draft.step(place, |team| graph::set_start(team, start.as_deref())));
    });
    let add = move |name: String| {
        let label = format!("Add {name} to the graph");
        let add = move |_| team.with_value(|place| draft.step(place, |team| graph::add_node(team, &name)));
        view! {
            <button type="button" class="button" on:click=add>
                <Icon name=IconName::Plus />
                {label}
            </button>
        }
    };
    view! {
        <label>
            "Begins with"
            <WhoField names chosen=start label="Begins with".to_owned() choose=begin nobody=Some("All that follow nobody") />
        </label>
        <For each=move || 0..nodes.get() key=|node| *node let:node>
            <Node draft team=team.get_value() node names />
        </For>
        <LeftOut draft list=format!("{}/conduct/graph/nodes", team.get_value()) />
        {move || lacking.get().into_iter().map(add).collect_view()}
    }
}

/// A node with the edges that leave it.
#[component]
fn Node(draft: Draft, team: String, node: usize, names: Memo<Vec<String>>) -> impl IntoView {
    let place = format!("{team}/conduct/graph/nodes/{node}");
    let name = draft.at(format!("{place}/name"));
    let edges = draft.rows(format!("{place}/edges"));
    let groups = draft.of(team.clone(), move |team| {
        let groups = name.with(|name| graph::groups_to(team, name));
        groups.into_iter().map(|group| group.name).collect::<Vec<_>>()
    });
    let is_somebody = Memo::new(move |_| names.with(|names| name.with(|name| names.contains(name))));
    let team = StoredValue::new(team);
    let add = move |_| team.with_value(|place| draft.step(place, |team| graph::add_edge(team, node)));
    let remove = move |_| team.with_value(|place| draft.step(place, |team| graph::remove_node(team, node)));
    view! {
        <fieldset class="team-node">
            <legend>{move || format!("After {}", name.get())}</legend>
            <For each=move || 0..edges.get() key=|edge| *edge let:edge>
                <EdgeRow draft team=team.get_value() node edge name names />
            </For>
            <LeftOut draft list=format!("{place}/edges") />
            {move || (edges.get() == 0).then(|| view! { <p class="dim">"Nobody follows: the graph ends here."</p> })}
            <Told draft part=place />
            <div class="team-row">
                <For each=move || groups.get() key=Clone::clone let:group>
                    <Waits draft team=team.get_value() name group />
                </For>
                <button type="button" class="button" on:click=add aria-label=move || format!("Add a follower of {}", name.get())>
                    <Icon name=IconName::Plus />
                    "Add a follower"
                </button>
                {move || (!is_somebody.get()).then(|| view! {
                    <button type="button" class="button danger" on:click=remove aria-label=move || format!("Take {} out of the graph", name.get())>
                        "Take it out"
                    </button>
                })}
            </div>
        </fieldset>
    }
}

/// What a node waits for, of the edges that lead to it and are counted together.
#[component]
fn Waits(draft: Draft, team: String, name: Memo<String>, group: String) -> impl IntoView {
    let group = StoredValue::new(group);
    let activation = draft.of(team.clone(), move |team| {
        let groups = name.with(|name| graph::groups_to(team, name));
        let own = group.with_value(|group| groups.into_iter().find(|one| one.name == *group));
        own.map(|own| own.activation).unwrap_or_default()
    });
    let choose = move |event| {
        let chosen = event_target_value(&event);
        draft.step(&team, |team| {
            name.with_untracked(|name| {
                group.with_value(|group| graph::wait_for(team, name, group, &chosen));
            });
        });
    };
    let label = move || {
        let is_usual = name.with(|name| group.with_value(|group| group == name));
        if is_usual { "Waits for".to_owned() } else { format!("Waits for, in the group “{}”", group.get_value()) }
    };
    let options = ACTIVATIONS.map(|(value, label)| choice(value, label, move || activation.with(|chosen| chosen == value)));
    view! { <label>{label} <select class="input" on:change=choose>{options.collect_view()}</select></label> }
}

/// Who follows, and on which condition.
#[component]
fn EdgeRow(draft: Draft, team: String, node: usize, edge: usize, name: Memo<String>, names: Memo<Vec<String>>) -> impl IntoView {
    let place = format!("{team}/conduct/graph/nodes/{node}/edges/{edge}");
    let target = draft.at(format!("{place}/target"));
    let condition = draft.at(format!("{place}/condition"));
    let group = draft.at(format!("{place}/group"));
    let is_one_of_several = draft.of(team.clone(), move |team| target.with(|target| graph::count_to(team, target) > 1));
    let has_own_group = Memo::new(move |_| group.with(|group| target.with(|target| group != target)));
    let team = StoredValue::new(team);
    let lead = Callback::new(move |target: String| {
        team.with_value(|place| draft.step(place, |team| graph::lead_edge_to(team, node, edge, &target)));
    });
    let remove = move |_| team.with_value(|place| draft.step(place, |team| graph::remove_edge(team, node, edge)));
    let object = place.clone();
    let write = move |event| {
        let text = event_target_value(&event);
        draft.put(&object, "condition", (!text.is_empty()).then(|| Value::String(text)));
    };
    let group_place = StoredValue::new(format!("{place}/group"));
    let group_into = move |event| {
        let group = event_target_value(&event);
        team.with_value(|team| {
            draft.typed(group_place.get_value(), team, |team| graph::put_edge_into(team, node, edge, &group));
        });
    };
    let shown_group = move || if has_own_group.get() { group.get() } else { String::new() };
    view! {
        <div class="team-edge">
            <WhoField
                names
                chosen=target
                label=Signal::derive(move || format!("Follows {}", name.get()))
                choose=lead
            />
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
        <Show when=move || is_one_of_several.get() || has_own_group.get()>
            <label>
                {move || format!("Group in which the way from {} to {} is counted", name.get(), target.get())}
                <input class="input" type="text" placeholder=move || target.get() prop:value=shown_group on:input=group_into />
            </label>
        </Show>
        <Told draft part=place />
    }
}
