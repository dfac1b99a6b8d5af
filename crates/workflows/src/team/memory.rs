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
        let content = |value: &Value| value.get("content").and_then(Value::as_str).map(str::to_owned);
        heard.extend(context.iter().filter_map(content).map(Message::User));
    }
    let text = message.to_text();
    heard.push(Message::User(match message.source.as_str() {
        "user" => text,
        source => format!("{source}: {text}"),
    }));
    heard
}

/// The part of a memory that is read. Results without their calls, and calls without their results, are left out:
/// providers refuse them.
pub(super) fn read(memory: &[Message], context: &Context) -> Vec<Message> {
    let numbers = context.read_of(memory.len());
    let chosen: Vec<&Message> = numbers.into_iter().filter_map(|number| memory.get(number)).collect();
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
    chosen.into_iter().filter(is_whole).cloned().collect()
}

/// The tokens of a call, as a team counts them.
pub(super) fn usage(usage: &Usage) -> teamfile::Usage {
    teamfile::Usage {
        prompt: usage.tokens_in.unwrap_or_default(),
        completion: usage.tokens_out.unwrap_or_default(),
    }
}
