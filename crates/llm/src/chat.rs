//! What is asked of a model, and what it answers.

use async_trait::async_trait;
use protocol::{Decimal, Tier, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ChatError;

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Instructions to the model.
    System(String),
    /// What a person or another agent says.
    User(String),
    /// What the model said.
    Assistant {
        /// Its text; may be empty if it asked for tools.
        text: String,
        /// The tools it asked for.
        tool_requests: Vec<ToolRequest>,
    },
    /// The result of a tool.
    Tool {
        /// Id of the request that this answers, as the provider gave it.
        request: String,
        /// The tool's name.
        name: String,
        /// The result.
        content: String,
    },
}

/// A tool that the model wants to be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolRequest {
    /// The provider's id of this request.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: always a JSON object.
    pub arguments: Value,
}

/// A tool that is offered to the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The tool's name: letters, digits, `_` and `-`.
    pub name: String,
    /// When to use it, for the model.
    pub description: String,
    /// JSON schema of the arguments.
    pub parameters: Value,
}

/// The form that an answer must have. Not every provider enforces it: validate what comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSchema {
    /// A name for it: letters, digits, `_` and `-`.
    pub name: String,
    /// The JSON schema.
    pub schema: Value,
}

/// A question to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The role that asks, as a slug such as `market_analyst`. It is not sent; scripts go by it.
    pub agent: String,
    /// Which of the configured models to ask.
    pub tier: Tier,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for.
    pub tools: Vec<ToolSpec>,
    /// The form of the answer, if it must be JSON.
    pub schema: Option<AnswerSchema>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatAnswer {
    /// The model that was asked: the tier's own, or its fallback.
    pub model: String,
    /// The text; may be empty if tools are asked for.
    pub text: String,
    /// The tools to call before asking again.
    pub tool_requests: Vec<ToolRequest>,
    /// Tokens, as far as the provider reported them.
    pub usage: Usage,
    /// US dollars; `None` if the usage or the model's price is unknown.
    pub cost: Option<Decimal>,
    /// Attempts that failed before this answer.
    pub retries: u32,
}

/// A part of an answer while it is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A new attempt begins: forget the text so far.
    Begin,
    /// More text.
    Text(&'a str),
}

/// Where the pieces of an answer go.
pub type Sink<'a> = &'a mut (dyn FnMut(Piece<'_>) + Send);

/// Something that answers.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// The name of the model that will be asked.
    fn model(&self, tier: Tier) -> String;

    /// Asks, and hands on the text as it comes. Dropping the future cancels the call.
    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatError>;
}

/// The conversation as text for people: a block for each message, tool request and tool result,
/// such as `[system] …`, with an empty line between.
pub fn render(messages: &[Message]) -> String {
    let mut blocks = Vec::with_capacity(messages.len());
    for message in messages {
        match message {
            Message::System(text) => blocks.push(format!("[system] {text}")),
            Message::User(text) => blocks.push(format!("[user] {text}")),
            Message::Assistant { text, tool_requests } => {
                if !text.is_empty() || tool_requests.is_empty() {
                    blocks.push(format!("[assistant] {text}"));
                }
                let requests = tool_requests.iter();
                blocks.extend(
                    requests.map(|request| format!("[tool request] {} {}", request.name, request.arguments)),
                );
            }
            Message::Tool { name, content, .. } => blocks.push(format!("[tool result] {name}: {content}")),
        }
    }
    blocks.join("\n\n")
}
