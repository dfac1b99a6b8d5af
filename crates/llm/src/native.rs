//! Providers with a protocol of their own, through the genai crate.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use genai::{
    Client, ModelIden,
    adapter::AdapterKind,
    chat::{
        ChatMessage, ChatOptions, ChatResponseFormat, ChatStream, ChatStreamEvent, ContentPart, JsonSpec,
        MessageContent, StopReason, StreamEnd, Tool, ToolCall, ToolResponse,
    },
    resolver::{self, AuthData},
    webc,
};
use protocol::Usage;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    ChatError, ChatRequest, Message, Secret,
    calls::ToolPiece,
    config::Timeouts,
    failure, json as lenient,
    openai::sendable,
    optional_fields::{KnownSupport, NATIVE_BOUND, OptionalFields},
    partial_answer::{Delta, Finish},
    tool_name,
    wire::{Deltas, Refusal, Wire},
};

/// All of them.
pub(crate) struct Native {
    client: Client,
    keys: HashMap<AdapterKind, Secret>,
    timeouts: Timeouts,
    support: KnownSupport,
}

impl Native {
    /// `keys`: those that are known; other providers' keys are taken from the environment.
    pub(crate) fn new(
        http: reqwest::Client,
        keys: HashMap<AdapterKind, Secret>,
        timeouts: Timeouts,
    ) -> Result<Self, ChatError> {
        let known = keys.clone();
        let key_of = move |model: ModelIden| -> Result<Option<AuthData>, resolver::Error> {
            Ok(known.get(&model.adapter_kind).map(|key| AuthData::from_single(key.reveal())))
        };
        let client = Client::builder().with_reqwest(http).with_auth_resolver_fn(key_of).build();
        let client = client.map_err(|error| ChatError::Configuration(error.to_string()))?;
        Ok(Self { client, keys, timeouts, support: KnownSupport::new(NATIVE_BOUND) })
    }
}

#[async_trait]
impl Wire for Native {
    async fn open(&self, model: &str, request: &ChatRequest, most_tokens: u32) -> Result<Deltas, Refusal> {
        let key = AdapterKind::from_model(model).ok().and_then(|kind| self.keys.get(&kind)).cloned();
        let timeouts = self.timeouts;
        let name = model.to_owned();
        let failed = move |error: genai::Error| of_genai(&name, error, key.as_ref(), &timeouts);
        let known = self.support.of(model);
        let mut fields = known;
        let events = loop {
            let chat = chat_request(request, fields);
            let options = options(request, most_tokens, fields);
            let error = match self.client.exec_chat_stream(model, chat, Some(&options)).await {
                Ok(mut answer) => match begin(&mut answer.stream).await {
                    Some(Err(error)) => error,
                    first => break stream::iter(first).chain(answer.stream),
                },
                Err(error) => error,
            };
            let refused = refusal(&error);
            let fewer = refused.and_then(|(status, body)| fields.after_refusal(request, status, body));
            match fewer {
                Some(fewer) => fields = fewer,
                None => {
                    let before = |(status, body)| failure::came_before_the_answer(status, body);
                    let free = refused.map_or_else(|| never_sent(&error), before);
                    return Err(Refusal { error: failed(error), free });
                }
            }
        };
        if fields != known {
            self.support.keep(model, fields);
        }
        let deltas = events.flat_map(move |event| {
            stream::iter(match event {
                Ok(event) => read(event).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(failed(error))],
            })
        });
        Ok(deltas.boxed())
    }
}

/// The first event with content. genai sends the request while this is awaited.
async fn begin(events: &mut ChatStream) -> Option<Result<ChatStreamEvent, genai::Error>> {
    loop {
        match events.next().await {
            Some(Ok(ChatStreamEvent::Start | ChatStreamEvent::Heartbeat)) => {}
            first => return first,
        }
    }
}

