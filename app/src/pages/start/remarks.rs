//! What the server says of answers while they are typed: it comes late or not at all, and changes nothing that is typed.

use std::{collections::BTreeMap, time::Duration};

use leptos::{leptos_dom::helpers::debounce, prelude::*};
use protocol::Workflow;
use serde_json::{Map, Value};

use super::draft::Draft;
use crate::api;

/// How long typing pauses before the server is asked.
const PAUSE: Duration = Duration::from_millis(400);

/// What is to be said, by field.
pub fn remarks(draft: Draft) -> RwSignal<BTreeMap<String, String>> {
    let said = RwSignal::new(BTreeMap::new());
    let typed = Memo::new(move |_| typed(draft));
    let ask = Action::new(move |asked: &Workflow| {
        let asked = asked.clone();
        async move {
            // Whoever cannot be asked has nothing to say: the run says it when it is started.
            let answer = api::remarks(asked.clone()).await.unwrap_or_default();
            // An answer to what was changed meanwhile is of no use.
            if typed.try_with_untracked(|now| now.as_ref() == Some(&asked)) == Some(true) {
                let remarks = answer.into_iter().map(|remark| (remark.parameter, remark.detail));
                said.try_set(remarks.collect());
            }
        }
    });
    let mut ask_later = debounce(PAUSE, move |asked: Workflow| {
        ask.dispatch(asked);
    });
    Effect::new(move || {
        // What was said belongs to what was typed before.
        if said.with_untracked(|said| !said.is_empty()) {
            said.set(BTreeMap::new());
        }
        if let Some(asked) = typed.get() {
            ask_later(asked);
        }
    });
    said
}

/// What is typed into the fields of the chosen kind, where the server has something to say of one of them.
fn typed(draft: Draft) -> Option<Workflow> {
    let kind = draft.kind.get()?;
    let fields = draft.offer(|offer| offer.fields.clone())?;
    if !fields.iter().any(|field| field.is_checked) {
        return None;
    }
    let mut parameters = Map::new();
    for field in fields {
        let Some(text) = draft.typed(&field) else { continue };
        let text = text.get();
        // What the field does not take may be wrong by what the server says.
        let value = field.read(&text).unwrap_or(Some(Value::String(text)));
        parameters.extend(value.map(|value| (field.name, value)));
    }
    Workflow::new(kind, parameters).ok()
}
