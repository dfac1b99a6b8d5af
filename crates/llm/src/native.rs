//! Providers with a protocol of their own, through the genai crate.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use genai::{
    Client, ModelIden,
    adapter::AdapterKind,
    chat::{
        ChatMessage, ChatOptions, ChatResponseFormat, ChatStreamEvent, ContentPart, JsonSpec, MessageContent,
        StopReason, StreamEnd, Tool, ToolCall, ToolResponse,
    },
    resolver::{self, AuthData},
};
use protocol::Usage;

use crate::{
    ChatError, ChatRequest, Message, Secret,
    config::Timeouts,
    draft::{Delta, Finish},
    failure,
    wire::{Deltas, Refusal, Wire},
};

/// All of them.
pub(crate) struct Native {
    client: Client,
    keys: HashMap<AdapterKind, Secret>,
    timeouts: Timeouts,
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
        Ok(Self { client, keys, timeouts })
    }
}

#[async_trait]
impl Wire for Native {
    async fn open(&self, model: &str, request: &ChatRequest) -> Result<Deltas, Refusal> {
        let key = AdapterKind::from_model(model).ok().and_then(|kind| self.keys.get(&kind)).cloned();
        let timeouts = self.timeouts;
        let name = model.to_owned();
        let failed = move |error: genai::Error| of_genai(&name, error, key.as_ref(), &timeouts);
        let answer =
            self.client.exec_chat_stream(model, chat_request(request), Some(&options(request))).await;
        let events = answer
            .map_err(|error| {
                let free = error.status().is_some();
                Refusal { error: failed(error), free }
            })?
            .stream;
        let deltas = events.flat_map(move |event| {
            stream::iter(match event {
                Ok(event) => read(event).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(failed(error))],
            })
        });
        Ok(deltas.boxed())
    }
}

fn options(request: &ChatRequest) -> ChatOptions {
    let options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(true);
    match &request.schema {
        Some(schema) => {
            let spec = JsonSpec::new(schema.name.clone(), schema.schema.clone());
            options.with_response_format(ChatResponseFormat::JsonSpec(spec))
        }
        None => options,
    }
}

fn chat_request(request: &ChatRequest) -> genai::chat::ChatRequest {
    let tools = request.tools.iter().map(|tool| {
        Tool::new(tool.name.clone())
            .with_description(tool.description.clone())
            .with_schema(tool.parameters.clone())
    });
    let chat = genai::chat::ChatRequest::from_messages(messages(&request.messages));
    if request.tools.is_empty() { chat } else { chat.with_tools(tools) }
}

fn messages(messages: &[Message]) -> Vec<ChatMessage> {
    // The results of tools that were asked for together belong together.
    let both_results =
        |one: &Message, next: &Message| matches!((one, next), (Message::Tool { .. }, Message::Tool { .. }));
    messages.chunk_by(both_results).filter_map(message).collect()
}

/// One message: a single one, or the results of several tools.
fn message(messages: &[Message]) -> Option<ChatMessage> {
    Some(match messages.first()? {
        Message::System(text) => ChatMessage::system(text.clone()),
        Message::User(text) => ChatMessage::user(text.clone()),
        Message::Assistant { text, tool_requests, .. } => {
            let text = (!text.is_empty()).then(|| ContentPart::Text(text.clone()));
            let calls = tool_requests.iter().map(|request| {
                ContentPart::ToolCall(ToolCall {
                    call_id: request.id.clone(),
                    fn_name: request.name.clone(),
                    fn_arguments: serde_json::from_str(&request.arguments.text()).unwrap_or_default(),
                    thought_signatures: None,
                })
            });
            ChatMessage::assistant(MessageContent::from_parts(
                text.into_iter().chain(calls).collect::<Vec<_>>(),
            ))
        }
        Message::Tool { .. } => {
            let results = messages.iter().filter_map(|message| match message {
                Message::Tool { request, name, content } => {
                    Some(ToolResponse::new(request.clone(), content.clone()).with_fn_name(name.clone()))
                }
                _ => None,
            });
            ChatMessage::tool(results.collect::<Vec<_>>())
        }
    })
}

