//! What a socket would bring, by plain requests, one after another.

use std::{collections::VecDeque, future::Future, pin::Pin, time::Duration};

use futures::{FutureExt, select_biased};
use gloo_net::http::{Method, RequestBuilder};
use leptos::{ev, leptos_dom::helpers::WindowListenerHandle, prelude::window_event_listener};
use protocol::{Control, Problem};
use serde::Deserialize;

use super::{
    Heartbeat,
    transport::{End, Heard},
};
use crate::{
    base::at,
    browser::{self, Aborts, sleep},
};

/// An answer that is followed by another request at once would cost more than it brings.
const PAUSE: Duration = Duration::from_millis(100);

/// A poll that is open at the server.
pub(super) struct Polls {
    /// Where to ask.
    address: String,
    heartbeat: Heartbeat,
    /// Answers so far.
    answers: u64,
    lines: VecDeque<String>,
    asking: Option<Asking>,
    /// Gives its place back when the page is closed, of which nothing is heard otherwise.
    leaving: Option<WindowListenerHandle>,
}

type Asking = Pin<Box<dyn Future<Output = Result<String, End>>>>;

#[derive(Deserialize)]
struct Opened {
    poll: String,
}

impl Polls {
    /// Opens one in place of the socket at `path`.
    pub async fn open(path: &str, heartbeat: Heartbeat) -> Result<Self, End> {
        let answer = request(Method::POST, path.to_owned()).await.map_err(|none| match none {
            // What was to be followed is gone.
            NoAnswer::Problem(Problem { status: 404, .. }) => End::Complete,
            NoAnswer::Problem(Problem { status: 401, .. }) => End::SignedOut,
            NoAnswer::Problem(problem) => End::Refused(problem.detail),
            NoAnswer::NotReached => End::Lost,
        })?;
        let Opened { poll } = serde_json::from_str(&answer).map_err(|_| End::Lost)?;
        let address = format!("/ws/v1/polls/{poll}");
        let named = at(&address);
        // A page that the browser has only put aside opens another one when it is shown again.
        let leaving = window_event_listener(ev::pagehide, move |_| browser::delete_in_leaving(&named));
        Ok(Self {
            address,
            heartbeat,
            answers: 0,
            lines: VecDeque::new(),
            asking: None,
            leaving: Some(leaving),
        })
    }

    /// What is heard next. Cancel-safe: a request that is under way goes on.
    pub async fn next(&mut self) -> Result<Heard, End> {
        if let Some(line) = self.lines.pop_front() {
            return read(line);
        }
        let pause = if self.answers == 0 { Duration::ZERO } else { PAUSE };
        let asking = match self.asking.take() {
            Some(asking) => asking,
            None => self.request(pause),
        };
        let answer = self.asking.insert(asking).as_mut().await;
        self.asking = None;
        let answer = answer?;
        self.answers += 1;
        self.lines.extend(answer.lines().map(str::to_owned));
        self.lines.pop_front().map_or(Ok(Heard::Sign), read)
    }

    /// Asks at once, in place of the request that is under way: its answer, where there is one, is given again.
    pub fn ask(&mut self) {
        if self.lines.is_empty() {
            let address = self.next_address(false);
            self.asking = Some(Box::pin(ask(address)));
        }
    }

    fn request(&self, pause: Duration) -> Asking {
        // A browser opens few connections to one server: hidden tabs leave them to the one that is seen.
        let is_hidden = browser::is_hidden();
        let pause = if is_hidden && self.answers > 0 { self.heartbeat.0 } else { pause };
        let address = self.next_address(!is_hidden);
        Box::pin(async move {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            ask(address).await
        })
    }

    fn next_address(&self, hold: bool) -> String {
        format!("{}?after={}&hold={hold}", self.address, self.answers)
    }
}

fn read(line: String) -> Result<Heard, End> {
    if line.starts_with(r#"{"control":"closed""#)
        && let Ok(Control::Closed { code, .. }) = serde_json::from_str(&line)
    {
        return Err(End::of_code(code));
    }
    Ok(Heard::Message(line))
}

impl Drop for Polls {
    fn drop(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            leaving.remove();
        }
        // Else the server would keep its place, and the last response, until it notices.
        let (address, patience) = (self.address.clone(), self.heartbeat.attempt());
        leptos::task::spawn_local(async move {
            select_biased! {
                _ = Box::pin(request(Method::DELETE, address).fuse()) => {}
                () = sleep(patience).fuse() => {}
            }
        });
    }
}

async fn ask(address: String) -> Result<String, End> {
    request(Method::GET, address).await.map_err(|none| match none {
        NoAnswer::Problem(Problem { status: 401, .. }) => End::SignedOut,
        // Another one is opened where this one ended.
        NoAnswer::Problem(_) | NoAnswer::NotReached => End::Lost,
    })
}

/// Why a request brought nothing.
enum NoAnswer {
    /// The server says why.
    Problem(Problem),
    /// Nothing of the server's came; what a proxy says by itself is nothing.
    NotReached,
}

async fn request(method: Method, address: String) -> Result<String, NoAnswer> {
    let aborts = Aborts::new();
    let request = RequestBuilder::new(&at(address)).method(method).abort_signal(aborts.signal().as_ref());
    let answer = request.send().await.map_err(|_| NoAnswer::NotReached)?;
    let kind = answer.headers().get("content-type").unwrap_or_default();
    let status = answer.status();
    let text = answer.text().await.map_err(|_| NoAnswer::NotReached)?;
    match status {
        200 if kind == "application/x-ndjson" => Ok(text),
        201 if kind == "application/json" => Ok(text),
        _ if kind == "application/problem+json" => {
            Err(serde_json::from_str(&text).map_or(NoAnswer::NotReached, NoAnswer::Problem))
        }
        _ => Err(NoAnswer::NotReached),
    }
}
