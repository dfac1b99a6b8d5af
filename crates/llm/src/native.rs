//! Providers with a protocol of their own, through the genai crate.

mod echo;
mod error;
mod request;
mod stream;

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, stream::iter};
use genai::{
    Client, ModelIden,
    adapter::AdapterKind,
    chat::{ChatStream, ChatStreamEvent},
    resolver::{self, AuthData},
};

use self::{
    error::{never_sent, of_genai, refusal},
    request::{chat_request, options},
    stream::read,
};
use crate::{
    ChatError, ChatRequest, Secret,
    config::Timeouts,
    failure,
    optional_fields::{KnownSupport, NATIVE_BOUND},
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
            let chat = chat_request(model, request, fields);
            let options = options(request, most_tokens, fields);
            let error = match self.client.exec_chat_stream(model, chat, Some(&options)).await {
                Ok(mut answer) => match begin(&mut answer.stream).await {
                    Some(Err(error)) => error,
                    first => break iter(first).chain(answer.stream),
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
            iter(match event {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Bytes, http::StatusCode};
    use genai::{ServiceTarget, resolver::Endpoint};
    use protocol::{Tier, Usage};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        AnswerSchema, Arguments, Message, ToolRequest, ToolSpec,
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
        ChatRequest {
            agent,
            run: None,
            tier,
            profile: None,
            messages,
            tools,
            schema: None,
            temperature: None,
        }
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
