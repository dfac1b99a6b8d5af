//! What providers say of failures, in all the places and forms in which they say it.

use llm::{AnswerSchema, ChatError, ChatModel, Secret, ToolSpec};
use serde_json::{Value, json};

use crate::{
    ask, ask_for, config, provider, request,
    support::{Reply, Server, body, failure, failure_with, good, piece, raw, sse},
};

async fn error_of(reply: Reply) -> (ChatError, usize) {
    let (answer, server) = ask_for(vec![reply]).await;
    (answer.unwrap_err(), server.seen().len())
}

#[tokio::test]
async fn an_error_instead_of_an_answer_is_told_once_with_a_hint_at_the_address() {
    let row = r#"{"error":"Unexpected endpoint or method. (POST /chat/completions)"}"#;
    for content_type in ["application/json", "text/event-stream", "text/plain"] {
        let (error, asked) = error_of(body(content_type, row)).await;
        assert!(matches!(error, ChatError::NotFound { .. }), "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains("Unexpected endpoint or method. (POST /chat/completions)"), "{shown}");
        assert!(shown.contains("base URL"), "{shown}");
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn a_web_page_instead_of_an_answer_is_told_with_a_hint_at_the_address() {
    let page = "<!doctype html>\n<html><head><title>Welcome to nginx!</title></head><body>x</body></html>";
    let (error, asked) = error_of(body("text/html", page)).await;
    assert!(
        error.to_string().contains("Welcome to nginx!") && error.to_string().contains("base URL"),
        "{error}"
    );
    assert_eq!(asked, 1);
    let (answer, _) = ask_for(vec![Reply::Send {
        status: axum::http::StatusCode::BAD_GATEWAY,
        headers: Vec::new(),
        body: "<html><head><title>502 Bad Gateway</title></head></html>".to_owned(),
    }])
    .await;
    let Err(ChatError::Provider { message, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(message, "502 Bad Gateway");
}

#[tokio::test]
async fn an_error_in_another_form_inside_of_the_stream_is_told_once() {
    let row = "data: {\"object\":\"error\",\"message\":\"This model's maximum context length is 8192 tokens.\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}\n\ndata: [DONE]\n\n";
    let (error, asked) = error_of(raw(row)).await;
    assert!(matches!(error, ChatError::TooLong { .. }), "{error:?}");
    assert!(error.to_string().contains("This model's maximum context length is 8192 tokens."), "{error}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn what_cannot_succeed_is_asked_once_and_told_in_the_providers_words() {
    let words = "the provider's own words";
    let errors = [
        json!({"error": {"message": words, "code": 400}}),
        json!({"error": {"message": words, "type": "invalid_request_error"}}),
        json!({"error": {"message": words, "code": "context_length_exceeded"}}),
        json!({"error": {"message": words, "type": "authentication_error"}}),
        json!({"error": {"message": words, "code": "insufficient_quota"}}),
        json!({"error": {"message": words, "code": "402"}}),
        json!({"error": {"message": words, "type": "content_policy_violation"}}),
        json!([{"error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}}]),
        json!({"object": "error", "message": words, "type": "NotFoundError", "code": 404}),
        json!({"type": "error", "error": {"type": "permission_error", "message": words}}),
        json!({"errors": [{"message": words, "code": 422}]}),
        json!({"message": words, "status_code": 403}),
    ];
    for error in errors {
        for reply in [raw(&format!("data: {error}\n\n")), body("application/json", &error.to_string())] {
            let (told, asked) = error_of(reply).await;
            assert!(told.to_string().contains(words), "{error}: {told}");
            assert!(!told.is_transient(), "{error}: {told:?}");
            assert_eq!(asked, 1, "{error}");
        }
    }
    // As a whole response, also without a name.
    for error in [
        json!({"error": words}),
        json!({"detail": words}),
        json!({"message": words}),
        json!({"error": {"msg": words}}),
    ] {
        let (told, asked) = error_of(body("application/json", &error.to_string())).await;
        assert!(told.to_string().contains(words), "{error}: {told}");
        assert_eq!(asked, 1, "{error}");
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let words = "the provider's own words";
    let errors = [
        json!({"error": {"message": words, "code": 502}}),
        json!({"error": {"message": words, "code": "503"}}),
        json!({"error": {"message": words, "type": "overloaded_error"}}),
        json!({"error": {"message": words, "type": "server_error", "code": "internal_error"}}),
        json!([{"error": {"message": words, "status": "UNAVAILABLE"}}]),
        json!({"type": "error", "error": {"type": "api_error", "message": words}}),
        json!({"error": {"message": "The model is loading, try again"}}),
        json!({"error": "Server busy"}),
    ];
    for error in errors {
        for reply in
            [sse(&[piece("Buy"), format!("data: {error}\n\n")]), body("application/json", &error.to_string())]
        {
            let (answer, server) = ask_for(vec![reply, good("Hold.")]).await;
            assert_eq!(answer.unwrap().text, "Hold.", "{error}");
            assert_eq!(server.seen().len(), 2, "{error}");
        }
    }
    for status in [408, 425, 500, 502, 503, 504, 529] {
        let (answer, server) = ask_for(vec![failure(status, json!({"error": words})), good("Hold.")]).await;
        assert_eq!(answer.unwrap().text, "Hold.", "{status}");
        assert_eq!(server.seen().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn words_are_found_wherever_they_stand() {
    let words = "the provider's own words";
    let bodies = [
        json!({"error": {"message": words}}),
        json!({"error": words}),
        json!([{"error": {"code": 400, "message": words, "details": []}}]),
        json!({"message": words}),
        json!({"detail": words}),
        json!({"detail": [{"loc": ["body"], "msg": words, "type": "missing"}]}),
        json!({"errors": [{"message": words}]}),
        json!({"error": {"message": "Provider returned error", "metadata": {"raw": json!({"error": {"message": words}}).to_string()}}}),
        json!(words),
    ];
    for body in bodies {
        let (error, _) = error_of(failure(400, body.clone())).await;
        let ChatError::Provider { message, .. } = &error else { panic!("{error:?}") };
        assert!(message.contains(words) && !message.contains('{'), "{body}: {message}");
    }
    // Words alone, where a stream should be.
    let (answer, _) = ask_for(vec![body("text/plain", "upstream connect error or disconnect")]).await;
    assert!(answer.unwrap_err().to_string().contains("upstream connect error or disconnect"));
    let (answer, _) = ask_for(vec![raw("event: error\ndata: the worker died\n\n")]).await;
    assert!(answer.unwrap_err().to_string().contains("the worker died"));
}

#[tokio::test]
async fn an_empty_field_for_errors_is_no_error() {
    for nothing in [json!(null), json!(""), json!({}), json!(false), json!([])] {
        let mut event: Value = serde_json::from_str(piece("Hold.").trim_start_matches("data: ")).unwrap();
        event["error"] = nothing;
        event["choices"][0]["finish_reason"] = json!("stop");
        let (answer, _) = ask_for(vec![raw(&format!("data: {event}\n\n"))]).await;
        assert_eq!(answer.unwrap().text, "Hold.");
    }
}

#[tokio::test]
async fn a_request_beyond_every_window_of_a_rate_is_not_asked_again() {
    let words = "Request too large for gpt-5-mini on tokens per min (TPM): Limit 30000, Requested 35000.";
    let body = json!({"error": {"message": words, "type": "tokens", "code": "rate_limit_exceeded"}});
    let (error, asked) = error_of(failure(429, body)).await;
    assert!(error.to_string().contains(words));
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_address_that_moved_is_told() {
    let (error, asked) =
        error_of(failure_with(308, &[("location", "https://models.example/v1")], json!({}))).await;
    assert!(error.to_string().contains("https://models.example/v1"), "{error}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_key_that_a_stream_quotes_is_not_shown() {
    for reply in [
        raw("data: {\"error\":{\"code\":401,\"message\":\"no such key: sk-secret-1234\"}}\n\n"),
        raw("data: the key sk-secret-1234 is wrong\n\n"),
        body("text/plain", "the key sk-secret-1234 is wrong"),
        body("application/json", "{\"error\":\"the key sk-secret-1234 is wrong\"}"),
    ] {
        let server = Server::start(vec![reply]).await;
        let mut config = config(&server);
        config.api_key = Some(Secret::from("sk-secret-1234"));
        let error = ask(config, &request()).await.0.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sk-secret-1234"), "{error}");
        assert!(error.to_string().contains("***"), "{error}");
    }
}

fn with_form_and_tools() -> llm::ChatRequest {
    let mut request = request();
    let schema = json!({"type": "object", "properties": {"grade": {"type": "string"}}});
    request.schema = Some(AnswerSchema { name: "rating".into(), schema });
    let parameters = json!({"type": "object", "properties": {}});
    request.tools = vec![ToolSpec { name: "prices".into(), description: "Daily prices".into(), parameters }];
    request
}

#[tokio::test]
async fn a_form_that_cannot_go_with_tools_is_asked_for_in_words_from_then_on() {
    let refusals = [
        r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Function calling with a response mime type: 'application/json' is unsupported"}}]"#,
        r#"{"error":{"message":"json mode cannot be combined with tool/function calling"}}"#,
        r#"{"error":{"code":400,"message":"Cannot use custom grammar constraints with tools."}}"#,
        r#"{"message":"`response_format` is not allowed when `tools` are given"}"#,
    ];
    for refusal in refusals {
        let refused = failure(400, serde_json::from_str(refusal).unwrap());
        let server = Server::start(vec![refused, good("{}")]).await;
        let provider = provider(config(&server));
        for _ in 0..2 {
            let answer = provider.chat(&with_form_and_tools(), &mut |_| ()).await.unwrap();
            assert_eq!((answer.text.as_str(), answer.attempts.len()), ("{}", 0));
        }
        let mut without_tools = with_form_and_tools();
        without_tools.tools.clear();
        provider.chat(&without_tools, &mut |_| ()).await.unwrap();

        let seen = server.seen();
        let forms: Vec<bool> = seen.iter().map(|seen| seen.body.get("response_format").is_some()).collect();
        assert_eq!(forms, [true, false, false, true], "{refusal}");
        let in_words = |body: &Value| body["messages"][0]["content"].as_str().unwrap().contains("\"grade\"");
        let words: Vec<bool> = seen.iter().map(|seen| in_words(&seen.body)).collect();
        assert_eq!(words, [false, true, true, false], "{refusal}");
        assert!(seen.iter().take(3).all(|seen| seen.body.get("tools").is_some()));
    }
}

#[tokio::test]
async fn whatever_a_refusal_names_is_left_out_from_then_on() {
    let refusals = vec![
        failure(
            422,
            json!({"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}),
        ),
        failure(400, json!({"error": {"message": "unknown field: response_format"}})),
        good("{}"),
    ];
    let server = Server::start(refusals).await;
    let provider = provider(config(&server));
    let mut request = with_form_and_tools();
    request.tools.clear();
    for _ in 0..2 {
        provider.chat(&request, &mut |_| ()).await.unwrap();
    }
    let seen = server.seen();
    let has = |name: &str| seen.iter().map(|seen| seen.body.get(name).is_some()).collect::<Vec<bool>>();
    assert_eq!(has("stream_options"), [true, false, false, false]);
    assert_eq!(has("response_format"), [true, true, false, false]);
}

#[tokio::test]
async fn what_one_model_refuses_another_is_still_sent() {
    let refused = failure(400, json!({"error": {"message": "unknown field: stream_options"}}));
    let server = Server::start(vec![refused, good("ok")]).await;
    let provider = provider(config(&server));
    provider.chat(&request(), &mut |_| ()).await.unwrap();
    let mut deep = request();
    deep.tier = protocol::Tier::Deep;
    provider.chat(&deep, &mut |_| ()).await.unwrap();
    let sent: Vec<bool> =
        server.seen().iter().map(|seen| seen.body.get("stream_options").is_some()).collect();
    assert_eq!(sent, [true, false, true]);
}
