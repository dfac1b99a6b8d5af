//! When a team ends: a sentence, the conditions as they are within each other, and the most turns.

use leptos::prelude::*;
use serde_json::Value;

use super::{
    change::{self, conditions},
    draft::Draft,
    field::{CheckField, LeftOut, NumberField, TextField, kinds},
    part_id,
    told::Told,
    who::{NameBox, WhoField},
};
use crate::{
    browser,
    components::{
        choice::choice,
        icon::{Icon, IconName},
    },
    families::team::conditions::ends_when,
};

/// Levels of conditions within each other that have fields, as many as a team may have to run.
const DEEPEST: usize = 12;

/// Simple conditions, by the names that documents have.
const SIMPLE: [(&str, &str); 10] = [
    ("text_mention", "Someone says a text"),
    ("max_messages", "There are so many messages"),
    ("token_usage", "So many tokens are used"),
    ("timeout", "So many seconds have passed"),
    ("handoff", "The work is handed over to somebody"),
    ("source_match", "Somebody has spoken"),
    ("text_message", "A message of plain text"),
    ("function_call", "A tool was called"),
    ("stop_message", "Someone asks to stop"),
    ("external", "It is told from outside to end"),
];
/// How conditions go together.
const GROUPS: [(&str, &str); 2] = [("any", "Any of these"), ("all", "All of these")];

/// When the team at a place ends.
#[component]
pub(super) fn Ends(draft: Draft, team: String) -> impl IntoView {
    let end = draft.of(team.clone(), |team| {
        ends_when(team.get("termination"), team.get("max_turns").and_then(Value::as_u64))
    });
    let has_any = draft.of(team.clone(), |team| team.get("termination").is_some_and(|condition| !condition.is_null()));
    let place = format!("{team}{}", conditions::WHOLE);
    let object = team.clone();
    let team = StoredValue::new(team);
    let add = move |_| team.with_value(|team| draft.step(team, |team| conditions::add(team, conditions::WHOLE)));
    view! {
        <fieldset id=part_id(&place) tabindex="-1">
            <legend>"Ends when"</legend>
            <p>{end}</p>
            {move || has_any.get().then(|| view! { <Condition draft team place=conditions::WHOLE.to_owned() level=0 /> })}
            <div class="page-acts">
                <button type="button" class="button" on:click=add>
                    <Icon name=IconName::Plus />
                    "Add a condition"
                </button>
            </div>
            <NumberField draft object name="max_turns" label="Turns at most" placeholder="no limit" />
        </fieldset>
    }
}

/// The number of a condition at its place, as 2.1 for the first one within the second; empty for the whole.
fn number(place: &str) -> String {
    let numbers = place.split('/').filter_map(|step| step.parse::<usize>().ok());
    numbers.map(|number| (number + 1).to_string()).collect::<Vec<_>>().join(".")
}

/// What people call a condition at its place.
fn named(what: &str, place: &str) -> String {
    format!("{what} {}", number(place)).trim_end().to_owned()
}

