//! Where answers come from: a named model of the server, the answers that stand in the team's file, or the run's model.

use std::borrow::Cow;

use engine::{NodeContext, NodeError};
use llm::{AnswerSchema, Arguments, ChatAnswer, ChatRequest, Message, ToolRequest};
use protocol::{InvalidId, Tier, Usage};
use serde_json::Value;
use teamfile::team::{Answering, ReplayedAnswer};

use super::toolset::Toolset;

/// What a replayed answer calls its model.
const REPLAY: &str = "replay";

/// How often a model was asked before.
#[derive(Clone, Copy)]
pub(super) struct Asked(pub(super) u32);

/// What a question of a team has beside its messages.
pub(super) struct Wanted<'t> {
    /// The tier, where the plan says none.
    pub(super) tier: Tier,
    /// What may be called.
    pub(super) tools: &'t Toolset,
    /// The form of the answer.
    pub(super) schema: Option<AnswerSchema>,
}

/// The next answer of a participant, or of whoever leads, to what it reads. One that the team's file holds asks no
/// model, is no call in the log, and copies nothing of what is read.
///
/// # Errors
/// The model cannot answer or has no possible name, or the file has no more answers.
pub(super) async fn ask(
    node: &NodeContext,
    answering: &Answering<'_>,
    asked: Asked,
    read: &[Cow<'_, Message>],
    wanted: Wanted<'_>,
) -> Result<ChatAnswer, NodeError> {
    let Wanted { tier, tools, schema } = wanted;
    let ask = |profile| {
        node.chat(ChatRequest {
            agent: node.plan().id.to_string(),
            run: Some(node.run()),
            tier: node.plan().tier.unwrap_or(tier),
            profile,
            messages: read.iter().cloned().map(Cow::into_owned).collect(),
            tools: tools.specs(),
            schema,
            temperature: None,
        })
    };
    let replay = match answering {
        Answering::Replay(replay) => replay,
        Answering::Run => return ask(None).await,
        Answering::Profile(name) => {
            let name = name.parse().map_err(|error: InvalidId| NodeError::failed(error.to_string()))?;
            return ask(Some(name)).await;
        }
    };
    let number = usize::try_from(asked.0).unwrap_or(usize::MAX);
    match replay.answer(number) {
        Some(answer) => Ok(replayed(answer, read, number)),
        None => Err(NodeError::failed(format!(
            "The file has {} answers for “{}” to replay, and one more was asked for.",
            replay.count(),
            node.plan().label
        ))),
    }
}

fn replayed(answer: ReplayedAnswer, read: &[Cow<'_, Message>], number: usize) -> ChatAnswer {
    let tool_requests = answer.calls.into_iter().enumerate().map(|(call, wanted)| ToolRequest {
        id: if wanted.id.is_empty() { format!("replayed_{number}_{call}") } else { wanted.id },
        name: wanted.name,
        arguments: arguments(&wanted.arguments),
        echo: None,
    });
    // Tokens of replayed answers are their words, as AutoGen's client counts them.
    let (prompt, completion) = match answer.usage {
        Some(usage) => (usage.prompt, usage.completion),
        None => (read.iter().map(|message| prompt_words(message)).sum(), words(&answer.text)),
    };
    ChatAnswer {
        model: REPLAY.to_owned(),
        tool_requests: tool_requests.collect(),
        text: answer.text,
        thoughts: answer.thought.unwrap_or_default(),
        echo: None,
        usage: Usage { tokens_in: Some(prompt), tokens_out: Some(completion) },
        cost: None,
        attempts: Vec::new(),
    }
}

fn arguments(text: &str) -> Arguments {
    if text.trim().is_empty() {
        return Arguments::from(Value::Null);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => Arguments::from(value),
        Err(error) => Arguments::Unreadable { text: text.to_owned(), why: error.to_string() },
    }
}

fn prompt_words(message: &Message) -> u64 {
    match message {
        Message::System(text) | Message::User(text) | Message::Assistant { text, .. } => words(text),
        Message::Tool { content, .. } => words(content),
    }
}

fn words(text: &str) -> u64 {
    let (mut count, mut is_within) = (0, false);
    for letter in text.chars() {
        let is_of_word = letter.is_alphanumeric() || letter == '_';
        count += u64::from(is_of_word && !is_within);
        is_within = is_of_word;
    }
    count
}
