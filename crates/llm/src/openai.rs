//! Endpoints that speak the protocol of `OpenAI`'s chat completions, streamed.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use protocol::Usage;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ChatError, ChatRequest, Message, Secret, ToolRequest,
    config::Timeouts,
    draft::{Delta, Finish, ToolPiece},
    failure,
    sse::{EventError, events},
    wire::{Deltas, Refusal, Wire},
};

/// The most of an error's body that is read.
const ERROR_BYTES: usize = 64 * 1024;

/// What every event may have besides its share of the answer.
const EVENT_OVERHEAD_BYTES: usize = 64 * 1024;

/// One endpoint.
pub(crate) struct OpenAi {
    http: reqwest::Client,
    url: String,
    key: Option<Secret>,
    timeouts: Timeouts,
    max_answer_bytes: usize,
}

/// What not every endpoint understands, and is left out if one says so.
#[derive(Clone, Copy)]
struct Extras {
    schema: bool,
    usage: bool,
}

impl OpenAi {
    pub(crate) fn new(
        http: reqwest::Client,
        base_url: &str,
        key: Option<Secret>,
        timeouts: Timeouts,
        max_answer_bytes: usize,
    ) -> Self {
        let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
        Self { http, url, key, timeouts, max_answer_bytes }
    }

    /// Whether there is a key to send.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    async fn send(&self, model: &str, request: &ChatRequest, extras: Extras) -> Result<Response, Refusal> {
        let mut call = self.http.post(&self.url).json(&body(model, request, extras));
        if let Some(key) = &self.key {
            call = call.bearer_auth(key.reveal());
        }
        call.send().await.map_err(|error| {
            let free = error.is_connect() || error.is_builder();
            Refusal { error: failure::of_transport(model, error, &self.timeouts), free }
        })
    }

    async fn error_body(&self, mut response: Response) -> String {
        let mut bytes = Vec::new();
        // What has arrived of an error is enough to tell of it.
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ERROR_BYTES {
                bytes.truncate(ERROR_BYTES);
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        self.key.as_ref().map_or_else(|| text.to_string(), |key| key.redact(&text))
    }

    fn deltas(&self, model: &str, response: Response) -> Deltas {
        let model = model.to_owned();
        let max_answer_bytes = self.max_answer_bytes;
        // Text may double in size when it is written as JSON.
        let limit = max_answer_bytes.saturating_mul(2).saturating_add(EVENT_OVERHEAD_BYTES);
        events(response.bytes_stream(), limit)
            .map(move |event| match event {
                Ok(data) => read(&model, &data),
                Err(EventError::TooLarge) => {
                    Err(ChatError::Oversize { model: model.clone(), limit: max_answer_bytes })
                }
                Err(EventError::Broken(reason)) => {
                    Err(ChatError::BrokenStream { model: model.clone(), reason })
                }
            })
            .map_ok(|deltas| stream::iter(deltas.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

#[async_trait]
impl Wire for OpenAi {
    async fn open(&self, model: &str, request: &ChatRequest) -> Result<Deltas, Refusal> {
        let mut extras = Extras { schema: request.schema.is_some(), usage: true };
        loop {
            let response = self.send(model, request, extras).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(self.deltas(model, response));
            }
            let headers = response.headers().clone();
            let body = self.error_body(response).await;
            match without_the_refused(extras, status, &body) {
                Some(fewer) => {
                    tracing::info!(
                        model,
                        "the endpoint does not understand the whole request: asking for less"
                    );
                    extras = fewer;
                }
                None => {
                    return Err(Refusal::free(failure::of_status(model, status, &headers, &body)));
                }
            }
        }
    }
}

/// The extras to try after a rejection that names one of them.
fn without_the_refused(extras: Extras, status: StatusCode, body: &str) -> Option<Extras> {
    if !matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
        return None;
    }
    if extras.schema && (body.contains("response_format") || body.contains("json_schema")) {
        return Some(Extras { schema: false, ..extras });
    }
    (extras.usage && body.contains("stream_options")).then_some(Extras { usage: false, ..extras })
}

fn body(model: &str, request: &ChatRequest, extras: Extras) -> Value {
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    let mut body = json!({ "model": model, "messages": messages, "stream": true });
    if extras.usage {
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
    if extras.schema
        && let Some(schema) = &request.schema
    {
        let schema = json!({ "name": schema.name, "schema": schema.schema, "strict": true });
        body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
    }
    body
}

fn message(message: &Message) -> Value {
    match message {
        Message::System(text) => json!({ "role": "system", "content": text }),
        Message::User(text) => json!({ "role": "user", "content": text }),
        Message::Assistant { text, tool_requests, .. } if tool_requests.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        Message::Assistant { text, tool_requests, .. } => {
            let content = (!text.is_empty()).then_some(text);
            let calls: Vec<Value> = tool_requests.iter().map(tool_call).collect();
            json!({ "role": "assistant", "content": content, "tool_calls": calls })
        }
        Message::Tool { request, content, .. } => {
            json!({ "role": "tool", "tool_call_id": request, "content": content })
        }
    }
}

fn tool_call(request: &ToolRequest) -> Value {
    let function = json!({ "name": request.name, "arguments": request.arguments.text() });
    json!({ "id": request.id, "type": "function", "function": function })
}

/// One event of the stream. Everything is optional: servers differ in what they leave out.
#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<ChoiceDelta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceDelta {
    content: Option<Value>,
    refusal: Option<String>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<Value>,
    tool_calls: Option<Vec<ToolCallPiece>>,
}

#[derive(Deserialize)]
struct ToolCallPiece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    arguments: Option<Value>,
}

fn read(model: &str, data: &str) -> Result<Vec<Delta>, ChatError> {
    if data.trim() == "[DONE]" {
        return Ok(vec![Delta::Done]);
    }
    let chunk: Chunk = serde_json::from_str(data).map_err(|error| ChatError::BrokenStream {
        model: model.to_owned(),
        reason: format!("a piece of it is malformed ({error})"),
    })?;
    if let Some(error) = chunk.error {
        return Err(failure::in_stream(model, &error));
    }
    let mut deltas = Vec::new();
    // Only one answer was asked for.
    if let Some(choice) = chunk.choices.into_iter().flatten().next() {
        if let Some(delta) = choice.delta {
            read_delta(delta, &mut deltas);
        }
        deltas.extend(choice.finish_reason.map(|reason| Delta::Finish(Finish::from(reason.as_str()))));
    }
    deltas.extend(chunk.usage.as_ref().and_then(usage).map(Delta::Usage));
    Ok(deltas)
}

fn read_delta(delta: ChoiceDelta, deltas: &mut Vec<Delta>) {
    let thought = delta.reasoning_content.map(text).filter(|thought| !thought.is_empty());
    deltas.extend(thought.map(Delta::Thought));
    let texts = delta.content.map(text).into_iter().chain(delta.refusal);
    deltas.extend(texts.filter(|text| !text.is_empty()).map(Delta::Text));
    deltas.extend(delta.tool_calls.into_iter().flatten().map(|call| Delta::Tool(tool_piece(call))));
}

/// The text of a content, which some servers send as a list of typed parts.
fn text(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn tool_piece(call: ToolCallPiece) -> ToolPiece {
    let (name, arguments) =
        call.function.map(|function| (function.name, function.arguments)).unwrap_or_default();
    let arguments = match arguments {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    ToolPiece { index: call.index, id: call.id, name, arguments }
}

fn usage(usage: &Value) -> Option<Usage> {
    let tokens_in = usage["prompt_tokens"].as_u64();
    let tokens_out = usage["completion_tokens"].as_u64();
    (tokens_in.is_some() || tokens_out.is_some()).then_some(Usage { tokens_in, tokens_out })
}