/// Status and message of a refusal.
fn refusal(error: &genai::Error) -> Option<(StatusCode, &str)> {
    match error {
        genai::Error::HttpError { status, body, .. } => Some((*status, body)),
        genai::Error::WebModelCall {
            webc_error: webc::Error::ResponseFailedStatus { status, body, .. },
            ..
        } => Some((*status, body)),
        genai::Error::WebStream { error, .. } => refusal(error.downcast_ref::<genai::Error>()?),
        _ => None,
    }
}

/// Whether the request certainly did not reach the provider.
fn never_sent(error: &genai::Error) -> bool {
    match error {
        genai::Error::WebStream { error, .. } => {
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                return error.is_connect() || error.is_builder();
            }
            error.downcast_ref::<genai::Error>().is_some_and(never_sent)
        }
        genai::Error::WebModelCall { webc_error: webc::Error::Reqwest(error), .. } => error.is_connect(),
        genai::Error::RequiresApiKey { .. }
        | genai::Error::NoAuthResolver { .. }
        | genai::Error::NoAuthData { .. }
        | genai::Error::Resolver { .. } => true,
        _ => false,
    }
}

fn options(request: &ChatRequest, most_tokens: u32, fields: OptionalFields) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(true);
    if !fields.bound.is_empty() {
        options = options.with_max_tokens(most_tokens);
    }
    match &request.schema {
        Some(schema) if fields.sends_form(request) => {
            let spec = JsonSpec::new(schema.name.clone(), schema.schema.clone());
            options.with_response_format(ChatResponseFormat::JsonSpec(spec))
        }
        _ => options,
    }
}

