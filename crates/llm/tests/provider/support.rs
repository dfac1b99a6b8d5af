//! A server that speaks the protocol of chat completions as well or as badly as a test wants.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the server does with one request.
#[derive(Clone)]
pub enum Reply {
    /// Sends this.
    Send { status: StatusCode, headers: Vec<(&'static str, String)>, body: String },
    /// Streams this to the first who asks; later requests get silence.
    Stream(StatusCode, Arc<Mutex<Option<Body>>>),
    /// Sends the first within so long after the first request, and the second from then on.
    Window { ends: Arc<Mutex<Option<Instant>>>, length: Duration, within: Box<Self>, after: Box<Self> },
    /// Never answers.
    Hang,
}

impl Reply {
    pub fn stream(body: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static) -> Self {
        Self::of(StatusCode::OK, Body::from_stream(body))
    }

    pub fn within(length: Duration, within: Self, after: Self) -> Self {
        let (within, after) = (Box::new(within), Box::new(after));
        Self::Window { ends: Arc::default(), length, within, after }
    }

    /// What is sent at this moment.
    fn now(self) -> Self {
        match self {
            Self::Window { ends, length, within, after } => {
                let mut ends = ends.lock().unwrap();
                let over = Instant::now() >= *ends.get_or_insert_with(|| Instant::now() + length);
                if over { *after } else { *within }
            }
            reply => reply,
        }
    }

    pub fn of(status: StatusCode, body: Body) -> Self {
        Self::Stream(status, Arc::new(Mutex::new(Some(body))))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub authorization: Option<String>,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    replies: Vec<Reply>,
    seen: Vec<Seen>,
}

/// The server; it ends with the test.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Answers the n-th request with the n-th reply, and all after the last with the last.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let shared = Arc::new(Mutex::new(Shared { replies, seen: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            tokio::select! {
                result = axum::serve(listener, router) => result.unwrap(),
                _ = stopped => {}
            }
        });
        Self { address, shared, _stop: stop }
    }

    /// Begins anew with other replies.
    pub fn play(&self, replies: Vec<Reply>) {
        *self.shared.lock().unwrap() = Shared { replies, seen: Vec::new() };
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1/", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }
}

/// An address at which nobody listens.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let seen = Seen {
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
        body: serde_json::from_slice(&bytes).unwrap(),
    };
    let reply = {
        let mut shared = shared.lock().unwrap();
        shared.seen.push(seen);
        let number = shared.seen.len().min(shared.replies.len()) - 1;
        shared.replies[number].clone()
    };
    match reply.now() {
        Reply::Window { .. } => unreachable!("a window has become one of its replies"),
        Reply::Send { status, headers, body } => {
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
            }
            response
        }
        Reply::Stream(status, body) => {
            let body = body.lock().unwrap().take().unwrap_or_else(|| Body::from_stream(silence()));
            (status, [(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}

pub fn silence() -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    stream::pending()
}

/// These events, and then the end of the body.
pub fn sse(events: &[String]) -> Reply {
    let headers = vec![("content-type", "text/event-stream".to_owned())];
    Reply::Send { status: StatusCode::OK, headers, body: events.concat() }
}

/// This very body, with status 200.
pub fn body(content_type: &str, body: &str) -> Reply {
    let headers = vec![("content-type", content_type.to_owned())];
    Reply::Send { status: StatusCode::OK, headers, body: body.to_owned() }
}

/// These very bytes as a stream, which then ends.
pub fn raw(events: &str) -> Reply {
    body("text/event-stream", events)
}

/// These packets one after the other.
pub fn packets(packets: Vec<Vec<u8>>) -> Reply {
    Reply::stream(stream::iter(packets.into_iter().map(|packet| Ok(Bytes::from(packet)))))
}

/// A whole answer of 10 tokens in and 2 out.
pub fn good(answer: &str) -> Reply {
    sse(&[piece(answer), stop(), usage(10, 2), done()])
}

pub fn failure(status: u16, body: Value) -> Reply {
    failure_with(status, &[], body)
}

pub fn failure_with(status: u16, headers: &[(&'static str, &str)], body: Value) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply::Send { status: StatusCode::from_u16(status).unwrap(), headers, body: body.to_string() }
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

pub fn piece(content: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": null}]}))
}

pub fn tool(calls: Value) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": null}]}))
}

pub fn stop() -> String {
    stopped_by("stop")
}

pub fn stopped_by(reason: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
}

pub fn usage(tokens_in: u64, tokens_out: u64) -> String {
    event(&json!({"choices": [], "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}}))
}

pub fn done() -> String {
    "data: [DONE]\n\n".to_owned()
}
