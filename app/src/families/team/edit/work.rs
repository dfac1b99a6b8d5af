//! Work in steps: what is to be done, who does it, and which earlier results it is given.

use leptos::prelude::*;
use serde_json::Value;

use super::{
    change::{self, steps},
    draft::Draft,
    field::{LeftOut, ModelField, Offered, TextField},
    order::{OrderActs, Ordered},
    part_id,
    rest::Rest,
    told::Told,
    who::{NameBox, WhoField},
};
use crate::{
    components::{
        choice::choice,
        icon::{Icon, IconName},
    },
};

/// Who says who does a step that belongs to nobody, by the names that documents have.
const PROCESSES: [(&str, &str); 2] =
    [("sequential", "Each step says who does it"), ("hierarchical", "Somebody leads, where a step does not say it")];

/// The steps of the team at a place.
#[component]
pub(super) fn Work(draft: Draft, team: String, offered: Offered) -> impl IntoView {
    let list = format!("{team}/conduct/steps");
    let count = draft.rows(list.clone());
    let agents = draft.of(team.clone(), change::names);
    let titles = draft.of(team.clone(), steps::titles);
    let process = format!("{team}/conduct/process");
    let team = StoredValue::new(team);
    let add = move |_| team.with_value(|place| draft.step(place, steps::add));
    view! {
        <Process draft team process agents offered />
        <p class="dim">"A name in braces in a text, such as {topic}, is filled in by whoever starts the team."</p>
        <For each=move || 0..count.get() key=|number| *number let:number>
            <Step draft team number count agents titles />
        </For>
        <LeftOut draft list />
        <div class="page-acts">
            <button type="button" class="button" on:click=add>
                <Icon name=IconName::Plus />
                "Add a step"
            </button>
        </div>
    }
}

/// Who says who does which step.
#[component]
fn Process(
    draft: Draft,
    team: StoredValue<String>,
    process: String,
    agents: Memo<Vec<String>>,
    offered: Offered,
) -> impl IntoView {
    let (kind, lead) = (draft.at(format!("{process}/kind")), draft.at(format!("{process}/lead")));
    let choose = move |event| {
        let kind = event_target_value(&event);
        let place = format!("{}/conduct", team.get_value());
        draft.step(&place, |conduct| steps::choose_process(conduct, &kind));
    };
    let process = StoredValue::new(process);
    let choose_lead = Callback::new(move |name: String| {
        process.with_value(|process| draft.put(process, "lead", (!name.is_empty()).then(|| Value::String(name))));
        draft.end_step();
    });
    let options = PROCESSES.map(|(value, label)| {
        choice(value, label, move || kind.with(|kind| kind == value || (kind.is_empty() && value == PROCESSES[0].0)))
    });
    let is_led = Memo::new(move |_| kind.with(|kind| kind == "hierarchical"));
    let by_model = Memo::new(move |_| is_led.get() && lead.with(String::is_empty));
    view! {
        <label>"Who does which step" <select class="input" on:change=choose>{options.collect_view()}</select></label>
        <Show when=move || is_led.get()>
            <label>
                "Who leads"
                <WhoField names=agents chosen=lead label="Who leads".to_owned() choose=choose_lead nobody=Some("A model") />
            </label>
        </Show>
        <Show when=move || by_model.get()>
            <ModelField draft offered object=process.get_value() label="Model that says who does a step" />
        </Show>
    }
}

