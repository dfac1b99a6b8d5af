//! The provider against a server that speaks the protocol of chat completions.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attempts;
mod failures;
mod fair_queue;
mod going_back;
mod misbehaviour;
mod streams;
mod support;
mod text;
mod tool_calls;
mod waits;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use futures::{StreamExt, stream};
use llm::{
    AnswerSchema, Arguments, ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, EndpointQueues,
    Message, Piece, PriceTable, Provider, ProviderConfig, Secret, Tiers, TimeoutPhase, ToolRequest, ToolSpec,
};
use protocol::{Decimal, Tier, Usage};
use serde_json::{Value, json};
use support::{
    BoxError, Reply, Server, done, failure, failure_with, good, piece, sse, stop, stopped_by, tool, usage,
};

fn request() -> ChatRequest {
    ChatRequest {
        agent: "market_analyst".into(),
        run: None,
        tier: Tier::Quick,
        profile: None,
        messages: vec![Message::System("Be brief.".into()), Message::User("How is AAPL?".into())],
        tools: Vec::new(),
        schema: None,
        temperature: None,
    }
}

/// Quick enough for tests, with waits that never decide a test's outcome by themselves.
fn config(server: &Server) -> ProviderConfig {
    let models = Tiers { quick: "gpt-5-mini".into(), mid: "gpt-5".into(), deep: "gpt-5.2".into() };
    let mut config = ProviderConfig::new(models);
    config.base_url = Some(server.url());
    config.api_key = Some(Secret::from("sk-secret-1234"));
    config.backoff.base = Duration::from_millis(2);
    config.timeouts.total = Duration::from_secs(60);
    config
}

fn provider(config: ProviderConfig) -> Provider {
    Provider::new(config, PriceTable::bundled().unwrap(), &EndpointQueues::default()).unwrap()
}

async fn ask(config: ProviderConfig, request: &ChatRequest) -> (Result<ChatAnswer, ChatError>, Vec<String>) {
    let mut heard = Vec::new();
    let mut sink = |piece: Piece<'_>| {
        heard.push(match piece {
            Piece::Begin => "<begin>".to_owned(),
            Piece::Text(text) => text.to_owned(),
            Piece::Thought(_) | Piece::InLine(_) => return,
        });
    };
    let answer = provider(config).chat(request, &mut sink).await;
    (answer.map_err(|failure| failure.error), heard)
}

/// Asks, and gives back all that is known of the call.
async fn whole_call(config: ProviderConfig, request: &ChatRequest) -> Result<ChatAnswer, ChatFailure> {
    provider(config).chat(request, &mut |_| ()).await
}

/// One server and one provider for the many cases of a property.
struct Stage {
    runtime: tokio::runtime::Runtime,
    server: Server,
    provider: Provider,
}

impl Stage {
    fn new(change: impl FnOnce(&mut ProviderConfig)) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(Vec::new()));
        let mut config = config(&server);
        change(&mut config);
        let provider = provider(config);
        Self { runtime, server, provider }
    }

    /// What becomes of a call that gets these replies, and how many it got.
    fn call(&self, replies: Vec<Reply>) -> (Result<ChatAnswer, ChatFailure>, usize) {
        self.server.play(replies);
        let result = self.runtime.block_on(self.provider.chat(&request(), &mut |_| ()));
        (result, self.server.seen().len())
    }

    /// The answer to the one request that is made.
    fn answer(&self, reply: Reply) -> ChatAnswer {
        let (answer, asked) = self.call(vec![reply]);
        assert_eq!(asked, 1);
        answer.unwrap()
    }
}

/// Asks a server that answers with these replies, the last one again and again.
async fn ask_for(replies: Vec<Reply>) -> (Result<ChatAnswer, ChatError>, Server) {
    let server = Server::start(replies).await;
    let (answer, _) = ask(config(&server), &request()).await;
    (answer, server)
}

