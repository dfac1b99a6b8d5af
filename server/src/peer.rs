//! Connected sockets: the rules that all of them share.

use std::{error::Error, pin::Pin, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    response::Response,
};
use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{self, BoxStream},
};
use journal::JournalError;
use protocol::{Control, Trouble};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// A peer that takes no byte for this long is dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that is not heard of for this long is dropped: it missed two pings.
const SILENCE: Duration = Duration::from_secs(50);
/// Clients send next to nothing; a larger message ends the connection.
const LARGEST_MESSAGE: usize = 64 * 1024;
/// The library's default of 128 KiB would be paid for every connection.
const READ_BUFFER: usize = 512;
/// Messages that a peer may send at once, and how long each further one takes to be earned.
const BURST: u32 = 100;
const PACE: Duration = Duration::from_millis(100);
/// The close code for: what let you in has expired or was revoked.
const SIGNED_OUT: u16 = 4401;

/// The peer is gone, and nothing more can be sent.
#[derive(Debug)]
pub struct Gone;

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
            Self::SignedOut => (SIGNED_OUT, "Your access has ended. Sign in again."),
            Self::TooLarge => (close_code::SIZE, "A message may have 65,536 bytes at most."),
            Self::Flooded => {
                (close_code::POLICY, "Too many messages: 10 a second are taken, and 100 at once.")
            }
        }
    }
}

/// All sockets of a server.
#[derive(Clone)]
pub struct Sockets {
    shutdown: CancellationToken,
    trouble: watch::Receiver<Option<JournalError>>,
    open: TaskTracker,
}

impl Sockets {
    /// Sockets that close with code 1012 once `shutdown` is cancelled, and tell of `trouble`.
    pub fn new(shutdown: CancellationToken, trouble: watch::Receiver<Option<JournalError>>) -> Self {
        Self { shutdown, trouble, open: TaskTracker::new() }
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
        let shutdown = self.shutdown.clone();
        let ending = Box::pin(async move {
            tokio::select! {
                () = shutdown.cancelled() => Ending::Restart,
                () = expired => Ending::SignedOut,
            }
        });
        // Counted from here on: the handshake goes on after the request has been answered.
        let open = self.open.token();
        let troubles = troubles(self.trouble.clone());
        upgrade
            .read_buffer_size(READ_BUFFER)
            // Messages are gathered by the connection below, which keeps no buffer when it is idle.
            .write_buffer_size(0)
            .max_message_size(LARGEST_MESSAGE)
            .max_frame_size(LARGEST_MESSAGE)
            .on_upgrade(async move |socket| {
                let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
                ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let now = Instant::now();
                let peer = Peer { socket, ping, heard: now, earned: now, ending, troubles, _open: open };
                // A task of its own: the one at hand keeps room for the upgrade as long as it lives.
                tokio::spawn(serve(peer));
            })
    }

    /// Waits until none is open.
    pub async fn closed(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

/// A connected client.
pub struct Peer {
    socket: WebSocket,
    ping: Interval,
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
    /// The same for the client of another system, who does not know of our troubles.
    #[must_use]
    pub fn without_troubles(self) -> Self {
        Self { troubles: stream::pending().boxed(), ..self }
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: String) -> Result<(), Gone> {
        self.deliver(Message::Text(text.into())).await
    }

    /// Sends messages that are encoded already, and flushes once.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item = Bytes>) -> Result<(), Gone> {
        let sending = async {
            for message in messages {
                // The journal's bytes are JSON, so always UTF-8.
                let text = Utf8Bytes::try_from(message).map_err(|_| Gone)?;
                self.socket.feed(Message::Text(text)).await.map_err(|_| Gone)?;
            }
            self.socket.flush().await.map_err(|_| Gone)
        };
        timeout(SEND_TIMEOUT, sending).await.map_err(|_| Gone)?
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
                message = self.socket.recv() => match message {
                    Some(Err(error)) if is_too_large(&error) => return Ok(Ending::TooLarge),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    Some(Ok(_)) if self.is_flooding() => return Ok(Ending::Flooded),
                    Some(Ok(_)) => self.heard = Instant::now(),
                },
                _ = self.ping.tick() => {
                    if self.heard.elapsed() > SILENCE {
                        return Err(Gone);
                    }
                    self.deliver(Message::Ping(Bytes::new())).await?;
                }
                Some(trouble) = self.troubles.next() => {
                    self.send(Control::Trouble(trouble).encode()).await?;
                }
                ending = &mut self.ending => return Ok(ending),
            }
        }
    }

    /// Counts a message. A peer that answers pings and says little is far below the limit.
    fn is_flooding(&mut self) -> bool {
        let now = Instant::now();
        self.earned = self.earned.max(now) + PACE;
        self.earned > now + PACE * BURST
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Gone> {
        self.deliver(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
        // Until the peer has closed, too: so it sees a clean end.
        let drain = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _ = timeout(Duration::from_secs(2), drain).await;
        Ok(())
    }

    async fn deliver(&mut self, message: Message) -> Result<(), Gone> {
        timeout(SEND_TIMEOUT, self.socket.send(message)).await.map_err(|_| Gone)?.map_err(|_| Gone)
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}
