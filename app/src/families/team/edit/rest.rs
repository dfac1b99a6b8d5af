//! What stands in a part of a team and has no field in the form: it is said, with where it is edited.

use leptos::prelude::*;
use serde_json::Value;

use super::draft::Draft;

/// Parts without a field, by their places within a team, a participant, what says who speaks next, or a step.
const PARTS: [(&str, &str); 4] = [
    ("/role/memory", "what it remembers"),
    ("/role/model", "the model that its file names"),
    ("/model", "the model that its file names"),
    ("/kept", "what else its file says of it"),
];

/// What else is in the part of a team at a place.
#[component]
pub(super) fn Rest(draft: Draft, #[prop(into)] place: String) -> impl IntoView {
    let rest = draft.of(place, others);
    move || {
        rest.with(|rest| {
            (!rest.is_empty()).then(|| {
                view! { <p class="dim">{format!("Also in it, and edited as JSON: {}.", rest.join(", "))}</p> }
            })
        })
    }
}

fn others(part: &Value) -> Vec<String> {
    let is_there = |value: &Value| match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    let present = PARTS.iter().filter(|(place, _)| part.pointer(place).is_some_and(is_there));
    present.map(|(_, what)| (*what).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_no_field_is_named() {
        let agent = json!({ "kept": { "x": 1 }, "role": { "memory": [{}], "model": { "model": "m" }, "tools": [1] } });
        assert_eq!(others(&agent), ["what it remembers", "the model that its file names", "what else its file says of it"]);
        for nothing in [json!({ "kept": {}, "role": { "memory": [] } }), json!(null), json!([])] {
            assert_eq!(others(&nothing), Vec::<String>::new());
        }
    }
}