#[tokio::test]
async fn an_answer_is_streamed_and_its_usage_and_cost_are_known() {
    let events = [piece("Up "), piece("4 %."), stop(), usage(1_000, 500), done()];
    let server = Server::start(vec![sse(&events)]).await;
    let (answer, heard) = ask(config(&server), &request()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Up 4 %.");
    assert_eq!(answer.model, "gpt-5-mini");
    assert_eq!(answer.usage, Usage { tokens_in: Some(1_000), tokens_out: Some(500) });
    // 1000 tokens at 0.25 and 500 at 2.00 dollars a million.
    assert_eq!(answer.cost, Some(Decimal::from_str_exact("0.00125").unwrap()));
    assert_eq!(answer.attempts.len(), 0);
    assert_eq!(heard, ["<begin>", "Up ", "4 %."]);
}

#[tokio::test]
async fn the_conversation_is_sent_as_the_protocol_wants_it() {
    let server = Server::start(vec![good("ok")]).await;
    let mut request = request();
    request.tier = Tier::Deep;
    let call = ToolRequest {
        id: "c1".into(),
        name: "prices".into(),
        arguments: json!({"ticker": "AAPL"}).into(),
        echo: None,
    };
    request.messages.extend([
        Message::Assistant { text: String::new(), tool_requests: vec![call], echo: None },
        Message::Tool { request: "c1".into(), name: "prices".into(), content: "227.5".into() },
    ]);
    let parameters = json!({"type": "object", "properties": {"ticker": {"type": "string"}}});
    request.tools = vec![ToolSpec {
        name: "prices".into(),
        description: "Daily prices".into(),
        parameters: parameters.clone(),
    }];
    let schema = json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    request.schema = Some(AnswerSchema { name: "rating".into(), schema: schema.clone() });
    ask(config(&server), &request).await.0.unwrap();

    let seen = server.seen();
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer sk-secret-1234"));
    let function = json!({"name": "prices", "arguments": "{\"ticker\":\"AAPL\"}"});
    assert_eq!(
        seen[0].body,
        json!({
            "model": "gpt-5.2",
            "stream": true,
            "max_tokens": 32_768,
            "stream_options": {"include_usage": true},
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "How is AAPL?"},
                {"role": "assistant", "content": null,
                 "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
                {"role": "tool", "tool_call_id": "c1", "content": "227.5"},
            ],
            "tools": [{"type": "function", "function":
                {"name": "prices", "description": "Daily prices", "parameters": parameters}}],
            "response_format": {"type": "json_schema", "json_schema":
                {"name": "rating", "schema": schema, "strict": true}},
        })
    );
}

#[tokio::test]
async fn instructions_alone_are_sent_as_such_to_the_models_that_answer_to_them() {
    let roles = async |model: &str, messages: Vec<Message>| {
        let server = Server::start(vec![good("ok")]).await;
        let mut config = config(&server);
        config.models.quick = model.into();
        ask(config, &ChatRequest { messages, ..request() }).await.0.unwrap();
        let messages = server.seen()[0].body["messages"].clone();
        let roles = messages.as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap().to_owned());
        roles.collect::<Vec<_>>().join(" ")
    };
    let alone = || vec![Message::System("Choose one of ann and bob.".into())];
    assert_eq!(roles("gpt-4o", alone()).await, "system");
    assert_eq!(roles("openai/o3-mini", alone()).await, "system");
    assert_eq!(roles("qwen3-8b", alone()).await, "user");
    let asked = vec![Message::System("Be brief.".into()), Message::User("Who?".into())];
    assert_eq!(roles("qwen3-8b", asked).await, "system user");
}

#[tokio::test]
async fn a_schema_that_the_endpoint_does_not_understand_is_left_out() {
    let refusal = failure(400, json!({"error": {"message": "unknown field: response_format"}}));
    let server = Server::start(vec![refusal, good("{}")]).await;
    let mut request = request();
    request.schema = Some(AnswerSchema { name: "rating".into(), schema: json!({"type": "object"}) });
    let answer = ask(config(&server), &request).await.0.unwrap();
    assert_eq!(answer.text, "{}");
    let asked_with_schema: Vec<bool> =
        server.seen().iter().map(|seen| seen.body.get("response_format").is_some()).collect();
    assert_eq!(asked_with_schema, [true, false]);
}

