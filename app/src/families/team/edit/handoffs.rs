//! To whom an assistant may hand over, and in which words.

use leptos::prelude::*;

use super::{
    change::{self, handoffs},
    draft::Draft,
    field::{LeftOut, TextField},
    who::WhoField,
};
use crate::components::icon::{Icon, IconName};

/// The handoffs of a participant.
#[component]
pub(super) fn Handoffs(draft: Draft, team: StoredValue<String>, number: usize) -> impl IntoView {
    let participant = format!("{}/participants/{number}", team.get_value());
    let name = draft.at(format!("{participant}/name"));
    let list = format!("{participant}/role/handoffs");
    let count = draft.rows(list.clone());
    let others = draft.of(team.get_value(), move |team| {
        let own = change::names(team).into_iter().nth(number);
        change::known(team).into_iter().filter(|known| Some(known) != own.as_ref()).collect::<Vec<_>>()
    });
    let add = move |_| team.with_value(|place| draft.step(place, |team| handoffs::add(team, number)));
    view! {
        <Show when=move || count.get() != 0>
            <fieldset>
                <legend>"Hands over to"</legend>
                <For each=move || 0..count.get() key=|handoff| *handoff let:handoff>
                    <Handoff draft team number handoff name others />
                </For>
                <LeftOut draft list=list.clone() />
            </fieldset>
        </Show>
        <div class="page-acts">
            <button type="button" class="button" on:click=add aria-label=move || format!("Add a handoff of {}", name.get())>
                <Icon name=IconName::Plus />
                "Add a handoff"
            </button>
        </div>
    }
}

/// To whom, and what is said.
#[component]
fn Handoff(
    draft: Draft,
    team: StoredValue<String>,
    number: usize,
    handoff: usize,
    name: Memo<String>,
    others: Memo<Vec<String>>,
) -> impl IntoView {
    let place = format!("{}/participants/{number}/role/handoffs/{handoff}", team.get_value());
    let target = draft.at(format!("{place}/target"));
    let lead = Callback::new(move |target: String| {
        team.with_value(|place| draft.step(place, |team| handoffs::lead_to(team, number, handoff, &target)));
    });
    let remove = move |_| {
        team.with_value(|place| draft.step(place, |team| handoffs::remove(team, number, handoff)));
    };
    view! {
        <div class="team-edge">
            <WhoField names=others chosen=target label=Signal::derive(move || format!("{} hands over to", name.get())) choose=lead />
            <button
                type="button"
                class="icon-button"
                title="Remove"
                aria-label=move || format!("Remove the handoff from {} to {}", name.get(), target.get())
                on:click=remove
            >
                <Icon name=IconName::Close />
            </button>
        </div>
        <details class="team-inner">
            <summary>{move || format!("What is said where {} takes over", target.get())}</summary>
            <TextField draft object=place.clone() name="name" label="What the tool is called" is_demanded=true />
            <TextField draft object=place.clone() name="description" label="What the model is told of it" is_demanded=true />
            <TextField draft object=place name="message" label="What is said to the one who takes over" is_demanded=true />
        </details>
    }
}
