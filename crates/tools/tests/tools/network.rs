//! Servers at an address that refuse, lead elsewhere, flood or never answer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tools::mcp::Limits;

use crate::support::{KEY, Stage, network, wide};

/// A server that answers every request like this; it keeps what keys it was shown.
async fn answering<R: IntoResponse>(
    answer: impl Fn(Value) -> R + Clone + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let keep = shown.clone();
    let handler = async move |headers: HeaderMap, body: Bytes| {
        let key = headers.get(header::AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned());
        keep.lock().unwrap().extend(key);
        answer(serde_json::from_slice(&body).unwrap_or_default())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let router = Router::new().route("/mcp", post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, shown)
}

async fn failure(url: &str, limits: Limits) -> String {
    let stage = Stage::new(network(url, Some(KEY.into()), limits));
    let reason = stage.until_failed().await;
    stage.registry.close().await;
    reason
}

/// Bytes without end.
fn endless(kind: &'static str, piece: String) -> Response {
    let pieces = stream::repeat(Bytes::from(piece)).map(Ok::<_, std::io::Error>);
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response()
}

#[tokio::test]
async fn the_key_is_shown_to_the_server_alone_and_not_where_it_leads() {
    let (elsewhere, stolen) = answering(|_| StatusCode::OK).await;
    let (url, shown) = answering(move |_| Redirect::temporary(&elsewhere)).await;
    let reason = failure(&url, wide()).await;
    assert!(reason.contains("307"), "{reason}");
    assert_eq!(shown.lock().unwrap()[0], format!("Bearer {KEY}"));
    assert!(stolen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_refuses_or_answers_no_protocol_is_said_with_its_reason() {
    let told =
        || json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": -1, "message": format!("Bad {KEY}") } });
    let challenge = [(header::WWW_AUTHENTICATE, format!("Bearer error=\"{KEY}\""))];
    let (refusing, _) = answering(move |_| (StatusCode::UNAUTHORIZED, challenge.clone())).await;
    let (broken, _) = answering(|_| StatusCode::INTERNAL_SERVER_ERROR).await;
    let (page, _) = answering(|_| ([(header::CONTENT_TYPE, "text/html")], "<html>Hello</html>")).await;
    let (telling, _) = answering(move |_| Json(told())).await;
    for (url, expected) in [
        (refusing, "It refuses the key, or wants one."),
        (broken, "It answers with the status 500."),
        (page, "It does not speak the protocol"),
        (telling, "It refuses: Bad ***"),
    ] {
        let reason = failure(&url, wide()).await;
        assert!(reason.starts_with(expected), "{expected}: {reason}");
    }
}

#[tokio::test]
async fn a_server_that_never_comes_to_an_end_is_cut_off() {
    let (json, _) = answering(|_| endless("application/json", "[".repeat(4096))).await;
    let (event, _) = answering(|_| endless("text/event-stream", "data: a".repeat(512))).await;
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "a" } });
    let (events, _) =
        answering(move |_| endless("text/event-stream", format!("data: {message}\n\n").repeat(100))).await;
    assert_eq!(failure(&json, wide()).await, "It sent one message of more than 8388608 bytes.");
    assert_eq!(failure(&event, wide()).await, "It ended the connection.");
    assert_eq!(failure(&events, wide()).await, "It sent more than 33554432 bytes within a minute.");
}

#[tokio::test]
async fn a_server_that_takes_a_connection_and_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let limits = Limits { start: Duration::from_millis(300), ..wide() };
    assert_eq!(failure(&url, limits).await, "It did not answer within 0.3 seconds.");
}
