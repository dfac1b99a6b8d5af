//! What the rehearsals of all families have in common: it answers questions beside a run.

use std::{collections::BTreeSet, sync::Arc};

use llm::{ChatRequest, Message, Script, Turn};

/// Lines of an account that answer a question at most.
const LINES: usize = 6;
/// Shorter words say little about what is meant.
const SHORTEST_WORD: usize = 4;

/// Plays a family's agents by the family's script. A question beside a run is answered with the lines of
/// the run's account that share most words with it.
pub struct Rehearsed(pub Arc<dyn Script>);

impl Script for Rehearsed {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        if request.agent == engine::CHAT_AGENT {
            return Ok(Turn::Answer(talk(&request.messages)));
        }
        self.0.turn(request)
    }
}

/// Stands where no family has a run's kind, whose agents nobody can play.
pub(crate) struct Silent;

impl Script for Silent {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        Err(format!("The rehearsal does not know the agent \"{}\".", request.agent))
    }
}

/// The lines of the run's account that share most words with the question, in their order.
fn talk(messages: &[Message]) -> String {
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
