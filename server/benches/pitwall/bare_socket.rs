//! A WebSocket handler alone: what sending costs at the least.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
    serve::ListenerExt,
};
use futures::SinkExt;
use tokio::{net::TcpListener, sync::watch};

/// Messages that are sent before a flush at most, as in a run's socket.
const LARGEST_BATCH: usize = 256;
/// As Pitwall's sockets have it.
const READ_BUFFER: usize = 512;

/// Messages for all who are connected.
#[derive(Clone, Default)]
pub struct BareFeed {
    messages: Arc<RwLock<Vec<Utf8Bytes>>>,
    length: watch::Sender<usize>,
}

impl BareFeed {
    /// Sends messages to all who are connected.
    pub fn publish(&self, messages: impl IntoIterator<Item = Utf8Bytes>) {
        let length = {
            let mut all = self.messages.write().unwrap_or_else(PoisonError::into_inner);
            all.extend(messages);
            all.len()
        };
        self.length.send_replace(length);
    }

    /// Serves the handler at `/` in the background, and says where.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(self.clone().serve(listener));
        address
    }

    async fn serve(self, listener: TcpListener) {
        let router = Router::new().route("/", get(connect)).with_state(self);
        let listener = listener.tap_io(|connection| {
            // Without it, a small message may wait for the answer to the one before.
            let _ = connection.set_nodelay(true);
        });
        axum::serve(listener, router.into_make_service()).await.unwrap();
    }

    fn between(&self, sent: usize, length: usize) -> Vec<Utf8Bytes> {
        let all = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        all[sent..length.min(sent + LARGEST_BATCH)].to_vec()
    }
}

/// Serves bare sockets until the process is killed, and says where on standard output.
pub async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("bare sockets at http://{}", listener.local_addr().unwrap());
    BareFeed::default().serve(listener).await;
}

async fn connect(State(feed): State<BareFeed>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(async move |socket| {
        // A client that is gone needs no answer.
        let _ = follow(socket, feed).await;
    })
}

/// Greets, then sends whatever is published; returns when the client is gone.
async fn follow(mut socket: WebSocket, feed: BareFeed) -> Result<(), axum::Error> {
    let mut length = feed.length.subscribe();
    let mut sent = *length.borrow_and_update();
    socket.send(Message::text("hello")).await?;
    loop {
        let batch = feed.between(sent, *length.borrow_and_update());
        if batch.is_empty() {
            tokio::select! {
                _ = length.changed() => {}
                message = socket.recv() => if !matches!(message, Some(Ok(_))) { return Ok(()) },
            }
        }
        sent += batch.len();
        for message in batch {
            socket.feed(Message::Text(message)).await?;
        }
        socket.flush().await?;
    }
}
