//! Forms for a text, a choice and an object.

use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    prelude::*,
};
use protocol::{GivenAnswer, InputForm};
use serde_json::Value;

use super::Reply;
use crate::{
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        json,
        schema::{Field, SchemaField, fields},
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
    let answer = move || {
        let text = typed.get_untracked();
        if text.trim().is_empty() {
            return fault.set(Some("Answer with some text."));
        }
        fault.set(None);
        send(reply, &Value::String(text.trim().to_owned()));
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        answer();
    };
    let by_key = move |event: KeyboardEvent| {
        if event.key() == "Enter"
            && (event.ctrl_key() || event.meta_key())
            && !reply.pending().get_untracked()
        {
            event.prevent_default();
            answer();
        }
    };
    let note = format!("{name}-note");
    view! {
        <form class="ask-form" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <textarea
                class="input"
                rows="3"
                aria-label="Your answer"
                title="Ctrl Enter sends it"
                aria-describedby=note.clone()
                prop:value=typed
                on:keydown=by_key
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
    let rows: Vec<_> = fields
        .into_iter()
        .map(|field| {
            let typed = RwSignal::new(field.initial.clone());
            (field, typed, RwSignal::new(None::<String>))
        })
        .collect();
    let all = StoredValue::new(rows.clone());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let mut object = Some(serde_json::Map::new());
        all.with_value(|rows| {
            for (field, typed, fault) in rows {
                let read = field.read(&typed.get_untracked());
                fault.set(read.as_ref().err().cloned());
                match (read, &mut object) {
                    (Ok(Some(value)), Some(object)) => drop(object.insert(field.name.clone(), value)),
                    (Ok(_), _) => {}
                    (Err(_), _) => object = None,
                }
            }
        });
        if let Some(object) = object {
            send(reply, &Value::Object(object));
        }
    };
    let rows = rows.into_iter().map(|(field, value, fault)| {
        let id = format!("{name}-{}", field.name);
        view! { <SchemaField id field value fault marks_optional=true /> }
    });
    view! {
        <form class="ask-form" novalidate=true on:submit=submit node_ref=draft_of(move || draft.clone())>
            {rows.collect_view()}
            <Submit reply />
        </form>
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
