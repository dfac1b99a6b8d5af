//! Socket clients that cost next to nothing: they count the frames of events, and look at one byte of each frame.

use std::{io, net::SocketAddr};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What one read takes at most.
const BUFFER: usize = 64 * 1024;

/// A connected client.
pub struct Client {
    stream: TcpStream,
    counter: FrameCounter,
}

impl Client {
    /// Connects and waits for the first frame, which is a greeting.
    pub async fn connect(address: SocketAddr, path: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(start) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break start + 4;
            }
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        let mut client = Self { stream, counter: FrameCounter::default() };
        client.counter.take(&answer[end..]);
        client.read_while(|counter| counter.texts == 0).await?;
        Ok(client)
    }

    /// Frames of events so far. Greetings and heartbeats are none.
    pub fn received(&self) -> u64 {
        self.counter.events
    }

    /// Reads until this many frames of events are there.
    pub async fn receive_until(&mut self, frames: u64) -> io::Result<()> {
        self.read_while(|counter| counter.events < frames).await
    }

    async fn read_while(&mut self, wants_more: impl Fn(&FrameCounter) -> bool) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        while wants_more(&self.counter) {
            let size = self.stream.read(&mut buffer).await?;
            if size == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.counter.take(&buffer[..size]);
        }
        Ok(())
    }

    /// Reads until the server closes: frame by frame, or the connection itself.
    pub async fn closed(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        while !self.counter.is_closed {
            let size = self.stream.read(&mut buffer).await?;
            if size == 0 {
                return Ok(());
            }
            self.counter.take(&buffer[..size]);
        }
        Ok(())
    }
}

/// Connects many clients, some at a time.
pub async fn connect(address: SocketAddr, path: &str, count: usize) -> Vec<Client> {
    let connecting = stream::iter(0..count).map(|_| Client::connect(address, path));
    connecting.buffered(16).try_collect().await.expect("connections; is `ulimit -n` at least 4096?")
}

/// Posts a JSON document and returns the one that answers it.
pub async fn post(address: SocketAddr, path: &str, document: &Value) -> io::Result<Value> {
    let body = document.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    Ok(serde_json::from_str(body)?)
}

/// Where an event's JSON, `{"run":…`, and that of a control message, `{"control":…`, first differ.
const TELLING: usize = 2;

/// Counts a server's text frames.
#[derive(Default)]
struct FrameCounter {
    texts: u64,
    /// Those of them that are events.
    events: u64,
    /// The beginning of a frame whose length is not known yet.
    header: Vec<u8>,
    /// Bytes that are to come of the frame at hand.
    rest: usize,
    /// How many of its bytes have come.
    come: usize,
    is_text: bool,
    is_event: bool,
    /// Whether the server has said goodbye.
    is_closed: bool,
}

impl FrameCounter {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest == 0 {
                self.header.push(bytes[0]);
                bytes = &bytes[1..];
                let Some(length) = payload_length(&self.header) else { continue };
                self.is_text = self.header[0] & 0x0f == 1;
                self.is_closed |= self.header[0] & 0x0f == 8;
                self.header.clear();
                (self.rest, self.come, self.is_event) = (length, 0, false);
            }
            let taken = self.rest.min(bytes.len());
            let telling = TELLING.checked_sub(self.come).and_then(|at| bytes[..taken].get(at));
            self.is_event |= telling == Some(&b'r');
            bytes = &bytes[taken..];
            (self.rest, self.come) = (self.rest - taken, self.come + taken);
            if self.rest == 0 && self.is_text {
                self.texts += 1;
                self.events += u64::from(self.is_event);
            }
        }
    }
}

/// The length that a frame's first bytes tell, once there are enough of them.
fn payload_length(header: &[u8]) -> Option<usize> {
    let (first, long) = (usize::from(*header.get(1)? & 0x7f), &header[2..]);
    let more = match first {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    match (more, long.len() == more) {
        (_, false) => None,
        (0, true) => Some(first),
        (_, true) => Some(long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))),
    }
}
