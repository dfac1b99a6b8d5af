//! Thoughts and signatures that a provider wants back, as they are kept with a message or a call.

use genai::chat::ContentPart;
use serde_json::{Map, Value, json};

/// The field under which thoughts are kept with a message or a call, to be sent back.
const THOUGHTS: &str = "native_thoughts";
const SIGNATURES: &str = "native_signatures";
const REASONING: &str = "reasoning";
const SIGNATURE: &str = "signature";

fn field(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

/// The fields to keep with a message: its thoughts with their signatures or, where the provider sends none of
/// these among the parts of the message, the text of its reasoning.
pub(super) fn of_message(parts: &[ContentPart], reasoning: Option<String>) -> Option<Map<String, Value>> {
    let mut thoughts: Vec<Value> = parts.iter().filter_map(thought_to_keep).collect();
    if thoughts.is_empty() {
        thoughts.extend(reasoning.filter(|text| !text.is_empty()).map(|text| json!({ REASONING: text })));
    }
    (!thoughts.is_empty()).then(|| field(THOUGHTS, thoughts))
}

/// The fields to keep with a tool call.
pub(super) fn of_call(signatures: Option<Vec<String>>) -> Map<String, Value> {
    let signatures = signatures.filter(|signatures| !signatures.is_empty());
    signatures.map(|signatures| field(SIGNATURES, signatures)).unwrap_or_default()
}

fn thought_to_keep(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::ThoughtSignature(signature) => Some(json!({ SIGNATURE: signature })),
        ContentPart::ReasoningContent(text) => Some(json!({ REASONING: text })),
        _ => None,
    }
}

/// The parts of a message that were kept of its thoughts.
pub(super) fn thoughts_sent_back(echo: &Map<String, Value>) -> Vec<ContentPart> {
    let thoughts = echo.get(THOUGHTS).and_then(Value::as_array).into_iter().flatten();
    let part = |thought: &Value| {
        let text = |name: &str| thought.get(name).and_then(Value::as_str).map(str::to_owned);
        let signature = text(SIGNATURE).map(ContentPart::ThoughtSignature);
        signature.or_else(|| text(REASONING).map(ContentPart::ReasoningContent))
    };
    thoughts.filter_map(part).collect()
}

/// The signatures that were kept with a tool call.
pub(super) fn signatures(echo: &Map<String, Value>) -> Option<Vec<String>> {
    let signatures = echo.get(SIGNATURES)?.as_array()?;
    Some(signatures.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
