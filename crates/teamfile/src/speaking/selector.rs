//! A model chooses who speaks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    PromptMessage, PromptRole, Question, SpeakingError,
    conversation::{Choice, Entry, Member, View},
    mention::mentions,
    prompts,
};
use crate::{
    message::{Body, Message},
    team::{Context, Selector},
};

/// A model that chooses, at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Selecting {
    prompt: Option<String>,
    allow_repeated_speaker: bool,
    max_attempts: u32,
    context: Context,
    /// Whether the question is sent as a system message.
    is_system: bool,
    previous: Option<String>,
    /// The question, with the answers so far that named nobody.
    asked: Option<Question>,
}

impl Selecting {
    pub(super) fn new(selector: &Selector) -> Self {
        Self {
            prompt: selector.prompt.clone(),
            allow_repeated_speaker: selector.allow_repeated_speaker,
            max_attempts: selector.max_attempts.max(1),
            context: selector.context.clone().unwrap_or_default(),
            is_system: selector.model.as_ref().is_some_and(|model| model.info.takes_system_messages()),
            previous: None,
            asked: None,
        }
    }

    pub(super) fn hear(&mut self, speaker: &str) {
        self.previous = Some(speaker.to_owned());
    }

    pub(super) fn choose(&mut self, view: &View<'_>) -> Result<Choice, SpeakingError> {
        let candidates = self.candidates(view);
        match candidates.as_slice() {
            [] => match view.members {
                // Who is alone speaks again.
                [only] => Ok(Choice::Speak(vec![only.name.clone()])),
                _ => Err(SpeakingError::Nobody),
            },
            [only] => Ok(Choice::Speak(vec![only.name.clone()])),
            _ => {
                let content = prompts::select_speaker(
                    self.prompt.as_deref(),
                    &candidates,
                    &history(view.thread, &self.context),
                );
                let role = if self.is_system { PromptRole::System } else { PromptRole::User };
                let messages = vec![PromptMessage { role, content }];
                let question = Question { messages, schema: None, attempt: 1 };
                self.asked = Some(question.clone());
                Ok(Choice::Ask(question))
            }
        }
    }

    /// The one who is named; nobody or several, and the model is asked again; in the end whoever spoke before.
    pub(super) fn replied(&mut self, answer: &str, view: &View<'_>) -> Choice {
        let names = view.members.iter().map(|member| member.name.as_str());
        let found = mentions(answer, names);
        let candidates = self.candidates(view);
        let offered = prompts::python_list(candidates.iter().map(|member| member.name.as_str()));
        let feedback = match found.keys().copied().collect::<Vec<_>>().as_slice() {
            [] => format!("No name of a participant was found. Please select one from: {offered}."),
            [name] if candidates.iter().any(|member| member.name == *name) => {
                self.asked = None;
                return Choice::Speak(vec![(*name).to_owned()]);
            }
            [_] => {
                format!("Nobody may speak twice in a row. Please select a different name from: {offered}.")
            }
            _ => format!("Exactly one name is expected. Please select only one from: {offered}."),
        };
        match self.asked.take() {
            Some(mut question) if question.attempt < self.max_attempts => {
                question.attempt += 1;
                question.messages.push(PromptMessage::assistant(answer));
                question.messages.push(PromptMessage::user(feedback));
                self.asked = Some(question.clone());
                Choice::Ask(question)
            }
            _ => {
                let first = candidates.first().map(|member| member.name.clone());
                Choice::Speak(self.previous.clone().or(first).into_iter().collect())
            }
        }
    }

    fn candidates<'a>(&self, view: &View<'a>) -> Vec<&'a Member> {
        let is_barred =
            |member: &Member| !self.allow_repeated_speaker && self.previous.as_ref() == Some(&member.name);
        view.members.iter().filter(|member| !is_barred(member)).collect()
    }
}

/// The messages so far, as `source: content`, and before a handoff what belongs to it.
fn history(thread: &[Entry], context: &Context) -> String {
    let chat: Vec<&Message> = thread.iter().map(|entry| &entry.message).filter(|one| one.is_chat()).collect();
    let read = context.read_of(chat.len());
    let mut blocks = Vec::new();
    for message in read.into_iter().filter_map(|number| chat.get(number)) {
        if let Body::Handoff { context, .. } = &message.body {
            blocks.extend(context.iter().filter_map(context_block));
        }
        blocks.push(format!("{}: {}", message.source, message.to_text()));
    }
    blocks.join("\n\n")
}

fn context_block(message: &Value) -> Option<String> {
    let content = message.get("content").filter(|content| !content.is_null())?;
    let content = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
    let source = message.get("source").and_then(Value::as_str).unwrap_or("tools");
    Some(format!("{source}: {content}"))
}
