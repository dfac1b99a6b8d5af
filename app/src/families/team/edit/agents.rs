//! Who takes part in a team, in inner teams as well.

use leptos::prelude::*;

use super::{
    assistant::Assistant,
    change::{self, Newcomer},
    conduct::Conduct,
    context::ContextField,
    draft::Draft,
    ends::Ends,
    field::{LeftOut, ModelField, Offered, TextField},
    order::{OrderActs, Ordered},
    part_id,
    rest::Rest,
    told::Told,
};
use crate::components::icon::{Icon, IconName};

/// Teams within each other that have fields; deeper ones are edited as JSON.
const DEEPEST: usize = 4;

/// Who can be added.
const NEWCOMERS: [(Newcomer, &str); 4] = [
    (Newcomer::Agent, "Add an agent"),
    (Newcomer::Person, "Add a person"),
    (Newcomer::Team, "Add a team"),
    (Newcomer::OneVoice, "Add a team with one voice"),
];

/// The participants of the team at a place.
#[component]
pub(super) fn Agents(draft: Draft, team: String, offered: Offered, #[prop(optional)] level: usize) -> AnyView {
    let place = format!("{team}/participants");
    let count = draft.rows(place.clone());
    let team = StoredValue::new(team);
    // Those of a team that is too deep within others would have no fields.
    let may_hold = |newcomer: Newcomer| level + 1 < DEEPEST || matches!(newcomer, Newcomer::Agent | Newcomer::Person);
    let newcomers = NEWCOMERS.into_iter().filter(|(newcomer, _)| may_hold(*newcomer)).map(|(newcomer, label)| {
        let add = move |_| team.with_value(|place| draft.step(place, |team| change::add(team, newcomer)));
        view! {
            <button type="button" class="button" on:click=add>
                <Icon name=IconName::Plus />
                {label}
            </button>
        }
    });
    let newcomers = newcomers.collect_view();
    view! {
        <fieldset id=part_id(&place) tabindex="-1">
            <legend>"Agents"</legend>
            <For each=move || 0..count.get() key=|number| *number let:number>
                <Agent draft team=team.get_value() number count offered level />
            </For>
            <LeftOut draft list=place.clone() />
            <Told draft part=place.clone() />
            <div class="page-acts">{newcomers}</div>
        </fieldset>
    }
    .into_any()
}

/// One who takes part.
#[component]
fn Agent(draft: Draft, team: String, number: usize, count: Memo<usize>, offered: Offered, level: usize) -> impl IntoView {
    let place = format!("{team}/participants/{number}");
    let role = format!("{place}/role");
    let kind = draft.at(format!("{role}/kind"));
    let name = draft.at(format!("{place}/name"));
    let team = StoredValue::new(team);
    let (swap, remove) = (change::swap_agents, change::remove_agent);
    let one = Ordered { draft, team, list: "participants", number, count, swap, remove };
    let rest = move || {
        let role = role.clone();
        match kind.get().as_str() {
            "assistant" => view! { <Assistant draft team number offered /> }.into_any(),
            "user_proxy" => view! { <p class="dim">"A person, who is asked"</p> }.into_any(),
            "society_of_mind" => view! {
                <ModelField draft offered object=role.clone() label="Model that makes one answer of what the team said" />
                <TextField draft object=role.clone() name="instruction" label="What that model is told before it" is_long=true placeholder="The usual text" />
                <TextField draft object=role.clone() name="response_prompt" label="What that model is told after it" is_long=true placeholder="The usual text" />
                <ContextField draft object=role.clone() />
                <Inner draft team=format!("{role}/team") offered level />
            }
            .into_any(),
            "team" => view! { <Inner draft team=format!("{role}/team") offered level /> }.into_any(),
            other => view! { <p class="dim">{format!("A “{other}”, which is edited as JSON")}</p> }.into_any(),
        }
    };
    view! {
        <fieldset class="team-agent" id=part_id(&place) tabindex="-1" on:keydown=move |event| one.by_key(event)>
            <legend>{move || name.get()}</legend>
            <NameField draft team=team.get_value() number />
            <div class="team-row">
                <TextField draft object=place.clone() name="title" label="What people call it" placeholder="its name" />
                <TextField draft object=place.clone() name="description" label="What the others are told of it" />
            </div>
            {rest}
            <Rest draft place=place.clone() />
            <Told draft part=place.clone() />
            <OrderActs one />
        </fieldset>
    }
}

/// The name, by which graphs, handoffs and conditions know an agent: they follow it.
#[component]
fn NameField(draft: Draft, team: String, number: usize) -> impl IntoView {
    let place = format!("{team}/participants/{number}/name");
    let value = draft.at(place.clone());
    // While a name is typed that is none, or another one's, the agent is known by the last that was its own.
    let known_as = StoredValue::new(String::new());
    let write = move |event| {
        let name = event_target_value(&event);
        let own = draft.content.with_untracked(|content| {
            let names = content.pointer(&team).map(change::names).unwrap_or_default();
            let own = names.get(number).cloned().unwrap_or_default();
            (!own.is_empty() && names.iter().filter(|name| **name == own).count() == 1).then_some(own)
        });
        if let Some(own) = own {
            known_as.set_value(own);
        }
        let known_as = known_as.get_value();
        draft.typed(place.clone(), &team, |team| change::rename_agent(team, number, &known_as, &name));
    };
    view! { <label>"Name" <input class="input" type="text" prop:value=value on:input=write /></label> }
}

/// A team within an agent, folded.
#[component]
fn Inner(draft: Draft, team: String, offered: Offered, level: usize) -> AnyView {
    if level + 1 >= DEEPEST {
        return view! { <p class="dim">"Its team is too deep within others for this form, and is edited as JSON."</p> }.into_any();
    }
    let name = draft.at(format!("{team}/name"));
    let summary = move || match name.get() {
        name if name.is_empty() => "Its team".to_owned(),
        name => format!("Its team “{name}”"),
    };
    view! {
        <details class="team-inner" open=true>
            <summary id=part_id(&team)>{summary}</summary>
            <Told draft part=team.clone() />
            <Conduct draft team=team.clone() offered />
            <Ends draft team=team.clone() />
            <Agents draft team offered level=level + 1 />
        </details>
    }
    .into_any()
}