#[tokio::test]
async fn tool_calls_are_put_together_from_their_pieces() {
    let (answer, _) = ask_for(vec![sse(&[
        tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": ""}}])),
        tool(json!([{"index": 0, "function": {"arguments": "{\"ticker\":"}}])),
        tool(json!([{"index": 1, "id": "b", "function": {"name": "indices", "arguments": ""}}])),
        tool(json!([{"index": 0, "function": {"arguments": "\"AAPL\"}"}}])),
        stopped_by("tool_calls"),
        done(),
    ])])
    .await;
    let expected = [
        ToolRequest {
            id: "a".into(),
            name: "prices".into(),
            arguments: json!({"ticker": "AAPL"}).into(),
            echo: None,
        },
        ToolRequest { id: "b".into(), name: "indices".into(), arguments: json!({}).into(), echo: None },
    ];
    assert_eq!(answer.unwrap().tool_requests, expected);
}

#[tokio::test]
async fn tool_calls_without_numbers_or_all_with_number_0_are_told_apart_by_their_ids() {
    for index in [json!({}), json!({"index": 0})] {
        let call = |id: &str, arguments: &str| {
            let mut call = index.clone();
            call["id"] = json!(id);
            call["function"] = json!({"name": "prices", "arguments": arguments});
            call
        };
        let calls = json!([call("a", "{\"ticker\":\"AAPL\"}"), call("b", "{\"ticker\":\"XOM\"}")]);
        let (answer, _) = ask_for(vec![sse(&[tool(calls), stopped_by("tool_calls"), done()])]).await;
        let tickers: Vec<Value> = answer
            .unwrap()
            .tool_requests
            .into_iter()
            .map(|call| serde_json::from_str::<Value>(&call.arguments.text()).unwrap()["ticker"].clone())
            .collect();
        assert_eq!(tickers, ["AAPL", "XOM"]);
    }
}

/// AgentOS 6.A 2.
#[tokio::test]
async fn an_answer_without_usage_has_unknown_tokens_and_cost() {
    let (answer, _) = ask_for(vec![sse(&[piece("ok"), stop(), done()])]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.usage, Usage::default());
    assert_eq!(answer.cost, None);
}

#[tokio::test]
async fn an_answer_of_an_unknown_model_has_an_unknown_cost() {
    let server = Server::start(vec![good("ok")]).await;
    let mut config = config(&server);
    config.models.quick = "llama-of-mine".into();
    let answer = ask(config, &request()).await.0.unwrap();
    assert_eq!(answer.usage, Usage { tokens_in: Some(10), tokens_out: Some(2) });
    assert_eq!(answer.cost, None);
}

#[tokio::test]
async fn a_character_that_is_cut_between_two_packets_arrives_whole() {
    let event = piece("5 €");
    let cut = event.find('€').unwrap() + 1;
    let bytes = event.into_bytes();
    let packets = [bytes[..cut].to_vec(), bytes[cut..].to_vec(), (stop() + &done()).into_bytes()];
    let (answer, _) =
        ask_for(vec![Reply::stream(stream::iter(packets).map(|packet| Ok(Bytes::from(packet))))]).await;
    assert_eq!(answer.unwrap().text, "5 €");
}