fn read(event: ChatStreamEvent) -> Vec<Delta> {
    match event {
        ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => vec![Delta::Text(chunk.content)],
        ChatStreamEvent::ReasoningChunk(chunk) => vec![Delta::Thought(chunk.content)],
        ChatStreamEvent::ToolCallChunk(chunk) => vec![Delta::ToolProgress(chunk.tool_call.size())],
        ChatStreamEvent::End(end) => read_end(end),
        _ => Vec::new(),
    }
}

/// The end of a stream. Some of genai's adapters report one also when the connection merely closed,
/// but then without a reason to stop.
fn read_end(mut end: StreamEnd) -> Vec<Delta> {
    let usage = end.captured_usage.take().map(|usage| {
        let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
        Delta::Usage(Usage {
            tokens_in: count(usage.prompt_tokens),
            tokens_out: count(usage.completion_tokens),
        })
    });
    let finish = end.captured_stop_reason.take().map(|reason| Delta::Finish(finish(&reason)));
    let tools = end.captured_into_tool_calls().unwrap_or_default();
    let tools = tools.into_iter().map(|call| Delta::ToolRequest {
        id: call.call_id,
        name: call.fn_name,
        arguments: call.fn_arguments,
    });
    usage.into_iter().chain(tools).chain(finish).collect()
}

fn finish(reason: &StopReason) -> Finish {
    match reason {
        StopReason::MaxTokens(_) => Finish::Length,
        StopReason::ContentFilter(_) => Finish::Filtered,
        StopReason::Completed(_) | StopReason::ToolCall(_) | StopReason::StopSequence(_) => Finish::Stop,
        StopReason::Other(reason) => Finish::from(reason.as_str()),
    }
}

fn of_genai(model: &str, error: genai::Error, key: Option<&Secret>, timeouts: &Timeouts) -> ChatError {
    let redacted = |text: &str| key.map_or_else(|| text.to_owned(), |key| key.redact(text));
    let broken = |reason: String| ChatError::BrokenStream { model: model.to_owned(), reason };
    match error {
        genai::Error::HttpError { status, body, headers, .. } => {
            failure::of_status(model, status, &headers, &redacted(&body))
        }
        genai::Error::WebStream { error, .. } => match error.downcast::<genai::Error>() {
            Ok(inner) => of_genai(model, *inner, key, timeouts),
            Err(error) => match error.downcast::<reqwest::Error>() {
                Ok(error) => failure::of_transport(model, *error, timeouts),
                Err(error) => broken(failure::root_cause(&*error)),
            },
        },
        genai::Error::StreamParse { serde_error, .. } => {
            broken(format!("a piece of it is malformed ({serde_error})"))
        }
        genai::Error::ChatResponse { body, .. } => failure::in_stream(model, &body),
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
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode};
    use genai::{ServiceTarget, resolver::Endpoint};
    use protocol::Tier;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        ToolRequest, ToolSpec,
        draft::{Draft, Written},
    };

    /// What is made of a provider's reply to a question about prices.
    async fn answer(model: &str, status: StatusCode, reply: String) -> Result<(Written, Usage), ChatError> {
        let headers = [("content-type", "text/event-stream"), ("retry-after", "7")];
        let router = Router::new().fallback(move || async move { (status, headers, reply) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });

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
        let native = Native { client, keys, timeouts: Timeouts::default() };

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
        let request = ChatRequest {
            agent: "market_analyst".into(),
            run: None,
            tier: Tier::Quick,
            messages,
            tools,
            schema: None,
        };
        let mut deltas = native.open(model, &request).await.map_err(|refusal| refusal.error)?;
        let mut draft = Draft::new(model, 1_000);
        while let Some(delta) = deltas.next().await {
            draft.add(delta?)?;
        }
        server.abort();
        let usage = draft.usage();
        Ok((draft.complete()?, usage))
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
