//! A property's field: its label, the control that fits its type, and below it the fault or else the hint.

use leptos::prelude::*;
use serde_json::Value;

use super::{Choice, Field, Kind, search_input::SearchInput};
use crate::components::day_field::day_field;

/// The field. What is typed stands in `value`, also where it cannot be taken.
#[component]
pub fn SchemaField(
    /// The control's id in the document.
    #[prop(into)]
    id: String,
    /// The field's description.
    field: Field,
    /// What is typed.
    value: RwSignal<String>,
    /// What is wrong with it.
    #[prop(into)]
    fault: Signal<Option<String>>,
    /// Whether a field that can be left empty says so.
    #[prop(optional)]
    marks_optional: bool,
    /// Called when a day was chosen or typed to its end.
    #[prop(optional)]
    on_change: Option<Callback<()>>,
) -> impl IntoView {
    let hint = field.hint.clone();
    if let Kind::Choice(choices) = &field.kind
        && choices.is_empty()
        && let Some(empty) = field.message("empty")
    {
        return view! { <p class="note fault">{empty.to_owned()}</p> }.into_any();
    }
    if let Kind::Several(choices, _) = field.kind {
        return view! { <Several id title=field.title hint choices value fault name=field.name /> }
            .into_any();
    }
    let label = view! {
        <label for=id.clone()>
            {field.title.clone()}
            {(marks_optional && !field.required).then(|| view! { <span class="dim">" (optional)"</span> })}
        </label>
    };
    // What was chosen says more than a hint.
    let hint = match &field.kind {
        Kind::Search(choices) => {
            let choices = choices.clone();
            Signal::derive(move || {
                let read = |choice: &&Choice| choice.word().eq_ignore_ascii_case(value.get().trim());
                choices.iter().find(read).map(about).or_else(|| hint.clone())
            })
        }
        _ => Signal::stored(hint),
    };
    let note = id.clone();
    let control = Control { id, field, value, fault, on_change }.view();
    view! {
        <div class="field">
            {label}
            {control}
            <Note id=note fault hint />
        </div>
    }
    .into_any()
}

/// `Apple Inc. · Technology`.
pub(super) fn about(choice: &Choice) -> String {
    match &choice.detail {
        Some(detail) => format!("{} · {detail}", choice.title),
        None => choice.title.clone(),
    }
}

/// The control alone.
struct Control {
    id: String,
    field: Field,
    value: RwSignal<String>,
    fault: Signal<Option<String>>,
    on_change: Option<Callback<()>>,
}

impl Control {
    fn view(self) -> AnyView {
        let Self { id, field, value, fault, on_change } = self;
        let invalid = move || fault.with(Option::is_some).then_some("true");
        let note = format!("{id}-note");
        let name = field.name.clone();
        match field.kind.clone() {
            Kind::Boolean => {
                let yes_or_no = ["true", "false"].map(|value| Choice {
                    value: Value::Bool(value == "true"),
                    title: if value == "true" { "yes" } else { "no" }.to_owned(),
                    detail: None,
                });
                select(id, note, name, yes_or_no.to_vec(), true, value, fault)
            }
            Kind::Choice(choices) => {
                let may_be_empty = !field.required || field.initial.is_empty();
                select(id, note, name, choices, may_be_empty, value, fault)
            }
            Kind::Search(choices) => view! { <SearchInput id field choices value fault /> }.into_any(),
            Kind::Day(first, last) => view! {
                <input
                    id=id
                    class="input"
                    name=name
                    type="date"
                    min=first.map(|first| first.to_string())
                    max=last.map(|last| last.to_string())
                    aria-describedby=note
                    aria-invalid=invalid
                    node_ref=day_field(value)
                    value=value.get_untracked()
                    on:input=move |event| value.set(event_target_value(&event))
                    on:change=move |_| if let Some(on_change) = on_change { on_change.run(()) }
                />
            }
            .into_any(),
            Kind::Json | Kind::Several(..) | Kind::Texts(_) => view! {
                <textarea class="input mono" rows="4" id=id name=name spellcheck="false" aria-describedby=note aria-invalid=invalid prop:value=value on:input=move |event| value.set(event_target_value(&event))></textarea>
            }
            .into_any(),
            Kind::Text | Kind::Number | Kind::Integer => {
                let mode = if matches!(field.kind, Kind::Text) { "text" } else { "decimal" };
                view! {
                    <input
                        class="input"
                        type="text"
                        inputmode=mode
                        id=id
                        name=name
                        autocomplete="off"
                        placeholder=field.example
                        aria-describedby=note
                        aria-invalid=invalid
                        value=value.get_untracked()
                        prop:value=value
                        on:input=move |event| value.set(event_target_value(&event))
                    />
                }
                .into_any()
            }
        }
    }
}

