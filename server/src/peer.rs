//! Connected clients: the rules that all of them share, by socket or by poll.

use std::{error::Error, pin::Pin, time::Duration};

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
use protocol::{AccountId, Control, Timestamp, Trouble};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::polls::{Opened, PollSender, Polls};

/// A peer that takes no byte for this long is dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to hear that it is over.
const FAREWELL: Duration = Duration::from_secs(2);
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that is not heard of for this long is dropped: it missed two pings.
const SILENCE: Duration = Duration::from_secs(50);
/// Longer for one that polls: browsers let the timers of hidden tabs ring once a minute.
const POLL_SILENCE: Duration = Duration::from_secs(120);
/// Clients send next to nothing; a larger message ends the connection.
const LARGEST_MESSAGE: usize = 64 * 1024;
/// The library's default of 128 KiB would be paid for every connection.
const READ_BUFFER: usize = 512;
/// Messages that a peer may send at once, and how long each further one takes to be earned.
const BURST: u32 = 100;
const PACE: Duration = Duration::from_millis(100);

/// The peer is gone, and nothing more can be sent.
#[derive(Debug)]
pub struct Gone;

/// What serves a peer until it is gone or all is sent.
pub type Served = BoxFuture<'static, Result<(), Gone>>;

/// Why the server ends a connection that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server is told to end: the client shall come back.
    Restart,
    /// What let the client in has expired or was revoked.
    SignedOut,
    /// The client sends more than one may.
    Flooded,
    /// The client sends a message that is larger than one may be.
    TooLarge,
}

impl Ending {
    fn frame(self) -> (u16, &'static str) {
        match self {
            Self::Restart => (close_code::RESTART, "The server restarts. Connect again."),
            Self::SignedOut => (Control::SIGNED_OUT, "Your access has ended. Sign in again."),
            Self::TooLarge => (close_code::SIZE, "A message may have 65,536 bytes at most."),
            Self::Flooded => {
                (close_code::POLICY, "Too many messages: 10 a second are taken, and 100 at once.")
            }
        }
    }
}

/// All sockets of a server, and the polls in place of some.
#[derive(Clone)]
pub struct Sockets {
    shutdown: CancellationToken,
    trouble: watch::Receiver<Option<JournalError>>,
    heartbeat: Duration,
    open: TaskTracker,
    polls: Polls,
}

impl Sockets {
    /// Sockets that close with code 1012 once `shutdown` is cancelled, tell of `trouble`, and send a
    /// heartbeat this often.
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