/// A condition, with those that are within it; `place` is where it stands in the team.
#[component]
fn Condition(draft: Draft, team: StoredValue<String>, place: String, level: usize) -> AnyView {
    let at = format!("{}{place}", team.get_value());
    let is_group = draft.of(at.clone(), conditions::is_group);
    let told = at.clone();
    let is_within = place != conditions::WHOLE;
    let can_dissolve = {
        let place = place.clone();
        draft.of(team.get_value(), move |team| conditions::can_dissolve(team, &place))
    };
    let place = StoredValue::new(place);
    let change = move |change: fn(&mut Value, &str)| {
        team.with_value(|team| draft.step(team, |team| place.with_value(|place| change(team, place))));
    };
    let remove = move |_| {
        let group = place.with_value(|place| place.rsplit_once("/conditions/").map(|(group, _)| group.to_owned()));
        let group = group.unwrap_or_else(|| conditions::WHOLE.to_owned());
        change(conditions::remove);
        // What it was within is there still.
        browser::focus_id(&part_id(&format!("{}{group}", team.get_value())));
    };
    let what = move || if is_group.get() { "Group" } else { "Condition" };
    let name = move || place.with_value(|place| named(what(), place));
    let choose = Callback::new(move |kind: String| {
        team.with_value(|team| {
            draft.step(team, |team| place.with_value(|place| conditions::choose_kind(team, place, &kind)));
        });
    });
    let kind = draft.at(format!("{at}/kind"));
    let kinds = move || match is_group.get() {
        true => view! { <GroupKind kind choose name=place.with_value(|place| named("group", place)) /> }.into_any(),
        false => view! { <SimpleKind kind choose /> }.into_any(),
    };
    let object = at.clone();
    let rest = move || match is_group.get() {
        _ if level >= DEEPEST => {
            view! { <p class="dim">"It is too deep within others for this form, and is edited as JSON."</p> }.into_any()
        }
        true => view! { <Group draft team place=place.get_value() level /> }.into_any(),
        false => view! { <Fields draft team kind at=object.clone() /> }.into_any(),
    };
    view! {
        // The part of the form that the whole is has the place's id already.
        <div class="team-condition" role="group" aria-label=name id=is_within.then(|| part_id(&at)) tabindex="-1">
            <div class="team-edge">
                {kinds}
                {move || can_dissolve.get().then(|| view! {
                    <button type="button" class="icon-button" title="Take apart" aria-label=move || format!("Take {} apart", name().to_lowercase()) on:click=move |_| change(conditions::dissolve)>
                        <Icon name=IconName::Cut />
                    </button>
                })}
                <button type="button" class="icon-button" title="Into a group" aria-label=move || format!("Put {} into a group", name().to_lowercase()) on:click=move |_| change(conditions::enclose)>
                    <Icon name=IconName::Group />
                </button>
                <button type="button" class="icon-button" title="Remove" aria-label=move || format!("Remove {}", name().to_lowercase()) on:click=remove>
                    <Icon name=IconName::Close />
                </button>
            </div>
            {rest}
            <Told draft part=told />
        </div>
    }
    .into_any()
}

/// Whether any or all of a group are needed.
#[component]
fn GroupKind(kind: Memo<String>, choose: Callback<String>, name: String) -> impl IntoView {
    let options = GROUPS.map(|(value, label)| choice(value, label, move || kind.with(|kind| kind == value)));
    view! {
        <select class="input" aria-label=format!("What of {name} has to happen") on:change=move |event| choose.run(event_target_value(&event))>
            {options.collect_view()}
        </select>
    }
}

/// What a condition by itself waits for.
#[component]
fn SimpleKind(kind: Memo<String>, choose: Callback<String>) -> impl IntoView {
    let options = move || {
        kind.with(|kind| kinds(SIMPLE, kind, |kind| format!("A “{kind}”, which is edited as JSON")))
    };
    view! {
        <select class="input" aria-label="What has to happen" on:change=move |event| choose.run(event_target_value(&event))>{options}</select>
    }
}

/// The conditions within a group.
#[component]
fn Group(draft: Draft, team: StoredValue<String>, place: String, level: usize) -> impl IntoView {
    let list = format!("{}{place}/conditions", team.get_value());
    let count = draft.rows(list.clone());
    let is_within = place != conditions::WHOLE;
    let name = named("group", &place);
    let place = StoredValue::new(place);
    let add = move |_| {
        team.with_value(|team| draft.step(team, |team| place.with_value(|place| conditions::add(team, place))));
    };
    view! {
        <div class="team-conditions">
            <For each=move || 0..count.get() key=|number| *number let:number>
                <Condition draft team place=format!("{}/conditions/{number}", place.get_value()) level=level + 1 />
            </For>
            <LeftOut draft list />
            // The button for the whole stands below all conditions.
            {is_within.then(|| view! {
                <div class="page-acts">
                    <button type="button" class="button" aria-label=format!("Add a condition to {name}") on:click=add>
                        <Icon name=IconName::Plus />
                        "Add a condition"
                    </button>
                </div>
            })}
        </div>
    }
}

