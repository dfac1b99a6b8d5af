//! What the rehearsal does where people come in.

use std::collections::BTreeSet;

use llm::{ChatRequest, Message};
use serde_json::{Value, json};

use crate::agent::{ASK_PERSON, SENT_BACK};

/// Lines of an account that answer a question at most.
const LINES: usize = 6;
/// Shorter words say little about what is meant.
const SHORTEST_WORD: usize = 4;

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

/// The lines of the run's account that share most words with the question, in their order.
pub fn talk(messages: &[Message]) -> String {
    let text = |wanted: fn(&Message) -> Option<&String>| {
        messages.iter().rev().find_map(wanted).map(String::as_str).unwrap_or_default()
    };
    let account = text(|message| match message {
        Message::System(text) => Some(text),
        _ => None,
    });
    let question = text(|message| match message {
        Message::User(text) => Some(text),
        _ => None,
    });
    let asked = words(question);
    let mut lines: Vec<(usize, usize, &str)> = account
        .lines()
        .enumerate()
        .map(|(place, line)| (words(line).intersection(&asked).count(), place, line.trim()))
        .filter(|(shared, ..)| *shared > 0)
        .collect();
    lines.sort_by_key(|(shared, place, _)| (std::cmp::Reverse(*shared), *place));
    lines.truncate(LINES);
    lines.sort_by_key(|(_, place, _)| *place);
    if lines.is_empty() {
        return "The account of this run holds nothing on that. (The rehearsal looks for words of the question; \
                a real model would understand it.)"
            .to_owned();
    }
    let found: Vec<String> = lines
        .iter()
        .map(|(_, _, line)| {
            format!("- {}", line.trim_start_matches(['#', '-', ' ']).chars().take(300).collect::<String>())
        })
        .collect();
    format!("The account of this run says on that:\n\n{}", found.join("\n"))
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| word.len() >= SHORTEST_WORD).map(str::to_lowercase).collect()
}