fn chat_request(request: &ChatRequest, fields: OptionalFields) -> genai::chat::ChatRequest {
    let tools = request.tools.iter().map(|tool| {
        Tool::new(tool.name.clone())
            .with_description(tool.description.clone())
            .with_schema(tool.parameters.clone())
    });
    let wish = request.schema.as_ref().filter(|_| !fields.sends_form(request));
    let chat = genai::chat::ChatRequest::from_messages(messages(&request.messages));
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

fn read(event: ChatStreamEvent) -> Vec<Delta> {
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
    let mut thoughts: Vec<Value> = parts.iter().filter_map(thought_to_keep).collect();
    if thoughts.is_empty() {
        thoughts.extend(reasoning.filter(|text| !text.is_empty()).map(|text| json!({ REASONING: text })));
    }
    let echo = (!thoughts.is_empty()).then(|| Delta::Echo(field(THOUGHTS, thoughts)));
    let calls = parts.into_iter().filter_map(ContentPart::into_tool_call);
    let calls = (0..).zip(calls).map(|(index, call)| {
        let arguments = match call.fn_arguments {
            // Kept as the model wrote them, since they cannot be read.
            Value::String(text) => text,
            read => read.to_string(),
        };
        let signatures = call.thought_signatures.filter(|signatures| !signatures.is_empty());
        let echo = signatures.map(|signatures| field(SIGNATURES, signatures)).unwrap_or_default();
        let (id, name) = (Some(call.call_id), Some(call.fn_name));
        Delta::Tool(ToolPiece { index: Some(index), id, name, arguments, echo })
    });
    usage.into_iter().chain(echo).chain(calls).chain(finish).collect()
}

/// The field under which thoughts are kept with a message or a call, to be sent back.
const THOUGHTS: &str = "native_thoughts";
const SIGNATURES: &str = "native_signatures";
const REASONING: &str = "reasoning";
const SIGNATURE: &str = "signature";

fn field(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

fn thought_to_keep(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::ThoughtSignature(signature) => Some(json!({ SIGNATURE: signature })),
        ContentPart::ReasoningContent(text) => Some(json!({ REASONING: text })),
        _ => None,
    }
}

fn thoughts_sent_back(echo: &Map<String, Value>) -> Vec<ContentPart> {
    let thoughts = echo.get(THOUGHTS).and_then(Value::as_array).into_iter().flatten();
    let part = |thought: &Value| {
        let text = |name: &str| thought.get(name).and_then(Value::as_str).map(str::to_owned);
        let signature = text(SIGNATURE).map(ContentPart::ThoughtSignature);
        signature.or_else(|| text(REASONING).map(ContentPart::ReasoningContent))
    };
    thoughts.filter_map(part).collect()
}

fn signatures(echo: &Map<String, Value>) -> Option<Vec<String>> {
    let signatures = echo.get(SIGNATURES)?.as_array()?;
    Some(signatures.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn finish(reason: &StopReason) -> Option<Finish> {
    Some(match reason {
        StopReason::MaxTokens(_) => Finish::Length,
        StopReason::ContentFilter(_) => Finish::Filtered,
        StopReason::Completed(_) | StopReason::ToolCall(_) | StopReason::StopSequence(_) => Finish::Stop,
        StopReason::Other(reason) => return Finish::of(reason),
    })
}

fn of_genai(model: &str, error: genai::Error, key: Option<&Secret>, timeouts: &Timeouts) -> ChatError {
    let redacted = |text: &str| key.map_or_else(|| text.to_owned(), |key| key.redact(text));
    let broken = |reason: String| ChatError::BrokenStream { model: model.to_owned(), reason };
    if let (Some(status), Some(headers)) = (error.status(), error.headers())
        && let Some((_, body)) = refusal(&error)
    {
        return failure::of_status(model, status, headers, &redacted(body));
    }
    match error {
        genai::Error::WebStream { error, .. } => match error.downcast::<genai::Error>() {
            Ok(inner) => of_genai(model, *inner, key, timeouts),
            Err(error) => match error.downcast::<reqwest::Error>() {
                Ok(error) => failure::of_transport(model, *error, timeouts),
                Err(error) => broken(failure::root_cause(&*error)),
            },
        },
        genai::Error::WebModelCall { webc_error: webc::Error::Reqwest(error), .. } => {
            failure::of_transport(model, error, timeouts)
        }
        genai::Error::JsonValueExt(_)
        | genai::Error::SerdeJson(_)
        | genai::Error::InvalidJsonResponseElement { .. }
        | genai::Error::NoChatResponse { .. } => broken(format!("a piece of it is malformed ({error})")),
        genai::Error::StreamParse { serde_error, .. } => {
            broken(format!("a piece of it is malformed ({serde_error})"))
        }
        genai::Error::ChatResponse { body, .. } => {
            let body = lenient::read(&redacted(&body.to_string())).unwrap_or(body);
            failure::in_answer(model, &body, false)
        }
        genai::Error::RequiresApiKey { .. }
        | genai::Error::NoAuthResolver { .. }
        | genai::Error::NoAuthData { .. }
        | genai::Error::Resolver { .. } => {
            let variable = AdapterKind::from_model(model).ok().and_then(|kind| kind.default_key_env_name());
            ChatError::no_key(model, variable)
        }
        other => ChatError::Provider {
            model: model.to_owned(),
            status: other.status().map(|status| status.as_u16()),
            message: redacted(&failure::root_cause(&other)),
            retry_after: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Bytes, http::StatusCode};
    use genai::{ServiceTarget, resolver::Endpoint};
    use protocol::Tier;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        AnswerSchema, Arguments, ToolRequest, ToolSpec,
        partial_answer::{CompleteAnswer, PartialAnswer},
    };

    /// A provider that answers with these replies, the last one again and again, and the requests that it
    /// has seen.
    async fn stand(model: &str, replies: Vec<(StatusCode, String)>) -> (Native, Arc<Mutex<Vec<Value>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asked = seen.clone();
        let router = Router::new().fallback(move |body: Bytes| async move {
            let mut asked = asked.lock().unwrap();
            asked.push(serde_json::from_slice(&body).unwrap());
            let (status, reply) = replies[asked.len().min(replies.len()) - 1].clone();
            (status, [("content-type", "text/event-stream"), ("retry-after", "7")], reply)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });

        let here = move |mut target: ServiceTarget| -> Result<ServiceTarget, resolver::Error> {
            target.endpoint = Endpoint::from_owned(url.clone());
            target.auth = AuthData::from_single("sk-secret-1234");
            Ok(target)
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .with_reqwest(reqwest::Client::new())
            .with_service_target_resolver_fn(here)
            .build()
            .unwrap();
        let kind = AdapterKind::from_model(model).unwrap();
        let keys = HashMap::from([(kind, Secret::from("sk-secret-1234"))]);
        (
            Native { client, keys, timeouts: Timeouts::default(), support: KnownSupport::new(NATIVE_BOUND) },
            seen,
        )
    }

    /// A question about prices.
    fn question() -> ChatRequest {
        let call =
            ToolRequest { id: "c1".into(), name: "prices".into(), arguments: json!({}).into(), echo: None };
        let tools = vec![ToolSpec {
            name: "prices".into(),
            description: "Daily prices".into(),
            parameters: json!({"type": "object", "properties": {}}),
        }];
        let messages = vec![
            Message::System("Be brief.".into()),
            Message::User("How is AAPL?".into()),
            Message::Assistant { text: "Let me see.".into(), tool_requests: vec![call], echo: None },
            Message::Tool { request: "c1".into(), name: "prices".into(), content: "227.5".into() },
        ];
        let (agent, tier) = ("market_analyst".into(), Tier::Quick);
        ChatRequest { agent, run: None, tier, messages, tools, schema: None }
    }

    async fn ask(
        native: &Native,
        model: &str,
        request: &ChatRequest,
    ) -> Result<(CompleteAnswer, Usage), ChatError> {
        let mut deltas = native.open(model, request, 1_000).await.map_err(|refusal| refusal.error)?;
        let mut partial = PartialAnswer::new(model, 1_000);
        while let Some(delta) = deltas.next().await {
            partial.add(delta?)?;
        }
        let usage = partial.usage();
        Ok((partial.complete(&request.messages)?, usage))
    }

    /// What is made of a provider's reply.
    async fn answer(
        model: &str,
        status: StatusCode,
        reply: String,
    ) -> Result<(CompleteAnswer, Usage), ChatError> {
        let (native, _) = stand(model, vec![(status, reply)]).await;
        ask(&native, model, &question()).await
    }

    /// The second request, after an answer that asks for tools.
    async fn sent_after(model: &str, reply: String) -> (CompleteAnswer, Value) {
        let (native, seen) = stand(model, vec![(StatusCode::OK, reply)]).await;
        let mut request = question();
        let (written, _) = ask(&native, model, &request).await.unwrap();
        let (text, tool_requests, echo) =
            (written.text.clone(), written.tool_requests.clone(), written.echo.clone());
        let results: Vec<Message> = tool_requests
            .iter()
            .map(|call| Message::Tool {
                request: call.id.clone(),
                name: call.name.clone(),
                content: "7".into(),
            })
            .collect();
        request.messages.push(Message::Assistant { text, tool_requests, echo });
        request.messages.extend(results);
        ask(&native, model, &request).await.unwrap();
        let sent = seen.lock().unwrap()[1].clone();
        (written, sent)
    }

    #[tokio::test]
    async fn a_signature_of_a_native_call_goes_back_with_it() {
        let reply = json!({"candidates": [{"content": {"role": "model", "parts": [
            {"functionCall": {"name": "prices", "args": {"t": "AAPL"}}, "thoughtSignature": "Et8B"},
            {"functionCall": {"name": "prices", "args": {"t": "XOM"}}},
        ]}, "finishReason": "STOP"}]});
        let (written, sent) = sent_after("gemini-2.5-flash", events(&[reply])).await;
        assert_eq!(written.tool_requests.len(), 2);
        assert_ne!(written.tool_requests[0].id, written.tool_requests[1].id);
        let parts = sent["contents"][3]["parts"].as_array().unwrap();
        let signed: Vec<(&Value, Option<&Value>)> = parts
            .iter()
            .map(|part| (&part["functionCall"]["args"]["t"], part.get("thoughtSignature")))
            .collect();
        assert_eq!(signed, [(&json!("AAPL"), Some(&json!("Et8B"))), (&json!("XOM"), None)]);
    }

    #[tokio::test]
    async fn signed_thoughts_before_native_tools_go_back() {
        let mut whole = claude();
        whole.splice(
            1..1,
            [
                json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
                json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "thinking_delta", "thinking": "Hm."}}),
                json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "signature_delta", "signature": "Et8B"}}),
                json!({"type": "content_block_stop", "index": 0}),
            ],
        );
        let (written, sent) = sent_after("claude-opus-5", events(&whole)).await;
        assert_eq!((written.thoughts.as_str(), written.text.as_str()), ("Hm.", "Once more."));
        let content = &sent["messages"][3]["content"];
        assert_eq!(content[0], json!({"type": "thinking", "thinking": "Hm.", "signature": "Et8B"}));
    }

    #[tokio::test]
    async fn a_form_that_a_native_provider_refuses_beside_tools_is_asked_for_in_words_from_then_on() {
        let refusal = r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Function calling with a response mime type: 'application/json' is unsupported"}}]"#;
        let reply = json!({"candidates": [{"content": {"parts": [{"text": "{}"}]}, "finishReason": "STOP"}]});
        let replies = vec![(StatusCode::BAD_REQUEST, refusal.to_owned()), (StatusCode::OK, events(&[reply]))];
        let (native, seen) = stand("gemini-2.5-flash", replies).await;
        let mut request = question();
        let schema = json!({"type": "object", "properties": {"grade": {"type": "string"}}});
        request.schema = Some(AnswerSchema { name: "rating".into(), schema });
        for _ in 0..2 {
            assert_eq!(ask(&native, "gemini-2.5-flash", &request).await.unwrap().0.text, "{}");
        }
        let seen = seen.lock().unwrap();
        let forms: Vec<bool> =
            seen.iter().map(|body| !body["generationConfig"]["responseMimeType"].is_null()).collect();
        assert_eq!(forms, [true, false, false]);
        assert!(seen[2]["systemInstruction"].to_string().contains("grade"), "{}", seen[2]);
    }

    #[tokio::test]
    async fn a_native_provider_is_told_the_most_tokens_of_an_answer_unless_the_model_cannot_write_as_many() {
        let refusal = r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 1000 > 500, which is the maximum allowed number of output tokens for this model"}}"#;
        let replies =
            vec![(StatusCode::BAD_REQUEST, refusal.to_owned()), (StatusCode::OK, events(&claude()))];
        let (native, seen) = stand("claude-opus-5", replies).await;
        for _ in 0..2 {
            ask(&native, "claude-opus-5", &question()).await.unwrap();
        }
        let bounds: Vec<bool> = seen.lock().unwrap().iter().map(|body| body["max_tokens"] == 1_000).collect();
        assert_eq!(bounds, [true, false, false]);
    }

    #[tokio::test]
    async fn arguments_of_a_native_call_that_cannot_be_read_are_handed_on() {
        let mut whole = claude();
        whole[6]["delta"]["partial_json"] = json!("AAPL}");
        let (written, _) = answer("claude-opus-5", StatusCode::OK, events(&whole)).await.unwrap();
        let Arguments::Unreadable { text, .. } = &written.tool_requests[0].arguments else {
            panic!("{written:?}")
        };
        assert_eq!(text, "{\"ticker\":AAPL}");
    }

    #[tokio::test]
    async fn an_error_inside_of_a_native_stream_keeps_its_words_and_its_meaning() {
        let claude_says = |kind: &str| {
            let error = json!({"type": "error", "error": {"type": kind, "message": "Overloaded"}});
            events(&claude()[..3]) + &events(&[error])
        };
        let gemini_says = |code: u16| events(&[json!({"error": {"code": code, "message": "Overloaded"}})]);
        for (model, reply, transient) in [
            ("claude-opus-5", claude_says("overloaded_error"), true),
            ("claude-opus-5", claude_says("invalid_request_error"), false),
            ("gemini-2.5-flash", gemini_says(503), true),
            ("gemini-2.5-flash", gemini_says(400), false),
        ] {
            let error = answer(model, StatusCode::OK, reply).await.unwrap_err();
            assert!(error.to_string().contains("Overloaded"), "{model}: {error}");
            assert_eq!(error.is_transient(), transient, "{model}: {error:?}");
        }
    }

    #[tokio::test]
    async fn what_a_native_provider_refuses_for_good_is_told_apart_from_what_may_pass() {
        let body = |message: &str| json!({"error": {"message": message}}).to_string();
        for (status, message, transient) in [
            (StatusCode::BAD_REQUEST, "prompt is too long: 208310 tokens > 200000 maximum", false),
            (StatusCode::BAD_REQUEST, "no", false),
            (StatusCode::SERVICE_UNAVAILABLE, "overloaded", true),
        ] {
            let error = answer("claude-opus-5", status, body(message)).await.unwrap_err();
            assert_eq!(error.is_transient(), transient, "{error:?}");
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    fn events(events: &[Value]) -> String {
        let event = |data: &Value| match data["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {data}\n\n"),
            None => format!("data: {data}\n\n"),
        };
        events.iter().map(event).collect()
    }

    fn claude() -> Vec<Value> {
        vec![
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 10, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Once more."}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1,
                "content_block": {"type": "tool_use", "id": "t1", "name": "prices", "input": {}}}),
            json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": "{\"ticker\":"}}),
            json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": "\"AAPL\"}"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}}),
            json!({"type": "message_stop"}),
        ]
    }

    #[tokio::test]
    async fn text_tools_and_usage_of_a_native_provider_are_read() {
        let (written, usage) = answer("claude-opus-5", StatusCode::OK, events(&claude())).await.unwrap();
        assert_eq!(written.text, "Once more.");
        let call = ToolRequest {
            id: "t1".into(),
            name: "prices".into(),
            arguments: json!({"ticker": "AAPL"}).into(),
            echo: None,
        };
        assert_eq!(written.tool_requests, [call]);
        assert_eq!(usage, Usage { tokens_in: Some(10), tokens_out: Some(7) });
    }

    #[tokio::test]
    async fn a_native_stream_that_ends_too_early_is_broken() {
        let whole = claude();
        for length in [0, 3, 8] {
            let result = answer("claude-opus-5", StatusCode::OK, events(&whole[..length])).await;
            assert!(matches!(result, Err(ChatError::BrokenStream { .. })), "{length}: {result:?}");
        }
        let gemini = json!({"candidates": [{"content": {"parts": [{"text": "Buy"}], "role": "model"}}]});
        let result = answer("gemini-2.5-flash", StatusCode::OK, events(&[gemini])).await;
        assert!(matches!(result, Err(ChatError::BrokenStream { .. })), "{result:?}");
        let ollama = json!({"message": {"role": "assistant", "content": "Buy"}, "done": false}).to_string();
        let result = answer("llama3", StatusCode::OK, ollama + "\n").await;
        assert!(matches!(result, Err(ChatError::BrokenStream { .. })), "{result:?}");
    }

    #[tokio::test]
    async fn a_malformed_piece_of_a_native_stream_breaks_it() {
        let reply = "event: message_delta\ndata: {\"delta\n\n".to_owned();
        let result = answer("claude-opus-5", StatusCode::OK, reply).await;
        assert!(matches!(result, Err(ChatError::BrokenStream { .. })), "{result:?}");
    }

    #[tokio::test]
    async fn a_native_providers_errors_keep_their_meaning_and_hide_the_key() {
        let body = json!({"error": {"message": "sk-secret-1234 is busy"}}).to_string();
        let result = answer("claude-opus-5", StatusCode::TOO_MANY_REQUESTS, body.clone()).await;
        let expected = ChatError::RateLimited {
            model: "claude-opus-5".into(),
            message: "*** is busy".into(),
            retry_after: Some(std::time::Duration::from_secs(7)),
        };
        assert_eq!(result.unwrap_err(), expected);
        let result = answer("gemini-2.5-flash", StatusCode::NOT_FOUND, body).await;
        assert!(matches!(result, Err(ChatError::NotFound { .. })));
    }
}
