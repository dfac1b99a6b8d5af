//! What genai hands on of a stream.

use genai::chat::{ChatStreamEvent, ContentPart, MessageContent, StopReason, StreamEnd};
use protocol::Usage;
use serde_json::Value;

use super::echo;
use crate::{
    calls::ToolPiece,
    partial_answer::{Delta, Finish},
};

/// The steps that an event stands for.
pub(super) fn read(event: ChatStreamEvent) -> Vec<Delta> {
    match event {
        ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => vec![Delta::Text(chunk.content)],
        ChatStreamEvent::ReasoningChunk(chunk) if !chunk.content.is_empty() => {
            vec![Delta::Thought(chunk.content)]
        }
        ChatStreamEvent::ToolCallChunk(chunk) => vec![Delta::ToolProgress(chunk.tool_call.size())],
        ChatStreamEvent::End(end) => read_end(end),
        _ => Vec::new(),
    }
}

/// The end of a stream. Some of genai's adapters report one when the connection merely closed, but then
/// without a reason to stop.
fn read_end(mut end: StreamEnd) -> Vec<Delta> {
    let usage = end.captured_usage.take().map(|usage| {
        let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
        Delta::Usage(Usage {
            tokens_in: count(usage.prompt_tokens),
            tokens_out: count(usage.completion_tokens),
        })
    });
    let finish = end.captured_stop_reason.take().and_then(|reason| finish(&reason)).map(Delta::Finish);
    let reasoning = end.captured_reasoning_content.take();
    let parts = end.captured_content.take().map(MessageContent::into_parts).unwrap_or_default();
    let echo = echo::of_message(&parts, reasoning).map(Delta::Echo);
    let calls = parts.into_iter().filter_map(ContentPart::into_tool_call);
    let calls = (0..).zip(calls).map(|(index, call)| {
        let arguments = match call.fn_arguments {
            // Kept as the model wrote them, since they cannot be read.
            Value::String(text) => text,
            read => read.to_string(),
        };
        let echo = echo::of_call(call.thought_signatures);
        let (id, name) = (Some(call.call_id), Some(call.fn_name));
        Delta::Tool(ToolPiece { index: Some(index), id, name, arguments, echo })
    });
    usage.into_iter().chain(echo).chain(calls).chain(finish).collect()
}

fn finish(reason: &StopReason) -> Option<Finish> {
    Some(match reason {
        StopReason::MaxTokens(_) => Finish::Length,
        StopReason::ContentFilter(_) => Finish::Filtered,
        StopReason::Completed(_) | StopReason::ToolCall(_) | StopReason::StopSequence(_) => Finish::Stop,
        StopReason::Other(reason) => return Finish::of(reason),
    })
}
