//! Polls: the messages of a socket in responses to one request after another, for clients that no socket
//! reaches. `POST` at a socket's address opens one, `GET /ws/v1/polls/{poll}?after=N` continues it.
//!
//! A [`Peer`](super::Peer) is served alike by either. Messages wait for the client up to [`BUFFER_BYTES`]
//! (backpressure); responses are numbered, and a lost one is repeated.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use accounts::RandomToken;
use axum::{
    Json,
    extract::ws::Utf8Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{AccountId, Problem};
use serde::Serialize;
use tokio::{
    sync::{
        Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TryRecvError},
        watch,
    },
    time::sleep,
};

use super::Disconnected;

/// The most bytes that wait for a client, and roughly the most in one response.
const BUFFER_BYTES: usize = 64 * 1024;

/// The longest wait for a message. With a healthy server, a heartbeat comes earlier.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// All open polls.
#[derive(Clone, Default)]
pub struct Polls(Arc<Mutex<HashMap<String, Arc<Poll>>>>);

/// A newly opened poll.
#[derive(Debug, Serialize)]
pub struct OpenedPoll {
    /// Its id in the URL; random, so that it cannot be guessed.
    poll: String,
}

impl IntoResponse for OpenedPoll {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self)).into_response()
    }
}

impl Polls {
    /// A new poll of this account, and its sending end.
    pub fn open(&self, holder: Option<AccountId>) -> (OpenedPoll, PollSender) {
        let name = RandomToken::new().reveal().to_owned();
        let (queue, waiting) = mpsc::unbounded_channel();
        let (requests, asked) = watch::channel(0);
        let reader = Reader { waiting, number: 0, last: Bytes::new() };
        let poll = Arc::new(Poll { holder, requests, reader: AsyncMutex::new(reader) });
        self.lock().insert(name.clone(), poll);
        let registration = Registration { polls: self.clone(), name: name.clone() };
        let sender = PollSender {
            room: Arc::new(Semaphore::new(BUFFER_BYTES)),
            queue,
            asked,
            _registration: registration,
        };
        (OpenedPoll { poll: name }, sender)
    }

    /// The response of a poll after number `after`. If `hold`, it waits for a message.
    ///
    /// # Errors
    /// 404: this account has no such poll, or it has ended. 410: no response has this number. 409: the client
    /// has sent another request meanwhile.
    pub async fn answer(
        &self,
        name: &str,
        holder: Option<&AccountId>,
        after: u64,
        hold: bool,
    ) -> Result<Bytes, Problem> {
        let lines = self.find(name, holder)?.answer(after, hold).await?;
        if lines.is_none() {
            self.lock().remove(name);
        }
        lines.ok_or_else(ended)
    }

    /// Ends a poll.
    ///
    /// # Errors
    /// 404: this account has no such poll.
    pub fn end(&self, name: &str, holder: Option<&AccountId>) -> Result<(), Problem> {
        self.find(name, holder)?;
        self.lock().remove(name);
        Ok(())
    }

    /// The poll with this id, if it belongs to this account.
    fn find(&self, name: &str, holder: Option<&AccountId>) -> Result<Arc<Poll>, Problem> {
        let found = self.lock().get(name).filter(|poll| poll.holder.as_ref() == holder).cloned();
        found.ok_or_else(ended)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Poll>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended() -> Problem {
    Problem::not_found("This poll has ended, or never was. Open another one.")
}

/// A waiting message, with its permit of room.
type Waiting = (Utf8Bytes, OwnedSemaphorePermit);

/// The sending end of a poll. Dropping it ends the poll.
pub struct PollSender {
    room: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Waiting>,
    asked: watch::Receiver<u64>,
    _registration: Registration,
}

impl PollSender {
    /// Adds a message as soon as there is room.
    pub async fn put(&self, text: Utf8Bytes) -> Result<(), Disconnected> {
        // A message larger than the room takes all of it.
        let size = text.len().clamp(1, BUFFER_BYTES) as u32;
        let room = self.room.clone().acquire_many_owned(size).await.map_err(|_| Disconnected)?;
        self.queue.send((text, room)).map_err(|_| Disconnected)
    }

    /// Waits for the client's next request. Cancel-safe.
    pub async fn asked(&mut self) -> Result<(), Disconnected> {
        self.asked.changed().await.map_err(|_| Disconnected)
    }

    /// Waits, without a further message, until the client has received the last response: it closes the
    /// poll, or asks for what follows. Until then the last response is repeated like any other.
    pub async fn received(self) {
        let Self { queue, mut asked, _registration, .. } = self;
        drop(queue);
        // The count of requests ends with the receiving end.
        while asked.changed().await.is_ok() {}
    }
}

/// The poll's entry among all polls; removed on drop.
struct Registration {
    polls: Polls,
    name: String,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.polls.lock().remove(&self.name);
    }
}

/// The receiving end of a poll.
struct Poll {
    holder: Option<AccountId>,
    /// The number of requests so far.
    requests: watch::Sender<u64>,
    reader: AsyncMutex<Reader>,
}

struct Reader {
    waiting: mpsc::UnboundedReceiver<Waiting>,
    /// The number of the last response.
    number: u64,
    last: Bytes,
}

impl Poll {
    /// The response after number `after`: messages, one a line. If `hold`, it waits for a message, unless the
    /// client sends a new request, as it does when it takes this one for lost. `None` if the client has
    /// received the last response.
    async fn answer(&self, after: u64, hold: bool) -> Result<Option<Bytes>, Problem> {
        let mut this = 0;
        self.requests.send_modify(|count| {
            *count += 1;
            this = *count;
        });
        let mut requests = self.requests.subscribe();
        let mut reader = self.reader.lock().await;
        if after.checked_add(1) == Some(reader.number) {
            return Ok(Some(reader.last.clone()));
        }
        if after != reader.number {
            let detail =
                format!("The last answer of this poll was number {}. Open another one.", reader.number);
            return Err(Problem { status: 410, detail });
        }
        let first = match reader.waiting.try_recv() {
            Ok(first) => Some(first),
            Err(TryRecvError::Disconnected) => return Ok(None),
            Err(TryRecvError::Empty) if !hold => None,
            Err(TryRecvError::Empty) => tokio::select! {
                first = reader.waiting.recv() => match first {
                    None => return Ok(None),
                    first => first,
                },
                _ = requests.wait_for(|count| *count > this) => {
                    return Err(Problem::conflict("Another request has taken the place of this one."));
                }
                () = sleep(LONGEST_WAIT) => None,
            },
        };
        // No await from here on: a client that disconnects earlier has lost nothing.
        let mut lines = BytesMut::new();
        let mut next = first;
        while let Some((text, room)) = next {
            lines.put_slice(text.as_bytes());
            lines.put_u8(b'\n');
            drop(room);
            next = if lines.len() < BUFFER_BYTES { reader.waiting.try_recv().ok() } else { None };
        }
        reader.number += 1;
        reader.last = lines.freeze();
        Ok(Some(reader.last.clone()))
    }
}
