//! Who speaks next.

use leptos::prelude::*;

use super::{
    change,
    context::ContextField,
    draft::Draft,
    edges::Edges,
    field::{CheckField, ModelField, NumberField, Offered, TextField},
    part_id,
    rest::Rest,
    told::Told,
    work::Work,
};
use crate::components::choice::choice;

/// Ways to choose who speaks next, by the names that documents have.
const CONDUCTS: [(&str, &str); 6] = [
    ("round_robin", "In turn, one after the other"),
    ("selector", "A model chooses"),
    ("swarm", "Whoever speaks hands over"),
    ("magentic_one", "A model plans and leads"),
    ("graph_flow", "A graph says who follows whom"),
    ("steps", "Steps of work, one after the other"),
];

/// Who speaks next in the team at a place, with what that needs. What has no form here is edited as JSON.
#[component]
pub(super) fn Conduct(draft: Draft, team: String, offered: Offered) -> impl IntoView {
    let place = format!("{team}/conduct");
    let kind = draft.at(format!("{place}/kind"));
    let team = StoredValue::new(team);
    let choose = move |event| {
        let kind = event_target_value(&event);
        team.with_value(|place| draft.step(place, |team| change::choose_conduct(team, &kind)));
    };
    let choices = move || {
        let kind = kind.get();
        let is_known = CONDUCTS.iter().any(|(name, _)| *name == kind);
        let other = (!is_known).then(|| {
            let label = format!("By “{kind}”, which is edited as JSON");
            choice(kind.clone(), label, || true)
        });
        let choices = CONDUCTS.map(|(name, label)| {
            let is_chosen = name == kind;
            choice(name, label, move || is_chosen)
        });
        view! { <select class="input" aria-label="Who speaks next" on:change=choose>{other}{choices.collect_view()}</select> }
    };
    let object = place.clone();
    let rest = move || {
        let object = object.clone();
        match kind.get().as_str() {
            "selector" => view! {
                <ModelField draft offered object=object.clone() label="Selector's model" />
                <div class="team-row">
                    <NumberField draft object=object.clone() name="max_attempts" label="Attempts" placeholder="3" />
                    <CheckField draft object=object.clone() name="allow_repeated_speaker" label="Somebody may speak twice in a row" />
                </div>
                <CheckField draft object=object.clone() name="streaming" label="Its answers are streamed" />
                <ContextField draft object=object.clone() />
                <TextField draft object name="prompt" label="Selector's prompt, with {roles}, {participants} and {history}" is_long=true placeholder="The usual one" />
            }
            .into_any(),
            "magentic_one" => view! {
                <ModelField draft offered object=object.clone() label="Orchestrator's model" />
                <NumberField draft object=object.clone() name="max_stalls" label="Rounds without progress before a new plan" placeholder="3" />
                <TextField draft object name="final_answer_prompt" label="How the final answer is asked for" is_long=true placeholder="The usual way" />
            }
            .into_any(),
            "graph_flow" => view! { <Edges draft team=team.get_value() /> }.into_any(),
            "steps" => view! { <Work draft team=team.get_value() offered /> }.into_any(),
            _ => ().into_any(),
        }
    };
    view! {
        <fieldset id=part_id(&place) tabindex="-1">
            <legend>"Who speaks next"</legend>
            {choices}
            {rest}
            <CheckField draft object=team.get_value() name="emit_team_events" label="Each choice of a speaker is told as an event of its own" />
            <Rest draft place=place.clone() />
            <Told draft part=place.clone() />
        </fieldset>
    }
}
