//! What a participant's model reads.

use std::collections::BTreeSet;

use llm::Message;
use protocol::Usage;
use serde_json::Value;
use teamfile::{Body, team::Context};

/// What a model reads of something that was said to it. Providers have no field for who said it, so the name stands
/// before the words; the task has none, as whoever gives it is no participant.
pub(super) fn heard(message: &teamfile::Message) -> Vec<Message> {
    let mut heard = Vec::new();
    if let Body::Handoff { context, .. } = &message.body {
        heard.extend(context.iter().filter_map(context_text).map(Message::User));
    }
    let text = message.to_text();
    heard.push(Message::User(match message.source.as_str() {
        "user" => text,
        source => format!("{source}: {text}"),
    }));
    heard
}

/// What comes with a handoff, in words: calls and results belong to the one who handed over, whose provider may be
/// another.
fn context_text(value: &Value) -> Option<String> {
    let text = |part: &Value, field: &str| {
        part.get(field).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    match value.get("content")? {
        Value::String(content) => Some(content.clone()),
        Value::Array(parts) => {
            let thought = value.get("thought").and_then(Value::as_str).map(str::to_owned);
            let calls = parts.iter().map(|part| match part.get("arguments") {
                Some(_) => format!("{}({})", text(part, "name"), text(part, "arguments")),
                None => format!("{}: {}", text(part, "name"), text(part, "content")),
            });
            Some(thought.into_iter().chain(calls).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// The part of a memory that is read. Results without their calls, and calls without their results, are left out:
/// providers refuse them.
pub(super) fn read<'m>(memory: &[&'m Message], context: &Context) -> Vec<&'m Message> {
    let numbers = context.read_of(memory.len());
    let mut chosen: Vec<&Message> =
        numbers.into_iter().filter_map(|number| memory.get(number).copied()).collect();
    if let Context::TokenLimited { limit: Some(limit), .. } = context {
        fit(&mut chosen, u64::from(*limit));
    }
    let mut called = BTreeSet::new();
    let mut answered = BTreeSet::new();
    for message in &chosen {
        match message {
            Message::Assistant { tool_requests, .. } => {
                called.extend(tool_requests.iter().map(|request| request.id.as_str()));
            }
            Message::Tool { request, .. } => {
                answered.insert(request.as_str());
            }
            Message::System(_) | Message::User(_) => {}
        }
    }
    let is_whole = |message: &&Message| match message {
        Message::Assistant { tool_requests, .. } => {
            tool_requests.iter().all(|request| answered.contains(request.id.as_str()))
        }
        Message::Tool { request, .. } => called.contains(request.as_str()),
        Message::System(_) | Message::User(_) => true,
    };
    chosen.into_iter().filter(is_whole).collect()
}

/// Takes messages out of the middle until the rest has so many tokens at most. Providers tell tokens only after a
/// call, so that they are taken as four bytes each.
fn fit(chosen: &mut Vec<&Message>, limit: u64) {
    let tokens = |message: &&Message| llm::render(std::slice::from_ref(*message)).len() as u64 / 4;
    let mut used: u64 = chosen.iter().map(tokens).sum();
    while used > limit && !chosen.is_empty() {
        let taken = chosen.remove(chosen.len() / 2);
        used = used.saturating_sub(tokens(&taken));
    }
}

/// The tokens of a call, as a team counts them.
pub(super) fn usage(usage: &Usage) -> teamfile::Usage {
    teamfile::Usage {
        prompt: usage.tokens_in.unwrap_or_default(),
        completion: usage.tokens_out.unwrap_or_default(),
    }
}