    /// Upgrades the connection and hands it to `serve`, until `expired`.
    pub fn upgrade<F>(
        &self,
        upgrade: WebSocketUpgrade,
        expired: impl Future<Output = ()> + Send + 'static,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Result<(), Gone>> + Send + 'static,
    {
        // Counted from here on: the handshake goes on after the request has been answered.
        let begin = self.begin(expired);
        upgrade
            .read_buffer_size(READ_BUFFER)
            // Messages are gathered by the connection below, which keeps no buffer when it is idle.
            .write_buffer_size(0)
            .max_message_size(LARGEST_MESSAGE)
            .max_frame_size(LARGEST_MESSAGE)
            .on_upgrade(async move |socket| {
                // A task of its own: the one at hand keeps room for the upgrade as long as it lives.
                tokio::spawn(serve(begin(Transport::Socket(Box::new(socket)))));
            })
    }

    /// Opens a poll that only `holder` may ask, and hands it to `serve`, until `expired`.
    pub fn poll<F>(
        &self,
        holder: Option<AccountId>,
        expired: impl Future<Output = ()> + Send + 'static,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> Opened
    where
        F: Future<Output = Result<(), Gone>> + Send + 'static,
    {
        let (opened, sender) = self.polls.open(holder);
        tokio::spawn(serve(self.begin(expired)(Transport::Poll(sender))));
        opened
    }

    /// What makes a peer of a transport that is not open yet.
    fn begin(
        &self,
        expired: impl Future<Output = ()> + Send + 'static,
    ) -> impl FnOnce(Transport) -> Peer + Send + 'static {
        let (shutdown, heartbeat, open) = (self.shutdown.clone(), self.heartbeat, self.open.token());
        let troubles = troubles(self.trouble.clone());
        let ending = Box::pin(async move {
            tokio::select! {
                () = shutdown.cancelled() => Ending::Restart,
                () = expired => Ending::SignedOut,
            }
        });
        move |transport| {
            let now = Instant::now();
            let ping = every(PING_EVERY, now + PING_EVERY);
            let heartbeat = Some(every(heartbeat, now));
            Peer { transport, ping, heartbeat, heard: now, earned: now, ending, troubles, _open: open }
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

/// How messages travel.
enum Transport {
    Socket(Box<WebSocket>),
    /// In the answers to a client's requests.
    Poll(PollSender),
}

/// A connected client.
pub struct Peer {
    transport: Transport,
    ping: Interval,
    /// `None`: the client would not understand one.
    heartbeat: Option<Interval>,
    heard: Instant,
    /// When the messages so far are all earned.
    earned: Instant,
    /// One wait for all of its life: beginning another takes a lock that all sockets share.
    ending: Pin<Box<dyn Future<Output = Ending> + Send>>,
    troubles: BoxStream<'static, Trouble>,
    _open: TaskTrackerToken,
}

/// What keeps the server from storing, whenever that changes.
fn troubles(mut now: watch::Receiver<Option<JournalError>>) -> BoxStream<'static, Trouble> {
    if now.borrow().is_some() {
        now.mark_changed();
    }
    let changes = stream::unfold(now, |mut now| async move {
        now.changed().await.ok()?;
        let detail = now.borrow_and_update().as_ref().map(ToString::to_string);
        Some((Trouble { detail }, now))
    });
    // The journal's end is told of otherwise.
    changes.chain(stream::pending()).boxed()
}

impl Peer {
    /// The same for the client of another system, who knows neither of our troubles nor of heartbeats.
    #[must_use]
    pub fn foreign(self) -> Self {
        Self { troubles: stream::pending().boxed(), heartbeat: None, ..self }
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: String) -> Result<(), Gone> {
        match &mut self.transport {
            Transport::Socket(_) => self.deliver(Message::Text(text.into())).await,
            Transport::Poll(poll) => in_time(poll.put(text.into())).await,
        }
    }

    /// Sends messages that are encoded already, and flushes once.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item = Bytes>) -> Result<(), Gone> {
        // The journal's bytes are JSON, so always UTF-8.
        let texts = messages.into_iter().map(|message| Utf8Bytes::try_from(message).map_err(|_| Gone));
        match &mut self.transport {
            Transport::Socket(socket) => {
                in_time(async {
                    for text in texts {
                        socket.feed(Message::Text(text?)).await.map_err(|_| Gone)?;
                    }
                    socket.flush().await.map_err(|_| Gone)
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

    /// Says that all is sent, and closes.
    pub async fn complete(mut self) -> Result<(), Gone> {
        self.close(close_code::NORMAL, "The run is over and everything is sent.").await
    }

    /// Closes because the server cannot go on.
    pub async fn fail(mut self, reason: &'static str) -> Result<(), Gone> {
        self.close(close_code::ERROR, reason).await
    }

    /// Closes and says why.
    pub async fn end(mut self, why: Ending) -> Result<(), Gone> {
        let (code, reason) = why.frame();
        self.close(code, reason).await
    }

    /// Keeps the connection alive until it has ended, or until it is to be closed by [`Peer::end`].
    /// Cancel-safe.
    pub async fn ended(&mut self) -> Result<Ending, Gone> {
        loop {
            tokio::select! {
                heard = self.transport.hear() => match heard? {
                    Heard::TooLarge => return Ok(Ending::TooLarge),
                    Heard::Ask => self.heard = Instant::now(),
                    _ if self.is_flooding() => return Ok(Ending::Flooded),
                    Heard::Sign => self.heard = Instant::now(),
                    Heard::Text => {
                        self.heard = Instant::now();
                        if self.heartbeat.is_some() {
                            self.beat().await?;
                        }
                    }
                },
                _ = self.ping.tick() => {
                    let longest = if let Transport::Poll(_) = self.transport { POLL_SILENCE } else { SILENCE };
                    if self.heard.elapsed() > longest {
                        return Err(Gone);
                    }
                    self.deliver(Message::Ping(Bytes::new())).await?;
                }
                () = next(&mut self.heartbeat) => self.beat().await?,
                Some(trouble) = self.troubles.next() => {
                    self.send(Control::Trouble(trouble).encode()).await?;
                }
                ending = &mut self.ending => return Ok(ending),
            }
        }
    }

    async fn beat(&mut self) -> Result<(), Gone> {
        let at = Timestamp(jiff::Timestamp::now().as_millisecond());
        self.send(Control::Heartbeat { at }.encode()).await
    }

    /// Counts a message. A peer that answers pings and says little is far below the limit.
    fn is_flooding(&mut self) -> bool {
        let now = Instant::now();
        self.earned = self.earned.max(now) + PACE;
        self.earned > now + PACE * BURST
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Gone> {
        match &mut self.transport {
            Transport::Socket(_) => {
                self.deliver(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
                // Until the peer has closed, too: so it sees a clean end.
                let Transport::Socket(socket) = &mut self.transport else { return Err(Gone) };
                let drain = async { while let Some(Ok(_)) = socket.recv().await {} };
                let _ = timeout(FAREWELL, drain).await;
                Ok(())
            }
            Transport::Poll(poll) => {
                let closed = Control::Closed { code, reason: reason.to_owned() };
                in_time(poll.put(closed.encode().into())).await?;
                // A server that ends takes no further request.
                let patience = if code == close_code::RESTART { FAREWELL } else { SEND_TIMEOUT };
                timeout(patience, poll.taken()).await.map_err(|_| Gone)?
            }
        }
    }

    /// Sends what only a socket knows.
    async fn deliver(&mut self, message: Message) -> Result<(), Gone> {
        let Transport::Socket(socket) = &mut self.transport else { return Ok(()) };
        in_time(async { socket.send(message).await.map_err(|_| Gone) }).await
    }
}

/// What a client lets be heard of itself.
enum Heard {
    /// That it is there.
    Sign,
    /// A message of its own.
    Text,
    /// A request of a poll, which is as costly as any other request.
    Ask,
    /// A message that is larger than one may be.
    TooLarge,
}

impl Transport {
    /// Cancel-safe.
    async fn hear(&mut self) -> Result<Heard, Gone> {
        match self {
            Self::Socket(socket) => match socket.recv().await {
                Some(Err(error)) if is_too_large(&error) => Ok(Heard::TooLarge),
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
                Some(Ok(Message::Text(_))) => Ok(Heard::Text),
                Some(Ok(_)) => Ok(Heard::Sign),
            },
            Self::Poll(poll) => poll.asked().await.map(|()| Heard::Ask),
        }
    }
}

/// What a peer takes within the time that it has.
async fn in_time(sending: impl Future<Output = Result<(), Gone>>) -> Result<(), Gone> {
    timeout(SEND_TIMEOUT, sending).await.map_err(|_| Gone)?
}

/// The next beat; none where there are none. Cancel-safe.
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
