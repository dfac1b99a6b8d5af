//! What the rehearsal does where people come in.

use llm::{ChatRequest, Message};
use serde_json::{Value, json};

use crate::agent::{ASK_PERSON, SENT_BACK};

/// The one question that is ever asked.
pub fn question(request: &ChatRequest) -> Option<(String, Value)> {
    let may_ask = request.tools.iter().any(|tool| tool.name == ASK_PERSON);
    (may_ask && request.agent == "trader").then(|| {
        let arguments = json!({
            "question": "How much risk suits you here?",
            "why": "The data cannot tell what a person can bear. The answer is passed on to the risk debate.",
            "options": ["As proposed", "Less", "More"],
        });
        (ASK_PERSON.to_owned(), arguments)
    })
}

/// The answer, with what people have said.
pub fn noted(answer: String, request: &ChatRequest) -> String {
    let notes = request.messages.iter().filter_map(|message| match message {
        Message::Tool { name, content, .. } if name == ASK_PERSON => {
            Some(format!("A person was asked about the risk, and answered: {content}"))
        }
        Message::User(text) => {
            let comment = text.strip_prefix(SENT_BACK)?;
            Some(format!("A person sent this back with the comment:{comment} It is noted; the rehearsal's rules stay the same."))
        }
        _ => None,
    });
    notes.fold(answer, |answer, note| format!("{answer}\n\n*{note}*"))
}
