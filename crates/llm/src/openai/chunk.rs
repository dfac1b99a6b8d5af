//! One piece of a streamed answer, read leniently: servers differ in what they leave out, repeat, or rename.

use protocol::Usage;
use serde_json::{Map, Value};

use crate::{
    ChatError, Secret,
    calls::ToolPiece,
    echo, failure, json,
    partial_answer::{Delta, Finish},
    sse::Event,
};

/// Fields with the model's thoughts, by server. Some send the same text in two of them.
const THOUGHTS: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "thoughts"];

/// Reads the events of one response.
pub(super) struct Reader {
    model: String,
    key: Option<Secret>,
    /// Whether a piece of the answer has come, so that a whole message only repeats it.
    begun: bool,
}

impl Reader {
    pub(super) fn new(model: &str, key: Option<Secret>) -> Self {
        Self { model: model.to_owned(), key, begun: false }
    }

    /// The steps that an event adds to the answer.
    pub(super) fn read(&mut self, event: &Event) -> Vec<Result<Delta, ChatError>> {
        let (text, alone) = match event {
            Event::Data(text) => (text, false),
            Event::Json(text) => (text, !self.begun),
            Event::Stray(text) => return vec![Err(failure::of_stray(&self.model, &self.redacted(text)))],
        };
        if text.trim() == "[DONE]" {
            return vec![Ok(Delta::Done)];
        }
        let value = match json::read(text) {
            Ok(value) => value,
            Err(error) => return vec![Err(self.malformed(text, &error.to_string()))],
        };
        let mut deltas: Vec<_> = usage(&value).map(|usage| Ok(Delta::Usage(usage))).into_iter().collect();
        if failure::is_error(&value) {
            // Providers quote keys in errors.
            let error = json::read(&self.redacted(text)).unwrap_or(value);
            deltas.push(Err(failure::in_answer(&self.model, &error, alone)));
            return deltas;
        }
        let before = deltas.len();
        if let Some(choice) = choice(&value) {
            self.read_choice(choice, alone, &mut deltas);
        }
        self.begun |= deltas.len() > before;
        deltas
    }

    fn read_choice(
        &self,
        choice: &Map<String, Value>,
        alone: bool,
        deltas: &mut Vec<Result<Delta, ChatError>>,
    ) {
        let field = |name: &str| choice.get(name).and_then(Value::as_object);
        let whole = field("message").filter(|_| !self.begun);
        let (delta, message) = match (field("delta"), whole) {
            (Some(delta), _) => (Some(delta), false),
            (None, message) => (message, message.is_some()),
        };
        deltas.extend(delta.into_iter().flat_map(read_delta).map(Ok));
        let finish = choice.get("finish_reason").and_then(Value::as_str).and_then(Finish::of);
        deltas.extend(finish.map(|finish| Ok(Delta::Finish(finish))));
        // A whole response is complete by its own syntax.
        if alone && message {
            deltas.push(Ok(Delta::Done));
        }
    }

    fn malformed(&self, text: &str, why: &str) -> ChatError {
        let text = self.redacted(text);
        let reason = if text.trim_start().starts_with(['{', '[']) {
            format!("a piece of it is malformed ({why})")
        } else {
            // Text in place of JSON is the provider's message.
            failure::shorten(text.trim())
        };
        ChatError::BrokenStream { model: self.model.clone(), reason }
    }

    fn redacted(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.redact(text))
    }
}

/// The only choice, as one answer was requested.
fn choice(value: &Value) -> Option<&Map<String, Value>> {
    let choices = value.get("choices")?.as_array()?;
    let first = |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
    choices.iter().find(first)?.as_object()
}

fn read_delta(delta: &Map<String, Value>) -> Vec<Delta> {
    let mut deltas = Vec::new();
    let mut say = |text: String, delta: fn(String) -> Delta| {
        if !text.is_empty() {
            deltas.push(delta(text));
        }
    };
    let content = delta.get("content").unwrap_or(&Value::Null);
    let thoughts = THOUGHTS.iter().filter_map(|name| delta.get(*name)).map(text);
    let apart = thoughts.into_iter().find(|thought| !thought.is_empty());
    say(apart.unwrap_or_else(|| thoughts_of_parts(content)), Delta::Thought);
    say(text(content), Delta::Text);
    say(delta.get("refusal").map(text).unwrap_or_default(), Delta::Refusal);
    let calls = match delta.get("tool_calls") {
        Some(Value::Array(calls)) => calls.iter().filter_map(Value::as_object).map(tool_piece).collect(),
        Some(Value::Object(call)) => vec![tool_piece(call)],
        // The protocol's former way to request a tool.
        _ => delta.get("function_call").map(|function| piece_of(None, function)).into_iter().collect(),
    };
    deltas.extend(calls.into_iter().map(Delta::Tool));
    let echo = echo::among(delta, &echo::OF_MESSAGES);
    if !echo.is_empty() {
        deltas.push(Delta::Echo(echo));
    }
    deltas
}

/// A text, which some servers send as a list of typed parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter(|part| !is_thought(part)).map(text_of_part).collect(),
        _ => String::new(),
    }
}

fn thoughts_of_parts(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().filter(|part| is_thought(part));
    parts.map(|part| part.get("thinking").map(text).unwrap_or_else(|| text_of_part(part))).collect()
}

fn is_thought(part: &Value) -> bool {
    matches!(part.get("type").and_then(Value::as_str), Some("thinking" | "reasoning" | "reasoning_content"))
}

fn text_of_part(part: &Value) -> String {
    part.as_str().or_else(|| part.get("text")?.as_str()).unwrap_or_default().to_owned()
}

fn tool_piece(call: &Map<String, Value>) -> ToolPiece {
    let piece = piece_of(call.get("id"), call.get("function").unwrap_or(&Value::Null));
    let index = call.get("index").and_then(Value::as_u64);
    ToolPiece { index, echo: echo::among(call, &echo::OF_CALLS), ..piece }
}

fn piece_of(id: Option<&Value>, function: &Value) -> ToolPiece {
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    ToolPiece { id: text(id), name: text(function.get("name")), arguments, ..ToolPiece::default() }
}

/// The usage that a chunk reports, wherever it stands.
fn usage(value: &Value) -> Option<Usage> {
    let choice = choice(value).and_then(|choice| choice.get("usage"));
    let places = [value.get("usage"), choice, value.get("x_groq").and_then(|groq| groq.get("usage"))];
    places.into_iter().flatten().find_map(|usage| {
        let count = |names: [&str; 2]| names.iter().find_map(|name| tokens(usage.get(*name)?));
        let tokens_in = count(["prompt_tokens", "input_tokens"]);
        let tokens_out = count(["completion_tokens", "output_tokens"]);
        // Servers that do not count report zero, or nothing.
        let told = tokens_in.is_some_and(|tokens| tokens > 0) || tokens_out.is_some_and(|tokens| tokens > 0);
        told.then_some(Usage { tokens_in, tokens_out })
    })
}

/// A number of tokens, which may be written as text or with a decimal point.
fn tokens(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_u64().or_else(|| {
            // Floats hold whole numbers up to 2⁵³ exactly.
            let number =
                number.as_f64().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number))?;
            format!("{number:.0}").parse().ok()
        }),
        _ => None,
    }
}
