//! What each attempt used: nothing that may have been charged is left out.

use std::time::Duration;

use axum::body::Bytes;
use futures::{StreamExt, stream};
use llm::{ChatAnswer, ChatError, ChatFailure, ChatModel, Piece};
use protocol::{Attempt, Decimal, Usage};
use serde_json::json;

use crate::{
    config, provider, request,
    support::{self, BoxError, Reply, Server, done, failure, good, piece, raw, sse, stop, stopped_by, usage},
    whole_call,
};

async fn call(replies: Vec<Reply>) -> Result<ChatAnswer, ChatFailure> {
    let server = Server::start(replies).await;
    whole_call(config(&server), &request()).await
}

fn used(tokens_in: u64, tokens_out: u64) -> Usage {
    Usage { tokens_in: Some(tokens_in), tokens_out: Some(tokens_out) }
}

/// At 0.25 and 2.00 dollars a million.
fn price(tokens_in: u64, tokens_out: u64) -> Decimal {
    Decimal::new(i64::try_from(tokens_in * 25 + tokens_out * 200).unwrap(), 8).normalize()
}

#[tokio::test]
async fn empty_answers_that_are_charged_count() {
    let empty = sse(&[stop(), usage(10_000, 5_000), done()]);
    let answer = call(vec![empty.clone(), empty, good("Hold.")]).await.unwrap();
    assert_eq!(answer.text, "Hold.");
    assert_eq!(answer.attempts.len(), 2);
    for attempt in &answer.attempts {
        assert_eq!(attempt.model, "gpt-5-mini");
        assert_eq!(attempt.usage, used(10_000, 5_000));
        assert_eq!(attempt.cost, Some(price(10_000, 5_000)));
        assert!(attempt.error.contains("finished without an answer"), "{}", attempt.error);
    }
    assert_eq!(answer.usage, used(10, 2));
}

#[tokio::test]
async fn attempts_that_failed_count_as_reported_or_else_as_of_unknown_cost() {
    let error = |code: u16| format!("data: {}\n\n", json!({"error": {"code": code, "message": "no"}}));
    for (reply, usage_of, cost) in [
        // Broken off, with figures and without.
        (sse(&[piece("Buy"), usage(100, 1)]), used(100, 1), Some(price(100, 1))),
        (sse(&[piece("Buy")]), Usage::default(), None),
        // Failed inside of the stream.
        (sse(&[piece("Buy"), usage(100, 1), error(502)]), used(100, 1), Some(price(100, 1))),
        (sse(&[piece("Buy"), error(502)]), Usage::default(), None),
        (
            raw(
                "data: {\"error\":{\"code\":503,\"message\":\"no\"},\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":0}}\n\n",
            ),
            used(7, 0),
            Some(price(7, 0)),
        ),
        // Refused before it began.
        (failure(503, json!({"error": "no"})), Usage::default(), Some(Decimal::ZERO)),
        (failure(429, json!({"error": "no"})), Usage::default(), Some(Decimal::ZERO)),
        // A gateway that gave up does not know what happens behind it.
        (failure(504, json!({"error": "no"})), Usage::default(), None),
        (failure(524, json!({"error": "no"})), Usage::default(), None),
    ] {
        let answer = call(vec![reply, good("Hold.")]).await.unwrap();
        let [Attempt { usage, cost: charged, .. }] = answer.attempts[..] else { panic!("{answer:?}") };
        assert_eq!((usage, charged), (usage_of, cost));
    }
}

#[tokio::test]
async fn an_answer_that_a_server_could_not_use_is_asked_for_again_as_of_unknown_cost() {
    let body = json!({"error": {"message": "Failed to call a function.", "code": "tool_use_failed",
        "failed_generation": "<function=prices>{"}});
    let answer = call(vec![failure(400, body), good("Hold.")]).await.unwrap();
    assert_eq!(answer.attempts.len(), 1);
    assert_eq!(answer.attempts[0].cost, None);
    assert!(answer.attempts[0].error.contains("Failed to call a function."));
}

#[tokio::test]
async fn a_failed_call_tells_of_all_its_attempts() {
    let cut = sse(&[piece("Buy ev"), stopped_by("length"), usage(100, 4_096), done()]);
    let failed = call(vec![failure(500, json!({"error": "no"})), cut]).await.unwrap_err();
    assert!(matches!(failed.error, ChatError::TokenLimit { .. }));
    let costs: Vec<Option<Decimal>> = failed.attempts.iter().map(|attempt| attempt.cost).collect();
    // Once more, with the advice to be brief.
    let charged = Some(price(100, 4_096));
    assert_eq!(costs, [Some(Decimal::ZERO), charged, charged]);
}

#[tokio::test]
async fn nobody_who_cannot_be_reached_charges_anything() {
    let server = Server::start(vec![good("never")]).await;
    let mut config = config(&server);
    config.base_url = Some(support::nobody().await);
    config.max_retries = 1;
    let failed = whole_call(config, &request()).await.unwrap_err();
    assert_eq!(failed.attempts.len(), 2);
    assert!(failed.attempts.iter().all(|attempt| attempt.cost == Some(Decimal::ZERO)));
}

#[tokio::test]
async fn the_attempt_in_flight_at_the_timeout_of_the_whole_call_counts() {
    for (begin, usage_of, cost) in [
        (vec![piece("Buy")], Usage::default(), None),
        (vec![usage(100, 1), piece("Buy")], used(100, 1), Some(price(100, 1))),
        (Vec::new(), Usage::default(), None),
    ] {
        let begins = !begin.is_empty();
        let events = begin.concat();
        // Until there was time enough for what is sent to arrive.
        let mut total = Duration::from_millis(100);
        let attempts = loop {
            let sent = begins.then(|| Ok(Bytes::from(events.clone())));
            let server =
                Server::start(vec![Reply::stream(stream::iter(sent).chain(support::silence()))]).await;
            let mut config = config(&server);
            config.timeouts.total = total;
            let mut heard = false;
            let mut sink = |piece: Piece<'_>| heard |= matches!(piece, Piece::Text(_));
            let failed = provider(config).chat(&request(), &mut sink).await.unwrap_err();
            assert!(matches!(failed.error, ChatError::Timeout { .. }), "{:?}", failed.error);
            if heard || !begins {
                break failed.attempts;
            }
            total *= 2;
        };
        let [Attempt { usage, cost: charged, .. }] = attempts[..] else { panic!("{attempts:?}") };
        assert_eq!((usage, charged), (usage_of, cost));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_may_have_been_charged() {
    let broken: Vec<Result<Bytes, BoxError>> = vec![Err("gone".into())];
    let answer = call(vec![Reply::stream(stream::iter(broken)), good("Hold.")]).await.unwrap();
    assert_eq!(answer.attempts.len(), 1);
    assert_eq!(answer.attempts[0].cost, None);
}
