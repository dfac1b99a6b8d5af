//! Forms for a text, a choice and an object.

use std::collections::BTreeMap;

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::{GivenAnswer, InputForm};
use serde_json::Value;

use super::{
    Reply,
    schema::{Field, Kind, fields, read},
};
use crate::{
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        json,
        verbatim::Verbatim,
        whole_text::whole_text,
    },
    pages::run::screen::Screen,
};

/// The form of a question that asks for a value.
#[component]
pub fn ValueAsk(
    screen: Screen,
    name: String,
    form: InputForm,
    /// How the names of its drafts begin.
    draft: String,
    reply: Reply,
) -> impl IntoView {
    let draft = format!("{draft}value");
    match form {
        InputForm::Text => view! { <TextForm name draft reply /> }.into_any(),
        InputForm::Choice { options } => view! { <ChoiceForm name draft options reply /> }.into_any(),
        InputForm::Object { schema } => {
            let schema = whole_text(screen.id, schema);
            (move || {
                let (name, draft, schema) = (name.clone(), draft.clone(), schema.get());
                schema.map(|schema| match json::read(&schema).as_ref().and_then(fields) {
                    Some(fields) => view! { <ObjectForm name draft fields reply /> }.into_any(),
                    None => view! { <JsonForm name draft schema reply /> }.into_any(),
                })
            })
            .into_any()
        }
        InputForm::Approval(_) => ().into_any(),
    }
}

fn send(reply: Reply, value: &Value) {
    reply.dispatch(GivenAnswer::Value { json: value.to_string().into() });
}

#[component]
fn Submit(reply: Reply) -> impl IntoView {
    view! {
        <div class="ask-acts">
            <button type="submit" class="button primary" disabled=reply.pending()>
                <Icon name=IconName::Check />
                {move || if reply.pending().get() { "Sending …" } else { "Answer" }}
            </button>
        </div>
    }
}

#[component]
fn TextForm(name: String, draft: String, reply: Reply) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<&str>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked();
        if text.trim().is_empty() {
            return fault.set(Some("Answer with some text."));
        }
        fault.set(None);
        send(reply, &Value::String(text.trim().to_owned()));
    };
    let note = format!("{name}-note");
    view! {
        <form class="ask-form" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <textarea
                class="input"
                rows="3"
                aria-label="Your answer"
                aria-describedby=note.clone()
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
            <p id=note class="inline-problem" role="alert">{fault}</p>
            <Submit reply />
        </form>
    }
}

#[component]
fn ChoiceForm(name: String, draft: String, options: Vec<String>, reply: Reply) -> impl IntoView {
    let chosen = RwSignal::new(None::<usize>);
    let words = StoredValue::new(options.clone());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let value =
            chosen.get_untracked().and_then(|index| words.with_value(|words| words.get(index).cloned()));
        if let Some(value) = value {
            send(reply, &Value::String(value));
        }
    };
    let choices = options.into_iter().enumerate().map(|(index, option)| {
        view! {
            <label class="ask-choice">
                <input
                    type="radio"
                    name=name.clone()
                    required=true
                    prop:checked=move || chosen.get() == Some(index)
                    on:change=move |_| chosen.set(Some(index))
                />
                <span>{option}</span>
            </label>
        }
    });
    view! {
        <form class="ask-form" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <fieldset class="ask-choices">
                <legend class="visually-hidden">"Your answer"</legend>
                {choices.collect_view()}
            </fieldset>
            <Submit reply />
        </form>
    }
}

#[component]
fn ObjectForm(name: String, draft: String, fields: Vec<Field>, reply: Reply) -> impl IntoView {
    let typed = RwSignal::new(
        fields.iter().map(|field| (field.name.clone(), field.initial.clone())).collect::<BTreeMap<_, _>>(),
    );
    let faults = RwSignal::new(BTreeMap::<String, String>::new());
    let all = StoredValue::new(fields.clone());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (mut object, mut found) = (serde_json::Map::new(), BTreeMap::new());
        let given = typed.get_untracked();
        all.with_value(|fields| {
            for field in fields {
                match read(field, given.get(&field.name).map_or("", String::as_str)) {
                    Ok(Some(value)) => drop(object.insert(field.name.clone(), value)),
                    Ok(None) => {}
                    Err(fault) => drop(found.insert(field.name.clone(), fault)),
                }
            }
        });
        let is_whole = found.is_empty();
        faults.set(found);
        if is_whole {
            send(reply, &Value::Object(object));
        }
    };
    let rows = fields.into_iter().map(|field| {
        let id = format!("{name}-{}", field.name);
        view! { <FieldRow id field typed faults /> }
    });
    view! {
        <form class="ask-form" novalidate=true on:submit=submit node_ref=draft_of(move || draft.clone())>
            {rows.collect_view()}
            <Submit reply />
        </form>
    }
}

