//! Texts under names, each with a field of its own.

use leptos::prelude::*;

use super::{Field, Note, json_of, texts, words};

/// A field for each name that is needed; nothing where none is.
#[component]
pub fn TextsField(
    /// The id of the whole in the document.
    #[prop(into)]
    id: String,
    /// The field's description.
    field: Field,
    /// The names that are needed.
    names: Memo<Vec<String>>,
    /// What is typed: texts by their names, as JSON.
    value: RwSignal<String>,
    /// What is wrong with it.
    #[prop(into)]
    fault: Signal<Option<String>>,
) -> impl IntoView {
    let Field { name: whole, title, hint, .. } = field;
    let note = id.clone();
    let row = move |name: String| {
        let (described, label) = (format!("{id}-note"), words(&name));
        let (id, own) = (format!("{id}-{name}"), name.clone());
        let text = Memo::new(move |_| value.with(|typed| texts(typed).remove(&own).unwrap_or_default()));
        let is_lacking = move || fault.with(Option::is_some) && text.with(|text| text.trim().is_empty());
        let write = {
            let name = name.clone();
            move |event| {
                let mut all = value.with_untracked(|typed| texts(typed));
                all.insert(name.clone(), event_target_value(&event));
                value.set(json_of(all).to_string());
            }
        };
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input
                    class="input"
                    type="text"
                    id=id
                    name=format!("{whole}.{name}")
                    autocomplete="off"
                    aria-required="true"
                    aria-describedby=described
                    aria-invalid=move || is_lacking().then_some("true")
                    value=text.get_untracked()
                    prop:value=text
                    on:input=write
                />
            </div>
        }
    };
    let (row, hint) = (StoredValue::new(row), Signal::stored(hint));
    view! {
        <Show when=move || !names.with(Vec::is_empty)>
            <fieldset class="field">
                <legend>{title.clone()}</legend>
                <For each=move || names.get() key=Clone::clone let:name>
                    {row.with_value(|row| row(name))}
                </For>
                <Note id=note.clone() fault hint />
            </fieldset>
        </Show>
    }
}