#[tokio::test]
async fn a_limited_rate_is_waited_for_and_asked_again() {
    let limited = failure_with(429, &[("retry-after", "1")], json!({"error": {"message": "slow down"}}));
    let (answer, server) = ask_for(vec![limited, good("ok")]).await;
    assert_eq!(answer.unwrap().attempts.len(), 1);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_whole_call_may_last_fails_at_once() {
    for wait in ["3600", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let limited = failure_with(429, &[("retry-after", wait)], json!({"error": {"message": "slow down"}}));
        let (answer, server) = ask_for(vec![limited, good("never")]).await;
        let Err(ChatError::RateLimited { message, retry_after, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(message, "slow down");
        assert!(retry_after.unwrap() >= Duration::from_secs(3600));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_exhausted_budget_is_not_asked_again() {
    let body = json!({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}});
    let (answer, server) = ask_for(vec![failure(429, body)]).await;
    assert!(answer.unwrap_err().to_string().contains("You exceeded your quota"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_failing_server_is_asked_again_until_it_answers() {
    let (answer, server) = ask_for(vec![failure(500, json!({})), failure(503, json!({})), good("ok")]).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts.len()), ("ok", 2));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn attempts_end_at_their_limit_with_the_last_error() {
    let server = Server::start(vec![failure(502, json!({"error": {"message": "bad gateway"}}))]).await;
    let mut config = config(&server);
    config.max_retries = 2;
    let (answer, heard) = ask(config, &request()).await;
    let expected = ChatError::Provider {
        model: "gpt-5-mini".into(),
        status: Some(502),
        message: "bad gateway".into(),
        retry_after: None,
    };
    assert_eq!(answer, Err(expected));
    assert_eq!(server.seen().len(), 3);
    assert_eq!(heard, ["<begin>"; 3]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_dropped_and_asked_for_again() {
    let broken: Vec<Result<Bytes, BoxError>> =
        vec![Ok(Bytes::from(piece("Buy ev"))), Err("the connection is gone".into())];
    let server = Server::start(vec![Reply::stream(stream::iter(broken)), good("Hold.")]).await;
    let (answer, heard) = ask(config(&server), &request()).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts.len()), ("Hold.", 1));
    let last = heard.iter().rposition(|piece| piece == "<begin>").unwrap();
    assert!(last > 0);
    assert_eq!(heard[last + 1..].concat(), "Hold.");
}

#[tokio::test]
async fn a_malformed_piece_breaks_the_answer() {
    let malformed = sse(&[piece("Buy"), "data: {\"choices\": [{\"del\n\n".to_owned(), stop(), done()]);
    let (answer, _) = ask_for(vec![malformed.clone(), good("Hold.")]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
    let (answer, _) = ask_for(vec![malformed]).await;
    assert!(matches!(answer, Err(ChatError::BrokenStream { .. })));
}

#[tokio::test]
async fn a_stream_that_ends_without_a_finish_is_never_an_answer() {
    for events in [vec![], vec![piece("Buy")], vec![piece("Buy"), usage(1, 1)]] {
        let (answer, server) = ask_for(vec![sse(&events)]).await;
        assert!(matches!(answer, Err(ChatError::BrokenStream { .. })), "{answer:?}");
        assert_eq!(server.seen().len(), 4);
    }
}

#[tokio::test]
async fn a_finish_or_a_farewell_alone_completes_an_answer() {
    for end in [stop(), done(), "data: [DONE]".to_owned()] {
        let (answer, _) = ask_for(vec![sse(&[piece("Hold."), end])]).await;
        assert_eq!(answer.unwrap().text, "Hold.");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_finish_does_not_matter() {
    let late: Vec<Result<Bytes, BoxError>> =
        vec![Ok(Bytes::from(piece("Hold."))), Ok(Bytes::from(stop())), Err("gone".into())];
    // Whether the pieces or the end of the connection are seen first is up to the network.
    let paced = stream::iter(late).then(|packet| async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        packet
    });
    let (answer, server) = ask_for(vec![Reply::stream(paced)]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_error_inside_of_the_stream_breaks_the_answer() {
    let event = |error: Value| format!("data: {}\n\n", json!({"error": error}));
    let overloaded = sse(&[piece("Buy"), event(json!({"message": "overloaded"}))]);
    let (answer, _) = ask_for(vec![overloaded.clone(), good("Hold.")]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
    let (answer, _) = ask_for(vec![overloaded]).await;
    assert!(answer.unwrap_err().to_string().contains("overloaded"));
    let (answer, server) = ask_for(vec![sse(&[event(json!({"code": 401, "message": "no"}))])]).await;
    assert!(matches!(answer, Err(ChatError::Unauthorised { .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_again() {
    let (answer, _) = ask_for(vec![sse(&[stop(), done()]), good("Hold.")]).await;
    assert_eq!(answer.unwrap().attempts.len(), 1);
    let (answer, _) = ask_for(vec![sse(&[stop(), done()])]).await;
    assert!(matches!(answer, Err(ChatError::Empty { .. })));
}

#[tokio::test]
async fn a_wrong_key_fails_at_once_and_is_not_shown() {
    let body = json!({"error": {"message": "Incorrect API key provided: sk-secret-1234"}});
    let (answer, server) = ask_for(vec![failure(401, body)]).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, ChatError::Unauthorised { .. }));
    assert!(error.to_string().contains("PITWALL_MODEL_KEY"));
    assert!(!format!("{error} {error:?} {:?}", config(&server)).contains("sk-secret-1234"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_rejected_request_fails_at_once_with_the_providers_words() {
    for status in [400, 402, 409, 413, 422] {
        let (answer, server) =
            ask_for(vec![failure(status, json!({"error": {"message": "prompt too long"}}))]).await;
        let message = "prompt too long".to_owned();
        let expected = ChatError::Provider {
            model: "gpt-5-mini".into(),
            status: Some(status),
            message,
            retry_after: None,
        };
        assert_eq!(answer, Err(expected));
        assert_eq!(server.seen().len(), 1);
    }
}

fn raw_delta(delta: Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

#[tokio::test]
async fn the_fallback_answers_where_the_model_is_unknown_or_refused_by_policy() {
    let refusals = [
        failure(404, json!({"error": {"message": "No endpoints found matching your data policy"}})),
        failure(404, json!({"error": {"message": "model not found"}})),
        failure(400, json!({"error": {"message": "no", "code": "content_policy_violation"}})),
        failure(400, json!({"error": {"message": "Blocked under our usage policies"}})),
        failure(
            403,
            json!({"error": {"code": 403, "message": "gpt-5-mini requires moderation. Your input was flagged for \"violence\"."}}),
        ),
        failure(400, json!({"error": {"message": "Your request was rejected by our safety system."}})),
        sse(&[
            raw_delta(json!({"role": "assistant", "content": null, "refusal": "I cannot help with that."})),
            stopped_by("stop"),
            done(),
        ]),
        sse(&[piece("Buy"), stopped_by("content_filter"), done()]),
    ];
    for refusal in refusals {
        let server = Server::start(vec![refusal, good("Hold.")]).await;
        let mut config = config(&server);
        config.fallbacks.quick = Some("gpt-5-nano".into());
        let (answer, heard) = ask(config, &request()).await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.model.as_str(), answer.text.as_str(), answer.attempts.len()),
            ("gpt-5-nano", "Hold.", 1)
        );
        // 10 tokens at 0.05 and 2 at 0.40 dollars a million.
        assert_eq!(answer.cost, Some(Decimal::from_str_exact("0.0000013").unwrap()));
        let asked: Vec<Value> = server.seen().iter().map(|seen| seen.body["model"].clone()).collect();
        assert_eq!(asked, ["gpt-5-mini", "gpt-5-nano"]);
        assert_eq!(heard.iter().filter(|piece| *piece == "<begin>").count(), 2);
    }
}

#[tokio::test]
async fn an_unknown_model_without_a_fallback_fails_at_once() {
    let (answer, server) =
        ask_for(vec![failure(404, json!({"error": {"message": "model not found"}}))]).await;
    assert!(matches!(answer, Err(ChatError::NotFound { .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    // Numbers, because what repeats itself is stopped earlier.
    let words =
        |piece: usize| -> String { (0..2_000).map(|word| format!("{} ", piece * 2_000 + word)).collect() };
    let events: [fn(String) -> String; 4] = [
        |words| piece(&words),
        |words| tool(json!([{"index": 0, "function": {"name": "prices", "arguments": words}}])),
        |words| format!("data: {}\n\n", json!({"choices": [{"delta": {"reasoning_content": words}}]})),
        // Never ends its event.
        |words| words,
    ];
    for event in events {
        let hundred_megabytes =
            stream::iter(0..10_000).map(move |number| Ok::<_, BoxError>(Bytes::from(event(words(number)))));
        let server = Server::start(vec![Reply::stream(hundred_megabytes)]).await;
        let mut config = config(&server);
        config.answer_tokens.quick = 1_000_000.try_into().unwrap();
        let (answer, _) = ask(config, &request()).await;
        let expected = ChatError::Oversize { model: "gpt-5-mini".into(), limit: 1024 * 1024 };
        assert_eq!(answer, Err(expected));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_of_the_largest_size_is_whole() {
    let server = Server::start(vec![good("12345678")]).await;
    let mut config = config(&server);
    config.max_answer_bytes = 8;
    assert_eq!(ask(config.clone(), &request()).await.0.unwrap().text, "12345678");
    config.max_answer_bytes = 7;
    assert!(matches!(ask(config, &request()).await.0, Err(ChatError::Oversize { limit: 7, .. })));
}

#[tokio::test]
async fn a_provider_that_does_not_begin_is_not_waited_for_for_ever() {
    let comments = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(Bytes::from(": still working\n\n"))
    });
    let empty = piece("").replace("\"content\":\"\"", "\"role\":\"assistant\"");
    let empty_pieces = stream::repeat(()).map(move |()| Ok(Bytes::from(empty.clone())));
    let hanging_error = Reply::of(StatusCode::BAD_GATEWAY, Body::from_stream(support::silence()));
    let replies = [
        Reply::Hang,
        Reply::stream(support::silence()),
        Reply::stream(comments),
        Reply::stream(empty_pieces),
        hanging_error,
    ];
    for reply in replies {
        let server = Server::start(vec![reply]).await;
        let mut config = config(&server);
        config.timeouts.first_token = Duration::from_millis(100);
        config.max_retries = 1;
        let (answer, _) = ask(config, &request()).await;
        assert!(
            matches!(answer, Err(ChatError::Timeout { phase: TimeoutPhase::FirstToken, .. })),
            "{answer:?}"
        );
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_provider_that_stops_in_the_middle_is_not_waited_for_for_ever() {
    let begun = stream::iter([Ok(Bytes::from(piece("Buy")))]).chain(support::silence());
    let server = Server::start(vec![Reply::stream(begun), good("Hold.")]).await;
    let mut config = config(&server);
    config.timeouts.idle = Duration::from_secs(1);
    assert_eq!(ask(config, &request()).await.0.unwrap().text, "Hold.");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_call_ends_at_its_total_time_however_busy_the_provider_is() {
    let drip = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(Bytes::from(piece("and ")))
    });
    let server = Server::start(vec![Reply::stream(drip)]).await;
    let mut config = config(&server);
    config.timeouts.total = Duration::from_secs(1);
    let (answer, _) = ask(config, &request()).await;
    assert!(matches!(answer, Err(ChatError::Timeout { phase: TimeoutPhase::Total, .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_connection_error() {
    let server = Server::start(vec![good("never")]).await;
    let mut config = config(&server);
    config.base_url = Some(support::nobody().await);
    config.max_retries = 1;
    let (answer, heard) = ask(config, &request()).await;
    assert!(matches!(answer, Err(ChatError::Connection { .. })), "{answer:?}");
    assert_eq!(heard, ["<begin>"; 2]);
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let closed = Arc::new(AtomicBool::new(false));
    let flag = Flag(closed.clone());
    let drip = stream::repeat(()).then(move |()| {
        let _ = &flag;
        async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(Bytes::from(piece("and ")))
        }
    });
    let server = Server::start(vec![Reply::stream(drip)]).await;
    let provider = provider(config(&server));
    let (begun, mut first) = tokio::sync::mpsc::unbounded_channel();
    let call = tokio::spawn(async move {
        let mut sink = |piece: Piece<'_>| {
            if let Piece::Text(_) = piece {
                let _ = begun.send(());
            }
        };
        provider.chat(&request(), &mut sink).await
    });
    first.recv().await.unwrap();
    call.abort();
    while !closed.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let refused = |change: &dyn Fn(&mut ProviderConfig)| {
        let mut config = ProviderConfig::new(Tiers::same("gpt-5-mini".to_owned()));
        change(&mut config);
        matches!(
            Provider::new(config, PriceTable::empty(), &EndpointQueues::default()),
            Err(ChatError::Configuration(_))
        )
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|config| config.models.mid = " ".into()));
    assert!(refused(&|config| config.base_url = Some("localhost:11434".into())));
    assert!(refused(&|config| config.base_url = Some("file:///etc/passwd".into())));
    // One key must not reach two providers.
    let two_providers = |config: &mut ProviderConfig| {
        config.models.deep = "claude-opus-5".into();
        config.api_key = Some(Secret::from("sk-1"));
    };
    assert!(refused(&two_providers));
    // A local model needs none, and the two protocols of OpenAI belong to one provider.
    assert!(!refused(&|config| {
        config.models = Tiers { quick: "llama3".into(), mid: "gpt-4o".into(), deep: "gpt-5".into() };
        config.api_key = Some(Secret::from("sk-1"));
    }));
    assert!(!refused(&|config| {
        two_providers(config);
        config.base_url = Some("http://localhost:1/v1".into());
    }));
}

/// A text cut in pieces, as it is heard and as it is in the end.
async fn thinking_aloud(pieces: &[&str]) -> (Result<ChatAnswer, ChatError>, String, String) {
    let events: Vec<String> =
        pieces.iter().map(|text| piece(text)).chain([stop(), usage(10, 2), done()]).collect();
    let server = Server::start(vec![sse(&events)]).await;
    let mut config = config(&server);
    config.max_retries = 1;
    let (mut text, mut thoughts) = (String::new(), String::new());
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Begin => (text, thoughts) = Default::default(),
        Piece::Text(more) => text.push_str(more),
        Piece::Thought(more) => thoughts.push_str(more),
        Piece::InLine(_) => {}
    };
    let answer = provider(config).chat(&request(), &mut sink).await;
    (answer.map_err(|failure| failure.error), text, thoughts)
}

#[tokio::test]
async fn thoughts_in_the_text_are_no_part_of_the_answer() {
    for pieces in [
        &["<think>\nThe price is up.\n</think>\n\n## Report\nUp."][..],
        &["<", "think>\nThe price", " is up.\n</thi", "nk>\n", "\n## Rep", "ort\nUp."],
        // The server sent the opening mark to the model itself.
        &["\nThe price is up.\n", "</", "think>", "\n\n## Report\nUp."],
    ] {
        let (answer, text, thoughts) = thinking_aloud(pieces).await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.thoughts.as_str()),
            ("## Report\nUp.", "\nThe price is up.\n")
        );
        assert_eq!((text, thoughts), (answer.text, answer.thoughts));
    }
}

#[tokio::test]
async fn what_looks_like_the_beginning_of_a_mark_is_kept_at_the_end() {
    let (answer, text, _) = thinking_aloud(&["1 <", " 2 and [", "t", "hi", "<th"]).await;
    assert_eq!(answer.unwrap().text, "1 < 2 and [thi<th");
    assert_eq!(text, "1 < 2 and [thi<th");
}

#[tokio::test]
async fn thoughts_alone_are_an_empty_answer_that_counts() {
    for pieces in [&["<think>The price is"][..], &["<think>Up.</think>", "\n\n"], &["Up.</think>"]] {
        let events: Vec<String> =
            pieces.iter().map(|text| piece(text)).chain([stop(), usage(10, 2), done()]).collect();
        let server = Server::start(vec![sse(&events), good("Up.")]).await;
        let mut sink = |_: Piece<'_>| ();
        let answer = provider(config(&server)).chat(&request(), &mut sink).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.thoughts.as_str()), ("Up.", ""));
        assert_eq!(answer.attempts.len(), 1);
        assert_eq!(answer.attempts[0].usage, Usage { tokens_in: Some(10), tokens_out: Some(2) });
    }
}
