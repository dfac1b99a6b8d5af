//! An answer while it is being written.

use protocol::Usage;
use serde_json::{Map, Value};

use crate::{Arguments as ToolArguments, ChatError, ToolRequest};

/// One step of an answer, in the terms of every provider.
#[derive(Debug)]
pub(crate) enum Delta {
    /// More text.
    Text(String),
    /// More of what the model thinks before it answers.
    Thought(String),
    /// A piece of a tool request.
    Tool(ToolPiece),
    /// A tool request is being written elsewhere; the bytes of it so far.
    ToolProgress(usize),
    /// A tool request as a whole.
    ToolRequest { id: String, name: String, arguments: Value },
    /// Tokens used.
    Usage(Usage),
    /// Why the model stopped.
    Finish(Finish),
    /// Nothing more will come.
    Done,
}

impl Delta {
    /// Whether this shows that the model is at work.
    pub(crate) fn is_progress(&self) -> bool {
        !matches!(self, Self::Usage(_) | Self::Done)
    }
}

/// A piece of a tool request. The first piece has the id and the name; the arguments come bit by bit.
#[derive(Debug, Default)]
pub(crate) struct ToolPiece {
    pub(crate) index: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: String,
}

/// Why a model stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// It was done, or wants tools.
    Stop,
    /// It reached its limit of tokens.
    Length,
    /// A filter stepped in.
    Filtered,
    /// The provider failed.
    Failed,
}

impl From<&str> for Finish {
    fn from(reason: &str) -> Self {
        match reason {
            "length" | "max_tokens" => Self::Length,
            "content_filter" => Self::Filtered,
            "error" | "failed" => Self::Failed,
            _ => Self::Stop,
        }
    }
}

/// A tool request so far.
#[derive(Debug)]
struct ToolDraft {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Arguments,
}

#[derive(Debug)]
enum Arguments {
    Text(String),
    Read(Value),
}

/// An answer so far.
#[derive(Debug)]
pub(crate) struct Draft {
    model: String,
    limit: usize,
    size: usize,
    elsewhere: usize,
    text: String,
    thoughts: String,
    tools: Vec<ToolDraft>,
    usage: Usage,
    finish: Option<Finish>,
    done: bool,
}

/// The parts of a whole answer.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) thoughts: String,
    pub(crate) tool_requests: Vec<ToolRequest>,
    pub(crate) echo: Option<Map<String, Value>>,
}

impl Draft {
    /// Nothing yet, and never more than `limit` bytes.
    pub(crate) fn new(model: &str, limit: usize) -> Self {
        Self {
            model: model.to_owned(),
            limit,
            size: 0,
            elsewhere: 0,
            text: String::new(),
            thoughts: String::new(),
            tools: Vec::new(),
            usage: Usage::default(),
            finish: None,
            done: false,
        }
    }

    /// Whether the model has said that it stopped: what follows can only be the usage.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some() || self.done
    }

    /// The tokens that the provider has reported so far.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether nothing more will come.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Adds a step; fails as soon as the answer is too large.
    pub(crate) fn add(&mut self, delta: Delta) -> Result<(), ChatError> {
        match delta {
            Delta::Text(text) => {
                self.size += text.len();
                self.text.push_str(&text);
            }
            Delta::Thought(thought) => {
                self.size += thought.len();
                self.thoughts.push_str(&thought);
            }
            Delta::Tool(piece) => self.add_tool_piece(piece),
            Delta::ToolProgress(bytes) => self.elsewhere = self.elsewhere.max(bytes),
            Delta::ToolRequest { id, name, arguments } => {
                let arguments = Arguments::Read(arguments);
                self.tools.push(ToolDraft { index: None, id, name, arguments });
            }
            Delta::Usage(usage) => self.usage = usage,
            Delta::Finish(finish) => self.finish = Some(finish),
            Delta::Done => self.done = true,
        }
        if self.size + self.elsewhere > self.limit {
            return Err(ChatError::Oversize { model: self.model.clone(), limit: self.limit });
        }
        Ok(())
    }

    fn add_tool_piece(&mut self, piece: ToolPiece) {
        // Each request costs memory of its own, even an empty one.
        let name = piece.name.unwrap_or_default();
        self.size += piece.arguments.len() + name.len() + piece.id.as_ref().map_or(0, String::len);
        let id = piece.id.filter(|id| !id.is_empty());
        if let Some(position) = self.position(piece.index, id.as_deref()) {
            let tool = &mut self.tools[position];
            if tool.name.is_empty() {
                tool.name = name;
            }
            if let Arguments::Text(arguments) = &mut tool.arguments {
                arguments.push_str(&piece.arguments);
            }
        } else {
            self.size += size_of::<ToolDraft>();
            let id = id.unwrap_or_else(|| format!("call_{}", self.tools.len()));
            let arguments = Arguments::Text(piece.arguments);
            self.tools.push(ToolDraft { index: piece.index, id, name, arguments });
        }
    }

    /// The request that a piece belongs to. Some servers number all requests 0 and tell them apart by
    /// id; others send no number at all.
    fn position(&self, index: Option<u64>, id: Option<&str>) -> Option<usize> {
        if let Some(id) = id {
            return self.tools.iter().rposition(|tool| tool.id == id);
        }
        match index {
            Some(index) => self.tools.iter().rposition(|tool| tool.index == Some(index)),
            None => self.tools.len().checked_sub(1),
        }
    }

    /// The whole answer, if it is one.
    pub(crate) fn complete(self) -> Result<Written, ChatError> {
        let model = self.model;
        let broken =
            |reason: &str| ChatError::BrokenStream { model: model.clone(), reason: reason.to_owned() };
        match self.finish {
            None if !self.done => return Err(broken("the stream ended before the model had finished")),
            Some(Finish::Failed) => return Err(broken("the provider reported an error")),
            Some(Finish::Length) => return Err(ChatError::TokenLimit { model }),
            Some(Finish::Filtered) => {
                let message = "a content filter stopped the answer".to_owned();
                return Err(ChatError::Policy { model, message });
            }
            None | Some(Finish::Stop) => {}
        }
        if self.text.trim().is_empty() && self.tools.is_empty() {
            return Err(ChatError::Empty { model });
        }
        let tools = self.tools.into_iter();
        let tool_requests = tools.map(|tool| tool.complete(&model)).collect::<Result<_, _>>()?;
        Ok(Written { text: self.text, thoughts: self.thoughts, tool_requests, echo: None })
    }
}

impl ToolDraft {
    fn complete(self, model: &str) -> Result<ToolRequest, ChatError> {
        let unreadable = |reason: String| ChatError::ToolArguments {
            model: model.to_owned(),
            tool: self.name.clone(),
            reason,
        };
        let arguments = match self.arguments {
            Arguments::Text(text) | Arguments::Read(Value::String(text)) if text.trim().is_empty() => {
                Value::Null
            }
            Arguments::Text(text) | Arguments::Read(Value::String(text)) => {
                serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?
            }
            Arguments::Read(arguments) => arguments,
        };
        let arguments = match arguments {
            // A tool without arguments.
            Value::Null => Map::new(),
            Value::Object(arguments) => arguments,
            _ => return Err(unreadable("they are not a JSON object".to_owned())),
        };
        if self.name.is_empty() {
            let reason = "a tool request has no name".to_owned();
            return Err(ChatError::BrokenStream { model: model.to_owned(), reason });
        }
        Ok(ToolRequest {
            id: self.id,
            name: self.name,
            arguments: ToolArguments::Object(arguments),
            echo: None,
        })
    }
}
