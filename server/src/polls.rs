//! Polls: what a socket would send, in the answers to one request after another, for clients on whose way
//! something lets no socket through. `POST` at a socket's address opens one, `GET /ws/v1/polls/{poll}?after=N`
//! asks it.
//!
//! A [`Peer`](crate::peer::Peer) is served the same messages either way. Here they wait for the client, up to
//! [`ROOM`]; answers are numbered, and one that was lost on its way is given again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accounts::RandomToken;
use axum::{
    Json,
    extract::{Path, Query, ws::Utf8Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{AccountId, Problem};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::sleep,
};

use crate::{peer::Gone, problem::ProblemResponse, scope::Scoped};

/// Bytes that wait for a client at most, and about as many as one answer has.
const ROOM: usize = 64 * 1024;

/// An answer comes at the latest after this long. A heartbeat comes before, where all is well.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// All open polls.
#[derive(Clone, Default)]
pub struct Polls(Arc<Mutex<HashMap<String, Arc<Poll>>>>);

/// A poll that was opened.
#[derive(Debug, Serialize)]
pub struct Opened {
    /// Names it in the address to ask at, and can not be guessed.
    poll: String,
}

impl IntoResponse for Opened {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self)).into_response()
    }
}

impl Polls {
    /// A new poll for this account, and the end at which messages are put in.
    pub fn open(&self, holder: Option<AccountId>) -> (Opened, PollSender) {
        let name = RandomToken::new().reveal().to_owned();
        let (queue, waiting) = mpsc::unbounded_channel();
        let (requests, asked) = watch::channel(0);
        let reader = Reader { waiting, number: 0, last: Bytes::new() };
        let poll = Arc::new(Poll { holder, requests, reader: AsyncMutex::new(reader) });
        self.lock().insert(name.clone(), poll);
        let entry = Entry { polls: self.clone(), name: name.clone() };
        let sender = PollSender { room: Arc::new(Semaphore::new(ROOM)), queue, asked, _entry: entry };
        (Opened { poll: name }, sender)
    }

    /// The poll of this name, where it is this account's.
    fn find(&self, name: &str, holder: Option<&AccountId>) -> Result<Arc<Poll>, Problem> {
        let found = self.lock().get(name).filter(|poll| poll.holder.as_ref() == holder).cloned();
        found.ok_or_else(|| Problem::not_found("This poll has ended, or never was. Open another one."))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Poll>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message that waits, with the room that it takes.
type Waiting = (Utf8Bytes, OwnedSemaphorePermit);

/// The end of a poll at which messages are put in. The poll ends with it.
pub struct PollSender {
    room: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Waiting>,
    asked: watch::Receiver<u64>,
    _entry: Entry,
}

impl PollSender {
    /// Puts a message in as soon as there is room.
    pub async fn put(&self, text: Utf8Bytes) -> Result<(), Gone> {
        // What is larger than all the room has it for itself.
        let size = text.len().clamp(1, ROOM) as u32;
        let room = self.room.clone().acquire_many_owned(size).await.map_err(|_| Gone)?;
        self.queue.send((text, room)).map_err(|_| Gone)
    }

    /// Waits until the client has taken all messages.
    pub async fn taken(&self) -> Result<(), Gone> {
        self.room.acquire_many(ROOM as u32).await.map(drop).map_err(|_| Gone)
    }

    /// Waits until the client asks. Cancel-safe.
    pub async fn asked(&mut self) -> Result<(), Gone> {
        self.asked.changed().await.map_err(|_| Gone)
    }
}

/// Its place among all polls.
struct Entry {
    polls: Polls,
    name: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.polls.lock().remove(&self.name);
    }
}

/// The end of a poll at which its client asks.
struct Poll {
    holder: Option<AccountId>,
    /// How many requests there were.
    requests: watch::Sender<u64>,
    reader: AsyncMutex<Reader>,
}

struct Reader {
    waiting: mpsc::UnboundedReceiver<Waiting>,
    /// Of the last answer.
    number: u64,
    last: Bytes,
}

impl Poll {
    /// The answer after number `after`: messages, each in a line. One is waited for, if `hold`, until the
    /// client asks anew: it does where it takes this request for lost.
    async fn answer(&self, after: u64, hold: bool) -> Result<Bytes, Problem> {
        let mut this = 0;
        self.requests.send_modify(|count| {
            *count += 1;
            this = *count;
        });
        let mut requests = self.requests.subscribe();
        let mut reader = self.reader.lock().await;
        if after.checked_add(1) == Some(reader.number) {
            return Ok(reader.last.clone());
        }
        if after != reader.number {
            let detail =
                format!("The last answer of this poll was number {}. Open another one.", reader.number);
            return Err(Problem { status: 410, detail });
        }
        let first = match reader.waiting.try_recv() {
            Ok(first) => Some(first),
            Err(_) if !hold => None,
            Err(_) => tokio::select! {
                first = reader.waiting.recv() => first,
                _ = requests.wait_for(|count| *count > this) => {
                    return Err(Problem::conflict("Another request has taken the place of this one."));
                }
                () = sleep(LONGEST_WAIT) => None,
            },
        };
        // Nothing is awaited from here on: whoever hangs up before has lost nothing.
        let mut lines = BytesMut::new();
        let mut next = first;
        while let Some((text, room)) = next {
            lines.put_slice(text.as_bytes());
            lines.put_u8(b'\n');
            drop(room);
            next = if lines.len() < ROOM { reader.waiting.try_recv().ok() } else { None };
        }
        reader.number += 1;
        reader.last = lines.freeze();
        Ok(reader.last.clone())
    }
}

/// What a client asks for.
#[derive(Debug, Deserialize)]
pub struct Ask {
    /// Number of the last answer that the client has; 0 where it has none.
    #[serde(default)]
    after: u64,
    /// Whether to wait for a message where there is none.
    #[serde(default = "yes")]
    hold: bool,
}

fn yes() -> bool {
    true
}

/// `GET /ws/v1/polls/{poll}?after=N`: the messages of the answer after number N.
pub async fn ask(
    service: Scoped,
    Path(name): Path<String>,
    Query(Ask { after, hold }): Query<Ask>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let lines = service.polls().find(&name, service.caller().name())?.answer(after, hold).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")], lines))
}

/// `DELETE /ws/v1/polls/{poll}`: the client wants no more of it.
pub async fn end(service: Scoped, Path(name): Path<String>) -> Result<StatusCode, ProblemResponse> {
    service.polls().find(&name, service.caller().name())?;
    service.polls().lock().remove(&name);
    Ok(StatusCode::NO_CONTENT)
}
