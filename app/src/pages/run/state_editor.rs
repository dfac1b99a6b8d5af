//! Values of the run's state that a person changes: texts as they read, anything else as JSON.

use leptos::{prelude::*, task::spawn_local};
use protocol::{Edits, StateEntry};
use serde_json::Value;

use super::screen::Screen;
use crate::{
    api::{self, ApiError},
    browser::drafts::{drafts_of, forget_field},
    components::{draft::once_drafts_are_known, json::indented, notice::InlineProblem},
};

/// How the names of the fields for values begin.
const FIELD: &str = "state:";

/// A key that is being edited.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edited {
    key: String,
    typed: RwSignal<String>,
    /// What it was: a text stays a text, and what has not changed is left out.
    before: Value,
}

impl Edited {
    fn new(key: String, before: Value) -> Self {
        let typed = match &before {
            Value::String(text) => text.clone(),
            value => indented(&value.to_string()),
        };
        Self { key, typed: RwSignal::new(typed), before }
    }

    fn value(&self) -> Result<Value, String> {
        self.typed.with(|typed| match &self.before {
            Value::String(_) => Ok(Value::String(typed.clone())),
            _ => serde_json::from_str(typed).map_err(|error| format!("This is not valid JSON: {error}.")),
        })
    }
}

/// Keys to choose from, and below a place for each chosen key's value. `edits` holds the changed
/// values, or what is wrong with one.
#[component]
pub fn StateEditor(
    screen: Screen,
    edits: RwSignal<Result<Edits, String>>,
    /// The name of the form's draft.
    draft: String,
) -> impl IntoView {
    let keys = screen.live.view.with_untracked(|view| view.state.keys().cloned().collect::<Vec<_>>());
    let edited = RwSignal::new(Vec::<Edited>::new());
    let draft = StoredValue::new(draft);
    let problem = RwSignal::new(None::<ApiError>);
    let collected = Memo::new(move |_| edited.with(|edited| collect(edited)));
    Effect::new(move |_| edits.set(collected.get()));
    let choose = move |key: String| {
        let is_edited = edited.try_with_untracked(|edited| edited.iter().any(|other| other.key == key));
        if key.is_empty() || is_edited != Some(false) {
            return;
        }
        let entries =
            screen.live.view.with_untracked(|view| view.state.get(&key).cloned().unwrap_or_default());
        spawn_local(async move {
            match value_of(screen, entries.iter().map(|entry| &**entry)).await {
                Ok(before) => {
                    edited.try_update(|edited| {
                        // It may have been chosen twice before its value came.
                        if edited.iter().all(|other| other.key != key) {
                            edited.push(Edited::new(key, before));
                        }
                    });
                    problem.try_set(None);
                }
                Err(error) => drop(problem.try_set(Some(error))),
            }
        });
    };
    // Keys that were being edited before the page was loaded anew; the form then puts their values back.
    Effect::new(move |_| {
        once_drafts_are_known(move || {
            let drafts = draft.try_with_value(|draft| drafts_of(draft)).unwrap_or_default();
            drafts.iter().flat_map(|draft| draft.names_after(FIELD)).for_each(choose);
        });
    });
    let options =
        keys.iter().map(|key| view! { <option value=key.clone()>{key.clone()}</option> }).collect_view();
    view! {
        <div class="state-editor">
            {if keys.is_empty() {
                view! { <p class="dim">"The run's state has no entries yet."</p> }.into_any()
            } else {
                view! {
                    <label class="ask-label">
                        "Change an entry of the state"
                        <select class="input" on:change=move |event| choose(event_target_value(&event))>
                            <option value="">"Choose a key"</option>
                            {options}
                        </select>
                    </label>
                }
                .into_any()
            }}
            <For each=move || edited.get() key=|edited| edited.key.clone() let:one>
                {
                    let (typed, key) = (one.typed, one.key.clone());
                    let fault = move || one.value().err();
                    let remove = {
                        let key = key.clone();
                        move |_| {
                            draft.with_value(|draft| forget_field(draft, &format!("{FIELD}{key}")));
                            edited.update(|edited| edited.retain(|other| other.key != key));
                        }
                    };
                    view! {
                        <div class="state-edit">
                            <label class="ask-label">
                                <span class="mono">{key.clone()}</span>
                                <textarea class="input mono" name=format!("{FIELD}{key}") rows="6" spellcheck="false" prop:value=typed on:input=move |event| typed.set(event_target_value(&event))></textarea>
                            </label>
                            <p class="note fault" aria-live="polite">{fault}</p>
                            <button type="button" class="quiet-button" on:click=remove>{format!("Leave {key} as it is")}</button>
                        </div>
                    }
                }
            </For>
            {move || problem.get().map(|error| view! { <InlineProblem text=error.to_string() /> })}
        </div>
    }
}

fn collect(edited: &[Edited]) -> Result<Edits, String> {
    let mut patch = Edits::new();
    for one in edited {
        let value = one.value()?;
        if value != one.before {
            patch.insert(one.key.clone(), value.to_string().into());
        }
    }
    Ok(patch)
}

/// The whole value of a key.
async fn value_of(screen: Screen, entries: impl Iterator<Item = &StateEntry>) -> Result<Value, ApiError> {
    let mut whole = Value::Null;
    for entry in entries {
        let text = match entry.value.stored() {
            Some(digest) => api::text(screen.id, digest.clone()).await?,
            None => entry.value.shown().to_owned(),
        };
        // What the log holds is JSON; were it not, the person would see it as a text.
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        whole = match (entry.appended, whole) {
            (false, _) => value,
            (true, Value::Array(mut items)) => {
                items.push(value);
                Value::Array(items)
            }
            (true, _) => Value::Array(vec![value]),
        };
    }
    Ok(whole)
}
