//! The stand-in that plays the agents of any team by fixed rules, and names itself as what it is.

use llm::{ChatRequest, Message, Script, Turn};
use serde_json::json;

use super::sample::{APPROVED, CRITIC, FIRST, SECOND};

/// Plays the agents of teams: those of the sample to its end, and others so far that each says something.
pub struct TeamRehearsal;

impl Script for TeamRehearsal {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        if request.agent == "manager" {
            return choice(&request.messages).map(Turn::Answer);
        }
        let name = request.agent.split_once('_').map_or(request.agent.as_str(), |(_, name)| name);
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

/// Of those whom the question offers, the one who has spoken least.
fn choice(messages: &[Message]) -> Result<String, String> {
    let text = llm::render(messages);
    let (_, after) = text.rsplit_once("['").ok_or("The question offers nobody.")?;
    let (list, _) = after.split_once("']").ok_or("The question offers nobody.")?;
    let names = list.split("', '");
    let least = names.min_by_key(|name| text.matches(&format!("{name}: ")).count());
    least.map(str::to_owned).ok_or_else(|| "The question offers nobody.".to_owned())
}