/// A property with the control that fits its type.
#[component]
fn FieldRow(
    id: String,
    field: Field,
    typed: RwSignal<BTreeMap<String, String>>,
    faults: RwSignal<BTreeMap<String, String>>,
) -> impl IntoView {
    let Field { name, title, hint, required, kind, .. } = field;
    let value = {
        let name = name.clone();
        move || typed.with(|typed| typed.get(&name).cloned().unwrap_or_default())
    };
    let set = {
        let name = name.clone();
        move |text: String| typed.update(|typed| drop(typed.insert(name.clone(), text)))
    };
    let fault = Memo::new(move |_| faults.with(|faults| faults.get(&name).cloned()));
    let invalid = move || fault.with(Option::is_some).then_some("true");
    let note = format!("{id}-note");
    let control = match kind {
        Kind::Boolean => view! {
            <select class="input" id=id.clone() aria-describedby=note.clone() aria-invalid=invalid prop:value=value on:change=move |event| set(event_target_value(&event))>
                <option value="">"–"</option>
                <option value="true">"yes"</option>
                <option value="false">"no"</option>
            </select>
        }
        .into_any(),
        Kind::Choice(options) => {
            let options = options.into_iter().map(|option| {
                let shown = option.as_str().map_or_else(|| option.to_string(), str::to_owned);
                view! { <option value=option.to_string()>{shown}</option> }
            });
            view! {
                <select class="input" id=id.clone() aria-describedby=note.clone() aria-invalid=invalid prop:value=value on:change=move |event| set(event_target_value(&event))>
                    <option value="">"–"</option>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        Kind::Json => view! {
            <textarea class="input mono" rows="4" id=id.clone() spellcheck="false" aria-describedby=note.clone() aria-invalid=invalid prop:value=value on:input=move |event| set(event_target_value(&event))></textarea>
        }
        .into_any(),
        Kind::Text | Kind::Number | Kind::Integer => {
            let mode = if matches!(kind, Kind::Text) { "text" } else { "decimal" };
            view! {
                <input class="input" type="text" inputmode=mode id=id.clone() autocomplete="off" aria-describedby=note.clone() aria-invalid=invalid value=value() prop:value=value on:input=move |event| set(event_target_value(&event)) />
            }
            .into_any()
        }
    };
    view! {
        <div class="field">
            <label for=id>
                {title}
                {(!required).then(|| view! { <span class="dim">" (optional)"</span> })}
            </label>
            {control}
            <p id=note class=move || if fault.with(Option::is_some) { "note fault" } else { "note" } aria-live="polite">
                {move || fault.get().or_else(|| hint.clone())}
            </p>
        </div>
    }
}

/// For a schema that is no plain object: its JSON, and a place to write JSON.
#[component]
fn JsonForm(name: String, draft: String, schema: String, reply: Reply) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<String>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match serde_json::from_str::<Value>(&typed.get_untracked()) {
            Ok(value) => {
                fault.set(None);
                send(reply, &value);
            }
            Err(error) => fault.set(Some(format!("This is not valid JSON: {error}."))),
        }
    };
    let note = format!("{name}-note");
    view! {
        <form class="ask-form" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <textarea class="input mono" rows="5" spellcheck="false" aria-label="Your answer, as JSON" aria-describedby=note.clone() prop:value=typed on:input=move |event| typed.set(event_target_value(&event))></textarea>
            <p id=note class="inline-problem" role="alert">{fault}</p>
            <details>
                <summary class="dim">"Its JSON schema"</summary>
                <Verbatim text=json::indented(&schema) />
            </details>
            <Submit reply />
        </form>
    }
}
