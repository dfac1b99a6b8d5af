//! Fields that a provider demands back with what they came with.

use serde_json::{Map, Value};

use crate::json;

/// Those of a message. `DeepSeek`, Kimi and others refuse a request without the `reasoning_content` of an
/// answer that asked for tools; mediators keep signatures of thoughts under names of their own.
pub(crate) const OF_MESSAGES: [&str; 6] = [
    "reasoning_content",
    "reasoning_details",
    "thinking_blocks",
    "extra_content",
    "thought_signature",
    "provider_specific_fields",
];

/// Those of a tool call: Gemini's signatures of thoughts.
pub(crate) const OF_CALLS: [&str; 3] = ["extra_content", "thought_signature", "provider_specific_fields"];

/// The fields of an object that have these names and say something.
pub(crate) fn among(fields: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let known =
        fields.iter().filter(|(name, value)| names.contains(&name.as_str()) && !json::says_nothing(value));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Adds the next piece of what comes bit by bit: texts of reasoning and lists go on, anything else is said
/// anew.
pub(crate) fn add(all: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (all.get_mut(&name), value) {
            (Some(Value::String(text)), Value::String(more)) if name == "reasoning_content" => {
                text.push_str(&more)
            }
            (Some(Value::Array(list)), Value::Array(more)) => {
                more.into_iter().for_each(|part| add_part(list, part))
            }
            (_, value) => {
                all.insert(name, value);
            }
        }
    }
}

/// Adds a part to a list. One that goes on with the part before has the same number and kind.
fn add_part(list: &mut Vec<Value>, part: Value) {
    let same = |before: &Value, name: &str| before.get(name) == part.get(name);
    match list.last_mut() {
        Some(Value::Object(before)) if part.get("index").is_some() => {
            let goes_on = {
                let before = Value::Object(before.clone());
                same(&before, "index") && same(&before, "type")
            };
            let Value::Object(part) = part else { return };
            if goes_on {
                add_fields(before, part);
            } else {
                list.push(Value::Object(part));
            }
        }
        _ => list.push(part),
    }
}

fn add_fields(before: &mut Map<String, Value>, part: Map<String, Value>) {
    for (name, value) in part.into_iter().filter(|(_, value)| !json::says_nothing(value)) {
        match (before.get_mut(&name), value) {
            (Some(Value::String(text)), Value::String(more))
                if matches!(name.as_str(), "text" | "summary" | "data" | "thinking") =>
            {
                text.push_str(&more);
            }
            (_, value) => {
                before.insert(name, value);
            }
        }
    }
}

/// How many bytes a field adds to an answer, about.
pub(crate) fn size(fields: &Map<String, Value>) -> usize {
    fields.iter().map(|(name, value)| name.len() + value.to_string().len()).sum()
}
