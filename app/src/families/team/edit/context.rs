//! How much of the conversation a model reads.

use leptos::prelude::*;

use super::{change, draft::Draft, field::{NumberField, kinds}};

/// How much of the conversation a model reads, by the names that documents have.
const CONTEXTS: [(&str, &str); 4] = [
    ("unbounded", "All of it"),
    ("buffered", "The last messages"),
    ("head_and_tail", "The first and the last messages"),
    ("token_limited", "As much as fits into a number of tokens"),
];

/// How much of the conversation the model at a place reads.
#[component]
pub(super) fn ContextField(draft: Draft, object: String) -> impl IntoView {
    let place = format!("{object}/context");
    let kind = draft.at(format!("{place}/kind"));
    let choose = move |event| {
        let kind = event_target_value(&event);
        draft.step(&object, |object| change::choose_context(object, &kind));
    };
    let options = move || {
        let kind = kind.get();
        let kind = if kind.is_empty() { CONTEXTS[0].0 } else { kind.as_str() };
        kinds(CONTEXTS, kind, |kind| format!("By “{kind}”, which is edited as JSON"))
    };
    let fields = move || {
        let object = place.clone();
        match kind.get().as_str() {
            "buffered" => {
                view! { <NumberField draft object name="size" label="Of the last" is_demanded=true /> }.into_any()
            }
            "head_and_tail" => view! {
                <NumberField draft object=object.clone() name="head" label="Of the first" is_demanded=true />
                <NumberField draft object name="tail" label="Of the last" is_demanded=true />
            }
            .into_any(),
            "token_limited" => {
                view! { <NumberField draft object name="limit" label="Tokens at most" placeholder="as many as the model takes" /> }.into_any()
            }
            _ => ().into_any(),
        }
    };
    view! {
        <div class="team-row">
            <label>"How much of the conversation it reads" <select class="input" on:change=choose>{options}</select></label>
            {fields}
        </div>
    }
}
