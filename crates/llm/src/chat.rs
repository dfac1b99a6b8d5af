//! Requests to a model, and its answers.

use async_trait::async_trait;
use protocol::{Attempt, Decimal, ProfileName, RunId, Temperature, Tier, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
        /// Fields of the message that its provider demands back, as they came.
        echo: Option<Map<String, Value>>,
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
    /// The arguments.
    pub arguments: Arguments,
    /// Fields beside the request that its provider demands back with it, as they came.
    pub echo: Option<Map<String, Value>>,
}

/// The arguments of a tool, as a model wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// A JSON object.
    Object(Map<String, Value>),
    /// Something else; the model is told so, as with a tool's error.
    Unreadable {
        /// What the model wrote.
        text: String,
        /// Why it cannot be read.
        why: String,
    },
}

impl From<Value> for Arguments {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(object) => Self::Object(object),
            // A tool without arguments.
            Value::Null => Self::Object(Map::new()),
            other => {
                Self::Unreadable { text: other.to_string(), why: "they are not a JSON object".to_owned() }
            }
        }
    }
}

impl Arguments {
    /// The arguments as JSON text; as the model wrote them, where they cannot be read.
    pub fn text(&self) -> String {
        match self {
            // Keys are strings and values are JSON, which always encode.
            Self::Object(object) => serde_json::to_string(object).unwrap_or_default(),
            Self::Unreadable { text, .. } => text.clone(),
        }
    }
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

/// The form that an answer must have. Not every provider enforces it, so validate the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSchema {
    /// A name for it: letters, digits, `_` and `-`.
    pub name: String,
    /// The JSON schema.
    pub schema: Value,
}

impl AnswerSchema {
    /// The same as an instruction, for providers without a field for it.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "Answer with nothing but one JSON object that is valid under this JSON schema: {}",
            self.schema
        )
    }
}

/// A request to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The role that asks, as a slug such as `market_analyst`. Not sent; scripts of the rehearsal choose by
    /// it.
    pub agent: String,
    /// The run that asks, for fairness between runs at one endpoint. Not sent.
    pub run: Option<RunId>,
    /// Which of the configured models to ask.
    pub tier: Tier,
    /// The named model to ask in the place of the run's; a run that is rehearsed asks no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for.
    pub tools: Vec<ToolSpec>,
    /// The form of the answer, if it must be JSON.
    pub schema: Option<AnswerSchema>,
    /// How freely the model chooses its words; `None`: as its provider has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
}

impl ChatRequest {
    /// The same request with one more instruction, placed after the ones at the beginning, since many servers
    /// accept instructions nowhere else.
    pub(crate) fn advised(&self, advice: &str) -> Self {
        let mut advised = self.clone();
        match advised.messages.first_mut() {
            Some(Message::System(instructions)) => *instructions = format!("{instructions}\n\n{advice}"),
            _ => advised.messages.insert(0, Message::System(advice.to_owned())),
        }
        advised
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatAnswer {
    /// The model that answered: the tier's own, or its fallback.
    pub model: String,
    /// The text; may be empty if tools are asked for.
    pub text: String,
    /// What the model thought before it answered, if the provider reports it. Not part of the answer.
    pub thoughts: String,
    /// The tools to call before asking again.
    pub tool_requests: Vec<ToolRequest>,
    /// Fields of the message that its provider wants back in the next request.
    pub echo: Option<Map<String, Value>>,
    /// Tokens of this answer's own attempt, as far as the provider reported them.
    pub usage: Usage,
    /// US dollars of this answer's own attempt; `None` if the usage or the model's price is unknown.
    pub cost: Option<Decimal>,
    /// Attempts that failed before this answer, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ChatFailure {
    /// The error of the last attempt, or why none was made.
    pub error: ChatError,
    /// All attempts, oldest first; empty if no request was sent.
    pub attempts: Vec<Attempt>,
}

impl From<ChatError> for ChatFailure {
    fn from(error: ChatError) -> Self {
        Self { error, attempts: Vec::new() }
    }
}

/// A part of an answer as it is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A new attempt begins: discard the text so far.
    Begin,
    /// More text.
    Text(&'a str),
    /// More of what the model thinks before it answers.
    Thought(&'a str),
    /// The request waits in the line of its endpoint, behind so many others.
    InLine(usize),
}

/// Where the pieces of an answer go.
pub type Sink<'a> = &'a mut (dyn FnMut(Piece<'_>) + Send);

/// A model that answers requests.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// The name of the model that a tier uses.
    fn model(&self, tier: Tier) -> String;

    /// What is asked in the place of a request: the same, but for a model that changes something in it. The log has the
    /// call in this form.
    fn adapt(&self, request: ChatRequest) -> ChatRequest {
        request
    }

    /// What so many tokens cost by the model that a tier uses, in US dollars; `None` if its price is not known.
    fn price(&self, _tier: Tier, _usage: &Usage) -> Option<Decimal> {
        None
    }

    /// What so many tokens cost by the model that is asked by a request, as [`Self::price`] says it.
    fn price_of(&self, request: &ChatRequest, usage: &Usage) -> Option<Decimal> {
        self.price(request.tier, usage)
    }

    /// The name of the model that is asked by a request.
    fn model_of(&self, request: &ChatRequest) -> String {
        self.model(request.tier)
    }

    /// Sends the request, and passes the text to the sink as it comes. Dropping the future cancels the call.
    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure>;
}

/// The conversation as text for people: a block for each message, tool request and tool result,
/// such as `[system] …`, with an empty line between.
pub fn render(messages: &[Message]) -> String {
    messages.iter().map(render_message).collect::<Vec<_>>().join("\n\n")
}

/// One message as text, in the same form.
pub fn render_message(message: &Message) -> String {
    match message {
        Message::System(text) => format!("[system] {text}"),
        Message::User(text) => format!("[user] {text}"),
        Message::Assistant { text, tool_requests, .. } => {
            let says = !text.is_empty() || tool_requests.is_empty();
            let said = says.then(|| format!("[assistant] {text}"));
            let requests = tool_requests.iter();
            let requests = requests
                .map(|request| format!("[tool request] {} {}", request.name, request.arguments.text()));
            said.into_iter().chain(requests).collect::<Vec<_>>().join("\n\n")
        }
        Message::Tool { name, content, .. } => format!("[tool result] {name}: {content}"),
    }
}
