//! A team that speaks with one voice: a model makes one answer of what its members said.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::Tier;
use serde::{Deserialize, Serialize};
use teamfile::{Body, Message, team::SocietyOfMind};

use super::{
    crew::Crew,
    memory,
    said::turn,
    toolset::Toolset,
    voice::{self, Asked, Wanted},
};

/// What a model is told before the conversation, where the file does not say it.
const INSTRUCTION: &str = "You were given a request, and your team has worked on it. This is what was said:";
/// What it is told after it.
const RESPONSE: &str =
    "Now answer the request yourself, in one piece that stands alone. Do not speak of the discussion.";
/// What a team that said nothing is taken to say.
const NO_RESPONSE: &str = "No response.";

/// What was made of a team's answer.
#[derive(Serialize, Deserialize)]
pub(super) struct Voiced {
    /// What the others hear.
    pub(super) said: Vec<Message>,
    /// How often the model was asked.
    pub(super) asked: u32,
}

/// Makes one answer of what a team said.
pub(super) struct VoiceWork(pub(super) Arc<Crew>);

/// What is said for a team that said nothing.
pub(super) fn silent(name: &str) -> Voiced {
    Voiced { said: vec![Message::text(name, NO_RESPONSE)], asked: 0 }
}

/// What the team is told of earlier turns, which its members have forgotten.
pub(super) fn earlier(name: &str, society: &SocietyOfMind, known: &[llm::Message]) -> Option<Message> {
    let known: Vec<&llm::Message> = known.iter().collect();
    let texts: Vec<&str> = memory::read(&known, &society.context)
        .into_iter()
        .filter_map(|message| match message {
            llm::Message::User(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let beginning = "These messages came before, for your reference:";
    (!texts.is_empty()).then(|| Message::text(name, format!("{beginning}\n\n{}", texts.join("\n\n"))))
}

#[async_trait]
impl Work for VoiceWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let crew = &self.0;
        let Some((name, society)) = crew.society() else {
            return Err(NodeError::failed("Nobody speaks for this team."));
        };
        let asked = match crew.participant() {
            Some((outer, _)) => outer.course(node.state())?.asked(name),
            None => 0,
        };
        let course = crew.course(node.state())?;
        let answer = course.answer();
        let heard = answer.iter().filter(|message| message.is_chat()).flat_map(memory::heard);
        let instruction = society.instruction.as_deref().unwrap_or(INSTRUCTION);
        let mut read = vec![Cow::Owned(llm::Message::System(instruction.to_owned()))];
        read.extend(heard.map(Cow::Owned));
        let response = society.response_prompt.as_deref().unwrap_or(RESPONSE);
        read.push(Cow::Owned(llm::Message::User(response.to_owned())));
        let wanted = Wanted { tier: Tier::Mid, tools: &Toolset::default(), schema: None };
        let answer = voice::ask(node, &society.answering(), Asked(asked), &read, wanted).await?;
        let text = if answer.text.trim().is_empty() { NO_RESPONSE.to_owned() } else { answer.text };
        let usage = Some(memory::usage(&answer.usage));
        let said = vec![Message { source: name.to_owned(), usage, body: Body::Text { content: text } }];
        node.note(turn(&said)?);
        crew.voiced(&Voiced { said, asked: 1 })
    }
}
