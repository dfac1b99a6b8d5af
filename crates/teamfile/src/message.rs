//! What is said and done in a team, in AutoGen's form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that was said or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who said or did it.
    pub source: String,
    /// What the model used for it.
    #[serde(default, rename = "models_usage")]
    pub usage: Option<Usage>,
    /// What it is.
    #[serde(flatten)]
    pub body: Body,
}

/// Tokens that a model used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Of the prompt.
    #[serde(rename = "prompt_tokens")]
    pub prompt: u64,
    /// Of the answer.
    #[serde(rename = "completion_tokens")]
    pub completion: u64,
}

/// What was said or done. Messages go to the other participants; events are only seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Body {
    /// A text.
    #[serde(rename = "TextMessage")]
    Text {
        /// The text.
        content: String,
    },
    /// Texts and images.
    #[serde(rename = "MultiModalMessage")]
    MultiModal {
        /// Texts as they are, images as objects.
        content: Vec<Value>,
    },
    /// A wish to stop.
    #[serde(rename = "StopMessage")]
    Stop {
        /// Why.
        content: String,
    },
    /// Handing over.
    #[serde(rename = "HandoffMessage")]
    Handoff {
        /// To whom.
        target: String,
        /// What is said to the one who takes over.
        content: String,
        /// What the one who takes over has to know beside it.
        #[serde(default)]
        context: Vec<Value>,
    },
    /// The results of tools as an answer.
    #[serde(rename = "ToolCallSummaryMessage")]
    ToolCallSummary {
        /// The answer.
        content: String,
    },
    /// An answer by a schema.
    #[serde(rename = "StructuredMessage")]
    Structured {
        /// The answer.
        content: Value,
    },
    /// A model calls tools.
    #[serde(rename = "ToolCallRequestEvent")]
    ToolCallRequest {
        /// The calls.
        content: Vec<ToolCall>,
    },
    /// Tools have answered.
    #[serde(rename = "ToolCallExecutionEvent")]
    ToolCallExecution {
        /// The results.
        content: Vec<ToolResult>,
    },
    /// A memory was asked.
    #[serde(rename = "MemoryQueryEvent")]
    MemoryQuery {
        /// What it has.
        content: Vec<Value>,
    },
    /// A person is asked.
    #[serde(rename = "UserInputRequestedEvent")]
    UserInputRequested {
        /// Which question it is.
        #[serde(default)]
        request_id: String,
    },
    /// A piece of an answer to come.
    #[serde(rename = "ModelClientStreamingChunkEvent")]
    Chunk {
        /// The piece.
        content: String,
    },
    /// What a model thought.
    #[serde(rename = "ThoughtEvent")]
    Thought {
        /// The thought.
        content: String,
    },
    /// Who speaks next.
    #[serde(rename = "SelectSpeakerEvent")]
    SelectSpeaker {
        /// Their names.
        content: Vec<String>,
    },
    /// What the model said that chooses.
    #[serde(rename = "SelectorEvent")]
    Selector {
        /// What it said.
        content: String,
    },
    /// Code was written.
    #[serde(rename = "CodeGenerationEvent")]
    CodeGeneration {
        /// What was said with it.
        content: String,
    },
    /// Code was run.
    #[serde(rename = "CodeExecutionEvent")]
    CodeExecution {
        /// What came of it.
        result: CodeResult,
    },
}

/// What came of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeResult {
    /// How it ended; 0 is well.
    pub exit_code: i64,
    /// What it printed.
    pub output: String,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Which call it is.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as JSON text.
    pub arguments: String,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// The answer.
    pub content: String,
    /// Whether it failed.
    #[serde(default)]
    pub is_error: bool,
}

impl Message {
    /// A text of somebody.
    #[must_use]
    pub fn text(source: impl Into<String>, content: impl Into<String>) -> Self {
        Self { source: source.into(), usage: None, body: Body::Text { content: content.into() } }
    }

    /// Somebody hands over.
    #[must_use]
    pub fn handoff(source: impl Into<String>, target: impl Into<String>, content: impl Into<String>) -> Self {
        let body = Body::Handoff { target: target.into(), content: content.into(), context: Vec::new() };
        Self { source: source.into(), usage: None, body }
    }

    /// Whether it goes to the other participants.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        matches!(
            self.body,
            Body::Text { .. }
                | Body::MultiModal { .. }
                | Body::Stop { .. }
                | Body::Handoff { .. }
                | Body::ToolCallSummary { .. }
                | Body::Structured { .. }
        )
    }

    /// What it says, as one text. Of calls and results these are their words, whatever form a provider gives them.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.body {
            Body::Text { content }
            | Body::Stop { content }
            | Body::Handoff { content, .. }
            | Body::ToolCallSummary { content }
            | Body::Chunk { content }
            | Body::Thought { content }
            | Body::Selector { content }
            | Body::CodeGeneration { content } => content.clone(),
            Body::MultiModal { content } => {
                lines(content.iter().map(|part| part.as_str().unwrap_or("<image>").to_owned()))
            }
            Body::Structured { content } => content.to_string(),
            Body::ToolCallRequest { content } => {
                lines(content.iter().map(|call| format!("{}({})", call.name, call.arguments)))
            }
            Body::ToolCallExecution { content } => lines(content.iter().map(|result| result.content.clone())),
            Body::MemoryQuery { content } => lines(content.iter().map(remembered)),
            Body::UserInputRequested { .. } => String::new(),
            Body::SelectSpeaker { content } => lines(content.iter().cloned()),
            Body::CodeExecution { result } => result.output.clone(),
        }
    }
}

/// One of what a memory holds, as a text.
pub(crate) fn remembered(memory: &Value) -> String {
    let content = memory.get("content").and_then(Value::as_str);
    content.map_or_else(|| memory.to_string(), str::to_owned)
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}
