//! Connected clients, by socket or by poll, and the rules that all of them follow.

mod polls;

use std::{borrow::Cow, error::Error, pin::Pin, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    response::Response,
};
use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use journal::JournalError;
use protocol::{AccountId, Control, Decimal, Trouble, grouped};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use self::polls::PollSender;
pub use self::polls::{OpenedPoll, Polls};
use crate::clock::now;

/// A peer that takes no byte for this long is dropped (backpressure).
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// A peer that sends nothing for this long is dropped: it missed two pings.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(50);
/// Longer for polls: browsers run the timers of hidden tabs once a minute.
const POLL_RECEIVE_TIMEOUT: Duration = Duration::from_secs(120);
/// Clients send next to nothing, where nothing else is said; a larger message ends the connection.
pub const LARGEST_MESSAGE: usize = 64 * 1024;
/// The library's default of 128 KiB would be allocated for every connection.
const READ_BUFFER: usize = 512;
/// A token bucket: messages that a peer may send at once, and the time in which another one is earned.
const BURST: u32 = 100;
const PACE: Duration = Duration::from_millis(100);

/// The peer is gone, and nothing more can be sent.
#[derive(Debug)]
pub struct Disconnected;

/// The future that serves a peer until it is gone or everything is sent.
pub type Served = BoxFuture<'static, Result<(), Disconnected>>;

/// Why the server closes a working connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The server shuts down: the client reconnects.
    Restart,
    /// The client's credential expired or was revoked.
    SignedOut,
    /// The client exceeds the rate of messages.
    Flooded,
    /// The client sends a message with more than so many bytes.
    TooLarge(usize),
}

impl CloseReason {
    fn frame(self) -> (u16, Cow<'static, str>) {
        match self {
            Self::Restart => (close_code::RESTART, "The server restarts. Connect again.".into()),
            Self::SignedOut => (Control::SIGNED_OUT, "Your access has ended. Sign in again.".into()),
            Self::TooLarge(most) => (
                close_code::SIZE,
                format!("A message may have {} bytes at most.", grouped(Decimal::from(most), 0)).into(),
            ),
            Self::Flooded => {
                (close_code::POLICY, "Too many messages: 10 a second are taken, and 100 at once.".into())
            }
        }
    }
}

/// All open sockets and polls of a server.
#[derive(Clone)]
pub struct Sockets {
    shutdown: CancellationToken,
    trouble: watch::Receiver<Option<JournalError>>,
    heartbeat: Duration,
    open: TaskTracker,
    polls: Polls,
}

impl Sockets {
    /// Sockets that close with code 1012 once `shutdown` is cancelled, report `trouble`, and send heartbeats
    /// at this interval.
    pub fn new(
        shutdown: CancellationToken,
        trouble: watch::Receiver<Option<JournalError>>,
        heartbeat: Duration,
    ) -> Self {
        Self { shutdown, trouble, heartbeat, open: TaskTracker::new(), polls: Polls::default() }
    }

    /// The open polls.
    pub fn polls(&self) -> &Polls {
        &self.polls
    }

