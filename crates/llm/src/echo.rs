//! Fields that a provider wants back together with the message or call that they came with.

use serde_json::{Map, Value};

use crate::json;

/// Fields of a message. `DeepSeek`, Kimi and others refuse a request without the `reasoning_content` of an
/// answer that asked for tools; gateways keep signatures of thoughts under names of their own.
pub(crate) const OF_MESSAGES: [&str; 6] = [
    "reasoning_content",
    "reasoning_details",
    "thinking_blocks",
    "extra_content",
    "thought_signature",
    "provider_specific_fields",
];

/// Fields of a tool call: Gemini's signatures of thoughts.
pub(crate) const OF_CALLS: [&str; 3] = ["extra_content", "thought_signature", "provider_specific_fields"];

/// The fields of an object with these names and a value that is not empty.
pub(crate) fn among(fields: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let known =
        fields.iter().filter(|(name, value)| names.contains(&name.as_str()) && !json::is_empty_value(value));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Adds the next piece of streamed fields: texts of reasoning and lists are continued, anything else is
/// replaced.
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

/// Adds a part to a list; a part with the same number and kind as the last one continues it.
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
    for (name, value) in part.into_iter().filter(|(_, value)| !json::is_empty_value(value)) {
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

/// Roughly the bytes that a field adds to an answer.
pub(crate) fn size(fields: &Map<String, Value>) -> usize {
    fields.iter().map(|(name, value)| name.len() + value.to_string().len()).sum()
}