fn select(
    id: String,
    note: String,
    name: String,
    choices: Vec<Choice>,
    may_be_empty: bool,
    value: RwSignal<String>,
    fault: Signal<Option<String>>,
) -> AnyView {
    let options = choices.into_iter().map(|choice| {
        let json = choice.value.to_string();
        let selected = value.with_untracked(|value| *value == json);
        view! { <option value=json selected=selected>{choice.title}</option> }
    });
    view! {
        <select
            class="input"
            id=id
            name=name
            aria-describedby=note
            aria-invalid=move || fault.with(Option::is_some).then_some("true")
            prop:value=value
            on:change=move |event| value.set(event_target_value(&event))
        >
            {may_be_empty.then(|| view! { <option value="">"–"</option> })}
            {options.collect_view()}
        </select>
    }
    .into_any()
}

/// Any of several, each with a box to tick.
#[component]
fn Several(
    id: String,
    name: String,
    title: String,
    hint: Option<String>,
    choices: Vec<Choice>,
    value: RwSignal<String>,
    fault: Signal<Option<String>>,
) -> impl IntoView {
    let chosen =
        Memo::new(move |_| value.with(|value| serde_json::from_str::<Vec<Value>>(value)).unwrap_or_default());
    let boxes = choices.into_iter().map(|choice| {
        let Choice { value: own, title, detail } = choice;
        let (shown, toggled) = (own.clone(), own.clone());
        let toggle = move |event| {
            let mut now = chosen.get_untracked();
            now.retain(|other| *other != toggled);
            if event_target_checked(&event) {
                now.push(toggled.clone());
            }
            value.set(Value::Array(now).to_string());
        };
        view! {
            <label>
                <input
                    type="checkbox"
                    name=name.clone()
                    checked=chosen.with_untracked(|chosen| chosen.contains(&own))
                    prop:checked=move || chosen.with(|chosen| chosen.contains(&shown))
                    aria-invalid=move || fault.with(Option::is_some).then_some("true")
                    on:change=toggle
                />
                <span>{title} {detail.map(|detail| view! { <span class="dim">{detail}</span> })}</span>
            </label>
        }
    });
    let note = format!("{id}-note");
    view! {
        <fieldset class="field checks" aria-describedby=note>
            <legend>{title}</legend>
            <div class="check-grid">{boxes.collect_view()}</div>
            <Note id fault hint=Signal::stored(hint) />
        </fieldset>
    }
}

/// The fault, or else the hint.
#[component]
pub fn Note(
    /// The id of the control that it belongs to.
    #[prop(into)]
    id: String,
    /// What is wrong.
    fault: Signal<Option<String>>,
    /// What the field is for.
    hint: Signal<Option<String>>,
) -> impl IntoView {
    let class = move || if fault.with(Option::is_some) { "note fault" } else { "note" };
    view! {
        <p id=format!("{id}-note") class=class aria-live="polite">
            {move || fault.get().or_else(|| hint.get())}
        </p>
    }
}
