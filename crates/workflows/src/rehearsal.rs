//! What the rehearsals of all families have in common: it answers questions beside a run.

use std::{collections::BTreeSet, sync::Arc};

use llm::{ChatRequest, Message, Script, Turn};

/// Lines of an account that answer a question at most.
const LINES: usize = 6;
/// Agents that are named where a question asks how the run stands.
const AGENTS: usize = 20;
/// Words that ask how the run stands.
const STANDING: [&str; 3] = ["status", "progress", "stands"];
/// Where the account of a run lists its agents.
const LIST_OF_AGENTS: &str = "## Agents";
/// Shorter words say little about what is meant.
const SHORTEST_WORD: usize = 4;

/// Plays a family's agents by the family's script. A question beside a run is answered with the lines of
/// the run's account that share most words with it; one that asks how the run stands, with that.
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
    if STANDING.iter().any(|word| asked.contains(*word)) {
        return standing(account);
    }
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

/// Where the run and its agents stand, as the account says it.
fn standing(account: &str) -> String {
    let Some((_, said)) = account.split_once("\n# ") else {
        return "The account of this run does not say how it stands.".to_owned();
    };
    let (run, rest) = said.split_once(LIST_OF_AGENTS).unwrap_or((said, ""));
    let run =
        run.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let agents = rest.lines().map(str::trim).skip_while(|line| line.is_empty());
    let agents = agents.take_while(|line| line.starts_with("- "));
    let shown: Vec<&str> = agents.take(AGENTS).collect();
    if shown.is_empty() { run } else { format!("{run}\n\n{}", shown.join("\n")) }
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| word.len() >= SHORTEST_WORD).map(str::to_lowercase).collect()
}
