//! A stand-in for a model that follows a script.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use protocol::{Decimal, Tier, Usage};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Message, Piece, Sink, ToolRequest, render,
};

/// The turns of a rehearsal. The same request must always get the same turn.
pub trait Script: Send + Sync {
    /// The next turn, or a sentence why there is none.
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String>;
}

/// One turn of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A text.
    Answer(String),
    /// Tools to call: their names and arguments.
    Tools(Vec<(String, Value)>),
}

/// Streams the turns of a script as a model would. Its model is always called `rehearsal`, costs nothing, and
/// counts words as tokens.
pub struct Rehearsal {
    script: Arc<dyn Script>,
    pace: u32,
}

/// The name in every answer.
const NAME: &str = "rehearsal";

/// Characters a second if none are asked for: a little faster than one can read.
const USUAL_PACE: u32 = 600;

/// The time between two pieces.
const BEAT: Duration = Duration::from_millis(35);

/// Characters in a piece when there is no wait between them.
const UNPACED_PIECE: usize = 256;

impl Rehearsal {
    /// `characters_per_second`: `None` is 600; 0 and `u32::MAX` mean no wait at all.
    pub fn new(script: Arc<dyn Script>, characters_per_second: Option<u32>) -> Self {
        Self { script, pace: characters_per_second.unwrap_or(USUAL_PACE) }
    }

    async fn speak(&self, text: &str, sink: Sink<'_>) {
        let paced = !matches!(self.pace, 0 | u32::MAX);
        let mut rest = text;
        let mut debt = 0;
        while !rest.is_empty() {
            let characters = if paced {
                sleep(BEAT).await;
                // The remainder of a beat, in thousandths of a character, is carried over to the next.
                debt += u128::from(self.pace) * BEAT.as_millis();
                let whole = debt / 1000;
                debt %= 1000;
                usize::try_from(whole).unwrap_or(usize::MAX)
            } else {
                UNPACED_PIECE
            };
            let end = rest.char_indices().nth(characters).map_or(rest.len(), |(end, _)| end);
            let (piece, after) = rest.split_at(end);
            if !piece.is_empty() {
                sink(Piece::Text(piece));
            }
            rest = after;
        }
    }
}

#[async_trait]
impl ChatModel for Rehearsal {
    fn model(&self, _: Tier) -> String {
        NAME.to_owned()
    }

    fn price(&self, _: Tier, _: &Usage) -> Option<Decimal> {
        Some(Decimal::ZERO)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        sink(Piece::Begin);
        let (text, tool_requests) = match self.script.turn(request).map_err(ChatError::Script)? {
            Turn::Answer(text) => (text, Vec::new()),
            Turn::Tools(tools) => (String::new(), tool_requests(tools, &request.messages)),
        };
        self.speak(&text, sink).await;
        let written =
            [Message::Assistant { text: text.clone(), tool_requests: tool_requests.clone(), echo: None }];
        let tokens_out = if tool_requests.is_empty() { words(&text) } else { words(&render(&written)) };
        let usage =
            Usage { tokens_in: Some(words(&render(&request.messages))), tokens_out: Some(tokens_out) };
        let cost = Some(Decimal::ZERO);
        Ok(ChatAnswer {
            model: NAME.to_owned(),
            text,
            thoughts: String::new(),
            tool_requests,
            echo: None,
            usage,
            cost,
            attempts: Vec::new(),
        })
    }
}

/// Ids continue after those of the conversation, so that none occurs twice.
fn tool_requests(tools: Vec<(String, Value)>, conversation: &[Message]) -> Vec<ToolRequest> {
    let before = conversation.iter().map(|message| match message {
        Message::Assistant { tool_requests, .. } => tool_requests.len(),
        _ => 0,
    });
    let numbers = before.sum::<usize>() + 1..;
    let numbered = tools.into_iter().zip(numbers);
    numbered
        .map(|((name, arguments), number)| {
            let (id, arguments) = (format!("call_{number}"), arguments.into());
            ToolRequest { id, name, arguments, echo: None }
        })
        .collect()
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