/// One step.
#[component]
fn Step(
    draft: Draft,
    team: StoredValue<String>,
    number: usize,
    count: Memo<usize>,
    agents: Memo<Vec<String>>,
    titles: Memo<Vec<String>>,
) -> impl IntoView {
    let place = format!("{}/conduct/steps/{number}", team.get_value());
    let (name, agent) = (draft.at(format!("{place}/name")), draft.at(format!("{place}/agent")));
    let (object, id) = (StoredValue::new(place.clone()), part_id(&place));
    let choose = Callback::new(move |name: String| {
        object.with_value(|step| draft.put(step, "agent", (!name.is_empty()).then(|| Value::String(name))));
        draft.end_step();
    });
    let (swap, remove) = (steps::swap, steps::remove);
    let one = Ordered { draft, team, list: "conduct/steps", number, count, swap, remove };
    view! {
        <fieldset class="team-node" id=id tabindex="-1" on:keydown=move |event| one.by_key(event)>
            <legend>{move || format!("Step {}: {}", number + 1, name.get())}</legend>
            <NameField draft team number name />
            <label>
                "Who does it"
                <WhoField names=agents chosen=agent label=Signal::derive(move || format!("Who does {}", name.get())) choose nobody=Some("Nobody is named") />
            </label>
            <TextField draft object=place.clone() name="description" label="What is to be done" is_long=true is_demanded=true />
            <TextField draft object=place.clone() name="expected_output" label="What shall come of it" is_long=true />
            <Given draft place=place.clone() number titles name />
            <TextField draft object=place.clone() name="artefact" label="Its result is offered as the file" placeholder="report.md" />
            <Rest draft place=place.clone() />
            <Told draft part=place />
            <OrderActs one name />
        </fieldset>
    }
}

/// The name, by which later steps know its result: they follow it.
#[component]
fn NameField(draft: Draft, team: StoredValue<String>, number: usize, name: Memo<String>) -> impl IntoView {
    let place = format!("{}/conduct/steps/{number}/name", team.get_value());
    // While a name is typed that is none, or another one's, the step is known by the last that was its own.
    let known_as = StoredValue::new(String::new());
    let write = move |event| {
        let typed = event_target_value(&event);
        let titles = team.with_value(|team| draft.content.with_untracked(|content| content.pointer(team).map(steps::titles)));
        let titles = titles.unwrap_or_default();
        let own = titles.get(number).filter(|own| !own.is_empty() && titles.iter().filter(|title| title == own).count() == 1);
        if let Some(own) = own {
            known_as.set_value(own.clone());
        }
        let known_as = known_as.get_value();
        team.with_value(|team| draft.typed(place.clone(), team, |team| steps::rename(team, number, &known_as, &typed)));
    };
    view! { <label>"Name" <input class="input" type="text" prop:value=name on:input=write /></label> }
}

/// Which earlier results a step is given.
#[component]
fn Given(draft: Draft, place: String, number: usize, titles: Memo<Vec<String>>, name: Memo<String>) -> impl IntoView {
    let chosen = draft.of(place.clone(), |step| {
        let inputs = step.get("inputs")?.as_array()?;
        Some(inputs.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
    });
    let is_chosen = Memo::new(move |_| chosen.with(Option::is_some));
    // Those that are named and are no earlier step any more can be taken out as well.
    let offered = Memo::new(move |_| {
        let mut offered: Vec<String> = titles.with(|titles| titles.iter().take(number).cloned().collect());
        let named = chosen.get().unwrap_or_default();
        let strangers: Vec<String> = named.into_iter().filter(|name| !offered.contains(name)).collect();
        offered.extend(strangers);
        offered
    });
    let place = StoredValue::new(place);
    let choose = move |event| {
        let all = event_target_value(&event) == "all";
        place.with_value(|place| draft.step(place, |step| steps::give_all(step, all)));
    };
    let options = move || {
        [("all", "The results of all earlier steps"), ("these", "The results of these steps")]
            .map(|(value, label)| choice(value, label, move || is_chosen.get() == (value == "these")))
            .collect_view()
    };
    // The first step has nothing to be given.
    let has_choice = move || number != 0 || is_chosen.get();
    let boxes = move |title: String| {
        let (own, label) = (title.clone(), title.clone());
        let is_given = move || chosen.with(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.contains(&own)));
        let give = move |is_given| {
            place.with_value(|place| draft.step(place, |step| steps::give(step, &title, is_given)));
        };
        view! { <NameBox name=label is_chosen=is_given choose=give /> }
    };
    let boxes = StoredValue::new(boxes);
    view! {
        <Show when=has_choice>
            <label>"What it is given" <select class="input" on:change=choose>{options}</select></label>
            <Show when=move || is_chosen.get()>
                <div class="team-row" role="group" aria-label=move || format!("Results that {} is given", name.get())>
                    <For each=move || offered.get() key=Clone::clone let:title>
                        {boxes.with_value(|boxes| boxes(title))}
                    </For>
                </div>
            </Show>
        </Show>
    }
}