    /// How often a client is sent a heartbeat.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Upgrades the connection and passes it to `serve`, until `expired`. The client's messages have `largest` bytes
    /// at most.
    pub fn upgrade<F>(
        &self,
        upgrade: WebSocketUpgrade,
        largest: usize,
        expired: impl Future<Output = ()> + Send + 'static,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Result<(), Disconnected>> + Send + 'static,
    {
        // Counted from here: the handshake completes after the request is answered.
        let begin = self.begin(expired);
        upgrade
            .read_buffer_size(READ_BUFFER)
            // The connection below buffers messages, and has no buffer while idle.
            .write_buffer_size(0)
            .max_message_size(largest)
            .max_frame_size(largest)
            .on_upgrade(async move |socket| {
                // A task of its own, since the present one keeps the upgrade's memory as long as it lives.
                tokio::spawn(serve(begin(Transport::Socket { socket: Box::new(socket), largest })));
            })
    }

    /// Opens a poll that only `holder` may use, and passes it to `serve`, until `expired`.
    pub fn poll<F>(
        &self,
        holder: Option<AccountId>,
        expired: impl Future<Output = ()> + Send + 'static,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> OpenedPoll
    where
        F: Future<Output = Result<(), Disconnected>> + Send + 'static,
    {
        let (opened, poll) = self.polls.open(holder);
        tokio::spawn(serve(self.begin(expired)(Transport::Poll(poll))));
        opened
    }

    /// Makes the constructor of a peer whose transport is not open yet.
    fn begin(
        &self,
        expired: impl Future<Output = ()> + Send + 'static,
    ) -> impl FnOnce(Transport) -> Peer + Send + 'static {
        let (shutdown, heartbeat, open) = (self.shutdown.clone(), self.heartbeat, self.open.token());
        let troubles = troubles(self.trouble.clone());
        let ending = Box::pin(async move {
            tokio::select! {
                () = shutdown.cancelled() => CloseReason::Restart,
                () = expired => CloseReason::SignedOut,
            }
        });
        move |transport| {
            let now = Instant::now();
            let ping = every(PING_INTERVAL, now + PING_INTERVAL);
            let heartbeat = Some(every(heartbeat, now));
            Peer {
                transport,
                ping,
                heartbeat,
                last_received: now,
                earned: now,
                ending,
                troubles,
                _open: open,
            }
        }
    }

    /// Waits until none is open.
    pub async fn closed(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

fn every(period: Duration, first: Instant) -> Interval {
    let mut interval = interval_at(first, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The transport of messages.
enum Transport {
    Socket {
        socket: Box<WebSocket>,
        /// The most bytes of a message of the client.
        largest: usize,
    },
    /// Messages travel in responses to the client's requests.
    Poll(PollSender),
}

/// A connected client.
pub struct Peer {
    transport: Transport,
    ping: Interval,
    /// `None`: the client's protocol has no heartbeats.
    heartbeat: Option<Interval>,
    last_received: Instant,
    /// When the token bucket is full again.
    earned: Instant,
    /// One future for the peer's life: creating another takes a lock that all sockets share.
    ending: Pin<Box<dyn Future<Output = CloseReason> + Send>>,
    troubles: BoxStream<'static, Trouble>,
    _open: TaskTrackerToken,
}

/// The journal's trouble, whenever it changes.
fn troubles(mut now: watch::Receiver<Option<JournalError>>) -> BoxStream<'static, Trouble> {
    if now.borrow().is_some() {
        now.mark_changed();
    }
    let changes = stream::unfold(now, |mut now| async move {
        now.changed().await.ok()?;
        let detail = now.borrow_and_update().as_ref().map(ToString::to_string);
        Some((Trouble { detail }, now))
    });
    // The journal's end is reported elsewhere.
    changes.chain(stream::pending()).boxed()
}

impl Peer {
    /// Turns off trouble reports and heartbeats, for the client of another system.
    #[must_use]
    pub fn foreign(self) -> Self {
        Self { troubles: stream::pending().boxed(), heartbeat: None, ..self }
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: String) -> Result<(), Disconnected> {
        match &mut self.transport {
            Transport::Socket { .. } => self.deliver(Message::Text(text.into())).await,
            Transport::Poll(poll) => in_time(poll.put(text.into())).await,
        }
    }

    /// Sends encoded messages, and flushes once.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item = Bytes>) -> Result<(), Disconnected> {
        // The journal's bytes are JSON, so always UTF-8.
        let texts =
            messages.into_iter().map(|message| Utf8Bytes::try_from(message).map_err(|_| Disconnected));
        match &mut self.transport {
            Transport::Socket { socket, .. } => {
                in_time(async {
                    for text in texts {
                        socket.feed(Message::Text(text?)).await.map_err(|_| Disconnected)?;
                    }
                    socket.flush().await.map_err(|_| Disconnected)
                })
                .await
            }
            Transport::Poll(poll) => {
                for text in texts {
                    in_time(poll.put(text?)).await?;
                }
                Ok(())
            }
        }
    }

    /// Closes normally, when everything is sent.
    pub async fn complete(self) -> Result<(), Disconnected> {
        self.close(close_code::NORMAL, "The run is over and everything is sent.".into()).await
    }

    /// Closes because of an internal error.
    pub async fn fail(self, reason: &'static str) -> Result<(), Disconnected> {
        self.close(close_code::ERROR, reason.into()).await
    }

    /// Closes with a reason.
    pub async fn end(self, why: CloseReason) -> Result<(), Disconnected> {
        let (code, reason) = why.frame();
        self.close(code, reason).await
    }

    /// Keeps the connection alive until it has ended, or until it is to be closed by [`Peer::end`]. What the client
    /// says is no more than a sign of life. Cancel-safe.
    pub async fn ended(&mut self) -> Result<CloseReason, Disconnected> {
        loop {
            match self.heard().await? {
                Heard::End(why) => return Ok(why),
                Heard::Text(_) if self.heartbeat.is_some() => self.beat().await?,
                Heard::Text(_) => {}
            }
        }
    }

    /// Keeps the connection alive until the client says something, or as [`Peer::ended`]. Cancel-safe.
    pub async fn heard(&mut self) -> Result<Heard, Disconnected> {
        loop {
            tokio::select! {
                received = self.transport.receive() => match received? {
                    Received::TooLarge(most) => return Ok(Heard::End(CloseReason::TooLarge(most))),
                    Received::Request => self.last_received = Instant::now(),
                    _ if self.is_flooding() => return Ok(Heard::End(CloseReason::Flooded)),
                    Received::SignOfLife => self.last_received = Instant::now(),
                    Received::Text(text) => {
                        self.last_received = Instant::now();
                        return Ok(Heard::Text(text));
                    }
                },
                _ = self.ping.tick() => {
                    let longest = if let Transport::Poll(_) = self.transport { POLL_RECEIVE_TIMEOUT } else { RECEIVE_TIMEOUT };
                    if self.last_received.elapsed() > longest {
                        return Err(Disconnected);
                    }
                    self.deliver(Message::Ping(Bytes::new())).await?;
                }
                () = next(&mut self.heartbeat) => self.beat().await?,
                Some(trouble) = self.troubles.next() => {
                    self.send(Control::Trouble(trouble).encode()).await?;
                }
                ending = &mut self.ending => return Ok(Heard::End(ending)),
            }
        }
    }

    async fn beat(&mut self) -> Result<(), Disconnected> {
        self.send(Control::Heartbeat { at: now() }.encode()).await
    }

    /// Takes from the token bucket. A peer that answers pings and says little stays far below the limit.
    fn is_flooding(&mut self) -> bool {
        let now = Instant::now();
        self.earned = self.earned.max(now) + PACE;
        self.earned > now + PACE * BURST
    }

    async fn close(self, code: u16, reason: Cow<'static, str>) -> Result<(), Disconnected> {
        match self.transport {
            Transport::Socket { mut socket, .. } => {
                let close = Message::Close(Some(CloseFrame { code, reason: reason.into_owned().into() }));
                in_time(async { socket.send(close).await.map_err(|_| Disconnected) }).await?;
                // Until the peer has closed as well, so that it sees a clean close.
                let drain = async { while let Some(Ok(_)) = socket.recv().await {} };
                let _ = timeout(CLOSE_TIMEOUT, drain).await;
                Ok(())
            }
            Transport::Poll(poll) => {
                let closed = Control::Closed { code, reason: reason.into_owned() };
                in_time(poll.put(closed.encode().into())).await?;
                // A server that shuts down takes no further request.
                let longest = if code == close_code::RESTART { CLOSE_TIMEOUT } else { SEND_TIMEOUT };
                timeout(longest, poll.received()).await.map_err(|_| Disconnected)
            }
        }
    }

    /// Sends a message that only sockets have.
    async fn deliver(&mut self, message: Message) -> Result<(), Disconnected> {
        let Transport::Socket { socket, .. } = &mut self.transport else { return Ok(()) };
        in_time(async { socket.send(message).await.map_err(|_| Disconnected) }).await
    }
}

/// What a client does.
pub enum Heard {
    /// It says something.
    Text(Utf8Bytes),
    /// It is to be closed by [`Peer::end`].
    End(CloseReason),
}

/// What was received from a client.
enum Received {
    /// A sign of life.
    SignOfLife,
    /// A message of its own.
    Text(Utf8Bytes),
    /// A request of a poll, which costs as much as any request.
    Request,
    /// A message with more than so many bytes.
    TooLarge(usize),
}

impl Transport {
    /// Cancel-safe.
    async fn receive(&mut self) -> Result<Received, Disconnected> {
        match self {
            Self::Socket { socket, largest } => match socket.recv().await {
                Some(Err(error)) if is_too_large(&error) => Ok(Received::TooLarge(*largest)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Disconnected),
                Some(Ok(Message::Text(text))) => Ok(Received::Text(text)),
                Some(Ok(_)) => Ok(Received::SignOfLife),
            },
            Self::Poll(poll) => poll.asked().await.map(|()| Received::Request),
        }
    }
}

/// Applies the send timeout.
async fn in_time(sending: impl Future<Output = Result<(), Disconnected>>) -> Result<(), Disconnected> {
    timeout(SEND_TIMEOUT, sending).await.map_err(|_| Disconnected)?
}

/// The next heartbeat; pending for ever without heartbeats. Cancel-safe.
async fn next(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}
