//! Conversations that hold nothing but instructions.

use std::borrow::Cow;

use crate::Message;

/// How the names of models begin that answer to instructions alone: those of `OpenAI`.
const ANSWER_TO_INSTRUCTIONS: [&str; 5] = ["gpt-", "chatgpt-", "o1", "o3", "o4"];

/// The conversation as this model takes it. Where nobody says anything in it, other providers refuse it, and so do the
/// templates of many models that people run themselves: there, the instructions are what a person says.
pub(crate) fn taken_by<'m>(model: &str, messages: &'m [Message]) -> Cow<'m, [Message]> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let answers = ANSWER_TO_INSTRUCTIONS.iter().any(|beginning| name.starts_with(beginning));
    let is_said = messages.iter().any(|message| !matches!(message, Message::System(_)));
    if answers || is_said {
        return Cow::Borrowed(messages);
    }
    let said = messages.iter().map(|message| match message {
        Message::System(text) => Message::User(text.clone()),
        other => other.clone(),
    });
    Cow::Owned(said.collect())
}
