//! How long a provider is asked again, and how long before.

use std::time::{Duration, Instant};

use llm::{ChatError, ProviderConfig, Tiers};
use serde_json::{Value, json};

use crate::{
    ask, config, request,
    support::{Reply, Server, body, failure, failure_with, good},
};

fn retry_info(delay: &str) -> Value {
    json!([{"error": {"code": 429, "message": "Resource has been exhausted", "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}}])
}

#[tokio::test]
async fn a_wait_that_stands_only_in_the_body_is_kept() {
    let refusals = [
        failure(429, retry_info("0.3s")),
        failure(429, json!({"error": {"message": "Rate limit reached. Please try again in 300ms."}})),
        failure(503, retry_info("0.3s")),
        body("application/json", &retry_info("0.3s").to_string()),
        failure_with(429, &[("retry-after-ms", "300")], json!({})),
        failure_with(429, &[("x-ratelimit-reset-requests", "300ms")], json!({})),
        failure_with(503, &[("retry-after", "0.3")], json!({})),
    ];
    for refusal in refusals {
        let server = Server::start(vec![refusal, good("ok")]).await;
        let began = Instant::now();
        let answer = ask(config(&server), &request()).await.0.unwrap();
        assert_eq!((answer.text.as_str(), answer.attempts.len()), ("ok", 1));
        assert!(began.elapsed() >= Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_limited_rate_is_told_in_words_and_not_as_json() {
    let server = Server::start(vec![failure(429, retry_info("20s"))]).await;
    let mut config = config(&server);
    config.timeouts.total = Duration::from_secs(10);
    let error = ask(config, &request()).await.0.unwrap_err();
    let ChatError::RateLimited { message, retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(message, "Resource has been exhausted");
    assert_eq!(retry_after, Some(Duration::from_secs(20)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_window_without_any_hint_is_lived_through() {
    let window = Duration::from_millis(400);
    for refusal in [
        failure(429, json!({"error": {"message": "slow down"}})),
        failure(503, json!({"error": {"message": "The model is overloaded."}})),
        failure(529, json!({"error": {"type": "overloaded_error", "message": "Overloaded"}})),
    ] {
        let server = Server::start(vec![Reply::within(window, refusal, good("ok"))]).await;
        let mut config = config(&server);
        config.max_retries = 0;
        config.backoff.cap = Duration::from_millis(50);
        // Longer than the window on any machine: a refusal that arrives late must not use it up.
        config.rate_limit_patience = window * 50;
        let answer = ask(config, &request()).await.0.unwrap();
        assert_eq!(answer.text, "ok");
        assert!(!answer.attempts.is_empty());
    }
}

#[tokio::test]
async fn a_limited_rate_is_not_asked_for_ever() {
    let server = Server::start(vec![failure(429, json!({"error": {"message": "slow down"}}))]).await;
    let mut config = config(&server);
    config.rate_limit_patience = Duration::from_millis(100);
    config.backoff.cap = Duration::from_millis(20);
    let began = Instant::now();
    let error = ask(config, &request()).await.0.unwrap_err();
    assert!(matches!(error, ChatError::RateLimited { .. }), "{error:?}");
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(server.seen().len() >= 2);
}

#[test]
fn the_usual_patience_outlasts_a_window_of_a_minute() {
    let config = ProviderConfig::new(Tiers::same("gpt-5-mini".to_owned()));
    assert!(config.rate_limit_patience > Duration::from_secs(60));
    assert!(config.timeouts.total > config.rate_limit_patience);
}
