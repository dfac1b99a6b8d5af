//! The stand-in that plays the agents of any team by fixed rules, and names itself as what it is.

use llm::{ChatRequest, Message, Script, Turn};
use serde_json::{Value, json};

use super::sample::{APPROVED, CRITIC, FIRST, SECOND};

/// Plays the agents of teams: those of the sample to its end, and others so far that each says something.
pub struct TeamRehearsal;

impl Script for TeamRehearsal {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        let node = request.agent.rsplit('/').next().unwrap_or_default();
        if node == "lead" {
            return lead(request).map(Turn::Answer);
        }
        let name = node.split_once('_').map_or(node, |(_, name)| name);
        let spoken = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. }));
        let turn = spoken.count();
        // Whoever can hand over does so every other time, so that all of a team are heard.
        let handoff = request.tools.iter().find(|tool| tool.name.starts_with("transfer_to_"));
        if let Some(handoff) = handoff
            && turn % 2 == 0
        {
            return Ok(Turn::Tools(vec![(handoff.name.clone(), json!({}))]));
        }
        let heard = request.messages.iter().rev().find_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            _ => None,
        });
        let heard = super::crew::line(heard.unwrap_or_default(), 160);
        Ok(Turn::Answer(match (name, turn) {
            (FIRST, 0) => format!("A first draft (rehearsed, no model read the task) on: {heard}"),
            (FIRST, _) => format!("The draft once more (rehearsed), with regard to: {heard}"),
            (SECOND, _) => format!("Shorter (rehearsed): {heard}"),
            (CRITIC, 0) => "Say who it is for (rehearsed).".to_owned(),
            (CRITIC, _) => APPROVED.to_owned(),
            _ => format!("A rehearsed answer, no model read it, to: {heard}"),
        }))
    }
}

/// What the model that leads says: who speaks next, where the question offers somebody, and else a word.
fn lead(request: &ChatRequest) -> Result<String, String> {
    let text = llm::render(&request.messages);
    if let Some(schema) = &request.schema {
        let names = schema.schema.pointer("/properties/next_speaker/properties/answer/enum");
        let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        return Ok(progress(&names.collect::<Vec<_>>(), &text));
    }
    let offered = text.rsplit_once("['").and_then(|(_, after)| after.split_once("']"));
    let Some((list, _)) = offered else {
        return Ok("No model looked at the task: this is the rehearsal.".to_owned());
    };
    let least = list.split("', '").min_by_key(|name| times(name, &text));
    least.map(str::to_owned).ok_or_else(|| "The question offers nobody.".to_owned())
}

/// The progress of a team that is done once all have spoken.
fn progress(names: &[&str], text: &str) -> String {
    let least = names.iter().min_by_key(|name| times(name, text)).copied().unwrap_or_default();
    let is_done = names.iter().all(|name| times(name, text) > 0);
    let reason =
        if is_done { "All have spoken (rehearsed)." } else { "Not all have spoken yet (rehearsed)." };
    json!({
        "is_request_satisfied": { "reason": reason, "answer": is_done },
        "is_in_loop": { "reason": reason, "answer": false },
        "is_progress_being_made": { "reason": reason, "answer": true },
        "next_speaker": { "reason": reason, "answer": least },
        "instruction_or_question": { "reason": reason, "answer": format!("{least}, do your part of the task.") },
    })
    .to_string()
}

/// How often somebody has spoken, as the question tells it.
fn times(name: &str, text: &str) -> usize {
    text.lines().filter(|line| line.contains(&format!("{name}: A rehearsed"))).count()
}
