//! An answer as assembled so far.

use protocol::Usage;
use serde_json::{Map, Value};

use crate::{
    ChatError, Message, ToolRequest,
    calls::{Calls, ToolPiece},
    echo,
    failure::shorten,
};

/// One step of a stream, the same for all providers.
#[derive(Debug, PartialEq)]
pub(crate) enum Delta {
    /// More text.
    Text(String),
    /// More of what the model thinks before it answers.
    Thought(String),
    /// So many bytes at the end of the text so far turned out to be thoughts.
    WereThoughts(usize),
    /// More of the words in which the model refuses to answer, where its provider tells them from an answer.
    Refusal(String),
    /// A piece of a tool request.
    Tool(ToolPiece),
    /// Bytes so far of a tool request that is assembled elsewhere.
    ToolProgress(usize),
    /// Fields of the message that the provider wants back.
    Echo(Map<String, Value>),
    /// Tokens used, so far or in all.
    Usage(Usage),
    /// Why the model stopped.
    Finish(Finish),
    /// The end of the stream.
    Done,
}

impl Delta {
    /// Whether it shows that the model is at work, which restarts the idle timeout.
    pub(crate) fn is_progress(&self) -> bool {
        !matches!(self, Self::Usage(_) | Self::Finish(_) | Self::Done)
    }

    /// Whether it continues what the model writes. Fields to send back may follow the model's last word.
    fn is_written(&self) -> bool {
        matches!(
            self,
            Self::Text(_) | Self::Thought(_) | Self::Refusal(_) | Self::Tool(_) | Self::ToolProgress(_)
        )
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// It finished, or asks for tools.
    Stop,
    /// It reached its limit of tokens.
    Length,
    /// A content filter cut it off.
    Filtered,
    /// The provider failed.
    Failed,
}

impl Finish {
    /// The meaning of a provider's reason to stop; `None` if it says that the model has not stopped, or has
    /// no meaning.
    pub(crate) fn of(reason: &str) -> Option<Self> {
        let reason = reason.trim().to_lowercase();
        Some(match reason.as_str() {
            "" | "null" | "none" | "nil" | "undefined" | "unknown" | "finish_reason_unspecified" => {
                return None;
            }
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "model_context_window_exceeded" => Self::Length,
            "content_filter" | "safety" | "recitation" | "blocklist" | "prohibited_content" | "spii"
            | "sensitive" | "refusal" => Self::Filtered,
            "error"
            | "failed"
            | "abort"
            | "aborted"
            | "cancelled"
            | "canceled"
            | "network_error"
            | "timeout"
            | "incomplete"
            | "malformed_function_call"
            | "insufficient_system_resource" => Self::Failed,
            _ => Self::Stop,
        })
    }
}

/// An answer as assembled so far.
///
/// It is complete only with proof: a reason to stop, or the server's closing message after some text. A
/// reason to stop after which the answer went on is no proof, and neither is a later one, since some servers
/// put it into every piece; then only the closing message is.
#[derive(Debug)]
pub(crate) struct PartialAnswer {
    model: String,
    limit: usize,
    size: usize,
    elsewhere: usize,
    text: String,
    thoughts: String,
    refusal: String,
    calls: Calls,
    echo: Map<String, Value>,
    usage: Usage,
    finish: Option<Finish>,
    belied: bool,
    done: bool,
}

/// The parts of a complete answer.
#[derive(Debug)]
pub(crate) struct CompleteAnswer {
    pub(crate) text: String,
    pub(crate) thoughts: String,
    pub(crate) tool_requests: Vec<ToolRequest>,
    pub(crate) echo: Option<Map<String, Value>>,
}

impl PartialAnswer {
    /// An empty answer of at most `limit` bytes.
    pub(crate) fn new(model: &str, limit: usize) -> Self {
        Self {
            model: model.to_owned(),
            limit,
            size: 0,
            elsewhere: 0,
            text: String::new(),
            thoughts: String::new(),
            refusal: String::new(),
            calls: Calls::default(),
            echo: Map::new(),
            usage: Usage::default(),
            finish: None,
            belied: false,
            done: false,
        }
    }

    /// Whether the model gave a reason to stop: only the usage can follow.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some() || self.done
    }

    /// The tokens that the provider has reported so far.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Bytes of all that was written so far.
    pub(crate) fn size(&self) -> usize {
        self.size + self.elsewhere
    }

    /// The text so far, without thoughts.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The thoughts so far.
    pub(crate) fn thoughts(&self) -> &str {
        &self.thoughts
    }

    /// Whether the stream has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Adds a step; fails as soon as the answer exceeds its limit.
    pub(crate) fn add(&mut self, delta: Delta) -> Result<(), ChatError> {
        if delta.is_written() && self.finish.take().is_some() {
            self.belied = true;
        }
        match delta {
            Delta::Text(text) => {
                self.size += text.len();
                self.text.push_str(&text);
            }
            Delta::Thought(thought) => {
                self.size += thought.len();
                self.thoughts.push_str(&thought);
            }
            Delta::Refusal(words) => {
                self.size += words.len();
                self.refusal.push_str(&words);
            }
            Delta::WereThoughts(bytes) => {
                let answer = self.text.len().saturating_sub(bytes);
                self.thoughts.push_str(self.text.get(answer..).unwrap_or_default());
                self.text.truncate(answer);
            }
            Delta::Tool(piece) => self.size += self.calls.add(piece, &self.model)?,
            Delta::ToolProgress(bytes) => self.elsewhere = self.elsewhere.max(bytes),
            Delta::Echo(echo) => {
                self.size += echo::size(&echo);
                echo::add(&mut self.echo, echo);
            }
            Delta::Usage(usage) => self.count(usage),
            Delta::Finish(Finish::Stop) if self.belied => {}
            Delta::Finish(finish) => self.finish = Some(finish),
            Delta::Done => self.done = true,
        }
        if self.size() > self.limit {
            return Err(ChatError::Oversize { model: self.model.clone(), limit: self.limit });
        }
        Ok(())
    }

    /// Takes the largest figures: some servers report the usage so far with every piece, and some nothing in
    /// the last one.
    fn count(&mut self, usage: Usage) {
        self.usage.tokens_in = self.usage.tokens_in.max(usage.tokens_in);
        self.usage.tokens_out = self.usage.tokens_out.max(usage.tokens_out);
    }

    /// The complete answer to a conversation; an error without proof that it is complete.
    pub(crate) fn complete(self, conversation: &[Message]) -> Result<CompleteAnswer, ChatError> {
        let model = self.model;
        let broken =
            |reason: &str| ChatError::BrokenStream { model: model.clone(), reason: reason.to_owned() };
        match self.finish {
            None if !self.done => return Err(broken("the stream ended before the model had finished")),
            Some(Finish::Failed) => return Err(broken("the provider reported that it failed")),
            Some(Finish::Length) => return Err(ChatError::TokenLimit { model }),
            Some(Finish::Filtered) => {
                let message = "a content filter stopped the answer".to_owned();
                return Err(ChatError::Policy { model, message });
            }
            None | Some(Finish::Stop) => {}
        }
        if !self.refusal.trim().is_empty() {
            return Err(ChatError::Policy { model, message: shorten(self.refusal.trim()) });
        }
        if self.text.trim().is_empty() && self.calls.is_empty() {
            return Err(ChatError::Empty { model });
        }
        let tool_requests = self.calls.complete(&model, conversation, self.finish.is_some())?;
        let echo = (!self.echo.is_empty()).then_some(self.echo);
        Ok(CompleteAnswer { text: self.text, thoughts: self.thoughts, tool_requests, echo })
    }
}
