//! A request in the protocol of chat completions.

use serde_json::{Map, Value, json};

use crate::{
    AnswerSchema, Arguments, ChatRequest, Message, ToolRequest, echo, instructions,
    optional_fields::OptionalFields, tool_name,
};

/// The request's body, without the parts that the endpoint does not support.
pub(super) fn body(model: &str, request: &ChatRequest, most_tokens: u32, fields: OptionalFields) -> Value {
    let said = instructions::taken_by(model, &request.messages);
    let mut messages: Vec<Value> = said.iter().map(|said| message(said, fields)).collect();
    let mut form = None;
    if let Some(schema) = &request.schema {
        if fields.sends_form(request) {
            form = Some(schema);
        } else {
            ask_in_words(schema, &mut messages);
        }
    }
    let mut body = json!({ "model": model, "messages": messages, "stream": true });
    if let Some(field) = fields.bound.first() {
        body[*field] = most_tokens.into();
    }
    if let Some(temperature) = request.temperature {
        body["temperature"] = temperature.value().into();
    }
    if fields.usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function =
                json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters });
            json!({ "type": "function", "function": function })
        });
        body["tools"] = tools.collect();
    }
    if let Some(schema) = form {
        let schema = json!({ "name": schema.name, "schema": schema.schema, "strict": true });
        body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
    }
    body
}

/// Asks for the schema in the instructions. They come first, since many servers accept instructions nowhere
/// else and no user message after a tool's result.
fn ask_in_words(schema: &AnswerSchema, messages: &mut Vec<Value>) {
    let wish = schema.in_words();
    match messages.first_mut() {
        Some(first) if first["role"] == "system" => {
            let instructions = first["content"].as_str().unwrap_or_default();
            first["content"] = format!("{instructions}\n\n{wish}").into();
        }
        _ => messages.insert(0, json!({ "role": "system", "content": wish })),
    }
}

fn message(message: &Message, fields: OptionalFields) -> Value {
    match message {
        Message::System(text) => json!({ "role": "system", "content": text }),
        Message::User(text) => json!({ "role": "user", "content": text }),
        Message::Assistant { text, tool_requests, .. } if tool_requests.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        // The provider wants these fields back while the model continues after tool results.
        Message::Assistant { text, tool_requests, echo } => {
            let content = (!text.is_empty()).then_some(text);
            let calls: Vec<Value> = tool_requests.iter().map(|call| tool_call(call, fields)).collect();
            let message = json!({ "role": "assistant", "content": content, "tool_calls": calls });
            with_echo(message, echo.as_ref(), &echo::OF_MESSAGES, fields)
        }
        Message::Tool { request, content, .. } => {
            json!({ "role": "tool", "tool_call_id": request, "content": content })
        }
    }
}

fn tool_call(request: &ToolRequest, fields: OptionalFields) -> Value {
    let name = tool_name::sendable(&request.name);
    let function = json!({ "name": name, "arguments": sendable(&request.arguments).to_string() });
    let call = json!({ "id": request.id, "type": "function", "function": function });
    with_echo(call, request.echo.as_ref(), &echo::OF_CALLS, fields)
}

/// The arguments as an object: many servers parse them again and fail on what the model itself wrote.
pub(crate) fn sendable(arguments: &Arguments) -> Value {
    match arguments {
        Arguments::Object(object) => Value::Object(object.clone()),
        Arguments::Unreadable { text, .. } => json!({ "unreadable": text }),
    }
}

/// Only known fields are sent back, so that what a log holds cannot replace other fields.
fn with_echo(
    mut value: Value,
    echo: Option<&Map<String, Value>>,
    known: &[&str],
    fields: OptionalFields,
) -> Value {
    if fields.echo {
        for (name, field) in echo.into_iter().flatten().filter(|(name, _)| known.contains(&name.as_str())) {
            value[name.as_str()] = field.clone();
        }
    }
    value
}
