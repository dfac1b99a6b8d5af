//! A vendor on this machine that answers with given bytes, and a clock that tests set.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use market::{Cache, Clock, Network, Url};
use protocol::{Date, trading::Ticker};

/// What is answered to a request whose path and query contain a text.
#[derive(Clone)]
pub struct Canned {
    part: &'static str,
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Further answers to the same, in their order; the last one stays.
    then: VecDeque<(u16, Vec<u8>)>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Default)]
struct Shared {
    canned: Mutex<Vec<Canned>>,
    asked: Mutex<Vec<Asked>>,
}

/// A server with these answers. What it has none for is a 404 without words.
pub struct LocalVendor {
    shared: Arc<Shared>,
    pub base: Url,
}

impl LocalVendor {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { shared, base }
    }

    /// Answers requests whose target contains `part`; what was set last counts.
    pub fn set(&self, part: &'static str, status: u16, body: impl Into<Vec<u8>>) -> &Self {
        self.set_with(part, status, &[], body)
    }

    pub fn set_with(
        &self,
        part: &'static str,
        status: u16,
        headers: &[(&'static str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> &Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let canned = Canned { part, status, headers, body: body.into(), then: VecDeque::new() };
        self.shared.canned.lock().unwrap().insert(0, canned);
        self
    }

    /// The answer to the next request of the same part, after the one before.
    pub fn then(&self, status: u16, body: impl Into<Vec<u8>>) -> &Self {
        self.shared.canned.lock().unwrap()[0].then.push_back((status, body.into()));
        self
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many requests contained a text.
    pub fn count(&self, part: &str) -> usize {
        self.asked().iter().filter(|asked| asked.target.contains(part)).count()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked {
        target: target.clone(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    shared.asked.lock().unwrap().push(asked);
    let mut canned = shared.canned.lock().unwrap();
    let Some(found) = canned.iter_mut().find(|canned| target.contains(canned.part)) else {
        return Response::builder().status(404).body(Body::empty()).unwrap();
    };
    let mut response = Response::builder().status(found.status);
    for (name, value) in &found.headers {
        response = response.header(*name, value);
    }
    let response = response.body(Body::from(found.body.clone())).unwrap();
    if let Some((status, body)) = found.then.pop_front() {
        (found.status, found.body) = (status, body);
    }
    response
}

/// A clock that stands, and goes on by what is slept.
pub struct SetClock {
    now: Mutex<Timestamp>,
    slept: Mutex<Duration>,
}

impl SetClock {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(text.parse().unwrap()), slept: Mutex::default() })
    }

    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(SignedDuration::try_from(by).unwrap()).unwrap();
    }

    /// How long was waited altogether.
    pub fn slept(&self) -> Duration {
        *self.slept.lock().unwrap()
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        self.advance(wait);
        *self.slept.lock().unwrap() += wait;
    }
}

pub fn network(clock: &Arc<SetClock>) -> Network {
    Network::new(clock.clone(), None).unwrap()
}

pub fn network_with(clock: &Arc<SetClock>, cache: Cache) -> Network {
    Network::new(clock.clone(), Some(Arc::new(cache))).unwrap()
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn ticker(text: &str) -> Ticker {
    text.parse().unwrap()
}
