//! Requests in genai's form.

use genai::chat::{
    ChatMessage, ChatOptions, ChatResponseFormat, ContentPart, JsonSpec, MessageContent, Tool, ToolCall,
    ToolResponse,
};

use super::echo::{signatures, thoughts_sent_back};
use crate::{
    ChatRequest, Message, instructions, openai::sendable, optional_fields::OptionalFields, tool_name,
};

pub(super) fn options(request: &ChatRequest, most_tokens: u32, fields: OptionalFields) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(true);
    if !fields.bound.is_empty() {
        options = options.with_max_tokens(most_tokens);
    }
    if let Some(temperature) = request.temperature {
        options = options.with_temperature(temperature.value());
    }
    match &request.schema {
        Some(schema) if fields.sends_form(request) => {
            let spec = JsonSpec::new(schema.name.clone(), schema.schema.clone());
            options.with_response_format(ChatResponseFormat::JsonSpec(spec))
        }
        _ => options,
    }
}

pub(super) fn chat_request(
    model: &str,
    request: &ChatRequest,
    fields: OptionalFields,
) -> genai::chat::ChatRequest {
    let tools = request.tools.iter().map(|tool| {
        Tool::new(tool.name.clone())
            .with_description(tool.description.clone())
            .with_schema(tool.parameters.clone())
    });
    let wish = request.schema.as_ref().filter(|_| !fields.sends_form(request));
    let chat =
        genai::chat::ChatRequest::from_messages(messages(&instructions::taken_by(model, &request.messages)));
    // The request's instructions come before those in its messages.
    let chat = match wish {
        Some(schema) => chat.with_system(schema.in_words()),
        None => chat,
    };
    if request.tools.is_empty() { chat } else { chat.with_tools(tools) }
}

fn messages(messages: &[Message]) -> Vec<ChatMessage> {
    // Results of tools that were requested together go into one message.
    let both_results =
        |one: &Message, next: &Message| matches!((one, next), (Message::Tool { .. }, Message::Tool { .. }));
    messages.chunk_by(both_results).filter_map(message).collect()
}

/// One message: a single one, or the results of several tools.
fn message(messages: &[Message]) -> Option<ChatMessage> {
    Some(match messages.first()? {
        Message::System(text) => ChatMessage::system(text.clone()),
        Message::User(text) => ChatMessage::user(text.clone()),
        Message::Assistant { text, tool_requests, echo } => {
            // The provider wants these fields back while the model continues after tool results.
            let thoughts = echo.as_ref().filter(|_| !tool_requests.is_empty()).map(thoughts_sent_back);
            let text = (!text.is_empty()).then(|| ContentPart::Text(text.clone()));
            let calls = tool_requests.iter().map(|request| {
                ContentPart::ToolCall(ToolCall {
                    call_id: request.id.clone(),
                    fn_name: tool_name::sendable(&request.name),
                    fn_arguments: sendable(&request.arguments),
                    thought_signatures: request.echo.as_ref().and_then(signatures),
                })
            });
            let parts = thoughts.unwrap_or_default().into_iter().chain(text).chain(calls);
            ChatMessage::assistant(MessageContent::from_parts(parts.collect::<Vec<_>>()))
        }
        Message::Tool { .. } => {
            let results = messages.iter().filter_map(|message| match message {
                Message::Tool { request, name, content } => Some(
                    ToolResponse::new(request.clone(), content.clone())
                        .with_fn_name(tool_name::sendable(name)),
                ),
                _ => None,
            });
            ChatMessage::tool(results.collect::<Vec<_>>())
        }
    })
}
