//! One connection to the server, by either way.

use std::{future::poll_fn, time::Duration};

use futures::{FutureExt, SinkExt, StreamExt, select_biased};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use protocol::{Control, Timestamp};

use super::{Heartbeat, Obstacle, polls::Polls, route::Way};
use crate::browser::{sleep, socket_address};

/// How a heartbeat begins.
const HEARTBEAT: &str = r#"{"control":"heartbeat""#;

/// What is heard of the server.
pub(super) enum Heard {
    /// A message.
    Message(String),
    /// That it is there.
    Sign,
}

impl Heard {
    /// Whether it is what the server says when it is asked whether it is there.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Message(text) => text.starts_with(HEARTBEAT),
            Self::Sign => true,
        }
    }

    /// The server's time, where it is a heartbeat.
    pub fn server_time(&self) -> Option<Timestamp> {
        match self {
            Self::Message(text) if text.starts_with(HEARTBEAT) => match serde_json::from_str(text) {
                Ok(Control::Heartbeat { at }) => Some(at),
                _ => None,
            },
            Self::Message(_) | Self::Sign => None,
        }
    }
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// Nothing more will come.
    Complete,
    /// What let this page in has ended.
    SignedOut,
    /// The server says why not, in a sentence.
    Refused(String),
    /// Nothing is heard of it.
    Lost,
}

impl End {
    /// What a close code means.
    pub fn of_code(code: u16) -> Self {
        match code {
            Control::COMPLETE => Self::Complete,
            Control::SIGNED_OUT => Self::SignedOut,
            _ => Self::Lost,
        }
    }
}

/// Why there is no connection.
pub(super) enum NotOpened {
    /// The server itself ended it.
    Ended(End),
    /// It came to nothing.
    Met(Obstacle),
}

/// A connection.
pub(super) enum Transport {
    /// A socket.
    Socket(WebSocket),
    /// Requests, one after another.
    Polls(Polls),
}

impl Transport {
    /// Opens one on which a first message came, within the time that an attempt has.
    pub async fn open(way: Way, path: &str, heartbeat: Heartbeat) -> Result<(Self, Heard), NotOpened> {
        let attempt = async {
            let mut transport = match way {
                Way::Socket => {
                    Self::Socket(open_socket(path).await.ok_or(NotOpened::Met(Obstacle::Refuses))?)
                }
                Way::Polls { .. } => {
                    Self::Polls(Polls::open(path, heartbeat).await.map_err(NotOpened::Ended)?)
                }
            };
            match transport.next().await {
                Ok(first) => Ok((transport, first)),
                Err(End::Lost) => Err(NotOpened::Met(Obstacle::Breaks)),
                Err(end) => Err(NotOpened::Ended(end)),
            }
        };
        let mut attempt = Box::pin(attempt.fuse());
        select_biased! {
            opened = attempt => opened,
            () = sleep(heartbeat.attempt()).fuse() => Err(NotOpened::Met(Obstacle::Silent)),
        }
    }

    /// Whether a socket gets through, and stays.
    pub async fn try_socket(path: &str, heartbeat: Heartbeat) -> Result<(), Obstacle> {
        let (mut transport, _) = match Self::open(Way::Socket, path, heartbeat).await {
            Ok(opened) => opened,
            Err(NotOpened::Met(obstacle)) => return Err(obstacle),
            // The server's word has come through.
            Err(NotOpened::Ended(_)) => return Ok(()),
        };
        let mut stays = Box::pin(sleep(heartbeat.tick()).fuse());
        loop {
            select_biased! {
                heard = transport.next().fuse() => if let Err(End::Lost | End::Refused(_)) = heard {
                    return Err(Obstacle::Breaks);
                },
                () = stays => return Ok(()),
            }
        }
    }

    /// What is heard next. Cancel-safe.
    pub async fn next(&mut self) -> Result<Heard, End> {
        match self {
            Self::Socket(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => Ok(Heard::Message(text)),
                Some(Ok(Message::Bytes(_))) => Ok(Heard::Sign),
                Some(Err(WebSocketError::ConnectionClose(close))) => Err(End::of_code(close.code)),
                Some(Err(_)) | None => Err(End::Lost),
            },
            Self::Polls(polls) => polls.next().await,
        }
    }

    /// Asks for an answer at once.
    pub fn ask(&mut self) {
        match self {
            // A socket that refuses has ended, which is heard of.
            Self::Socket(socket) => drop(socket.start_send_unpin(Message::Text("ping".to_owned()))),
            Self::Polls(polls) => polls.ask(),
        }
    }

    /// Looks once more whether something has come that only waits to be read: after a sleep, a timer may
    /// ring before it.
    pub async fn look(&mut self) -> Option<Result<Heard, End>> {
        select_biased! {
            heard = self.next().fuse() => Some(heard),
            () = sleep(Duration::from_millis(250)).fuse() => None,
        }
    }
}

/// Ready once the handshake has gone well.
async fn open_socket(path: &str) -> Option<WebSocket> {
    let mut socket = WebSocket::open(&socket_address(path)?).ok()?;
    let is_ready = poll_fn(|context| socket.poll_ready_unpin(context)).await.is_ok();
    (is_ready && matches!(socket.state(), State::Open)).then_some(socket)
}