/// The fields of a condition by itself.
#[component]
fn Fields(draft: Draft, team: StoredValue<String>, kind: Memo<String>, at: String) -> impl IntoView {
    let fields = move || {
        let at = at.clone();
        let fields = match kind.get().as_str() {
            "text_mention" => view! { <TextField draft object=at name="text" label="The text" is_demanded=true /> }.into_any(),
            "max_messages" => view! {
                <NumberField draft object=at.clone() name="max_messages" label="Messages, the task among them" is_demanded=true />
                <CheckField draft object=at name="include_agent_event" label="Calls of tools count as well" />
            }
            .into_any(),
            "token_usage" => view! {
                <NumberField draft object=at.clone() name="max_total" label="Tokens in all" placeholder="no limit" />
                <NumberField draft object=at.clone() name="max_prompt" label="Of prompts" placeholder="no limit" />
                <NumberField draft object=at name="max_completion" label="Of answers" placeholder="no limit" />
            }
            .into_any(),
            "timeout" => {
                view! { <NumberField draft object=at name="seconds" label="Seconds" is_demanded=true allows_fractions=true /> }.into_any()
            }
            "handoff" => view! { <Who draft team at field="target" label="To whom" /> }.into_any(),
            "text_message" => view! { <Who draft team at field="source" label="From whom" nobody="anybody" /> }.into_any(),
            "source_match" => view! { <Sources draft team at /> }.into_any(),
            "function_call" => {
                view! { <TextField draft object=at name="function_name" label="The tool's name" is_demanded=true /> }.into_any()
            }
            _ => return None,
        };
        Some(view! { <div class="team-row">{fields}</div> })
    };
    view! { {fields} }
}

/// Whom a condition names.
#[component]
fn Who(
    draft: Draft,
    team: StoredValue<String>,
    at: String,
    field: &'static str,
    label: &'static str,
    #[prop(optional)] nobody: Option<&'static str>,
) -> impl IntoView {
    let names = draft.of(team.get_value(), change::known);
    let chosen = draft.at(format!("{at}/{field}"));
    let choose = Callback::new(move |name: String| {
        draft.put(&at, field, (!name.is_empty()).then(|| Value::String(name)));
        draft.end_step();
    });
    view! { <label>{label} <WhoField names chosen label=label.to_owned() choose nobody /></label> }
}

/// Those of whom one has to have spoken.
#[component]
fn Sources(draft: Draft, team: StoredValue<String>, at: String) -> impl IntoView {
    let sources = draft.of(format!("{at}/sources"), |sources| {
        let sources = sources.as_array().into_iter().flatten().filter_map(Value::as_str);
        sources.map(str::to_owned).collect::<Vec<_>>()
    });
    let known = draft.of(team.get_value(), change::known);
    let all = Memo::new(move |_| {
        let mut all = known.get();
        let strangers = sources.get().into_iter().filter(|source| !all.contains(source)).collect::<Vec<_>>();
        all.extend(strangers);
        all
    });
    let at = StoredValue::new(at);
    view! {
        <div class="team-row" role="group" aria-label="Of whom one has spoken">
            <For each=move || all.get() key=Clone::clone let:name>
                {
                    let (label, own) = (name.clone(), name.clone());
                    let is_chosen = move || sources.with(|sources| sources.contains(&own));
                    let choose = move |waits| {
                        at.with_value(|at| draft.step(at, |condition| conditions::wait_for_source(condition, &name, waits)));
                    };
                    view! { <NameBox name=label is_chosen choose /> }
                }
            </For>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_called_by_its_numbers_from_the_outermost_group() {
        assert_eq!(named("Condition", "/termination"), "Condition");
        assert_eq!(named("Group", "/termination/conditions/1"), "Group 2");
        assert_eq!(named("Condition", "/termination/conditions/1/conditions/0"), "Condition 2.1");
    }
}
