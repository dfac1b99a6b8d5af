use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::{error::McpError, limits::Limits};

const MINUTE: Duration = Duration::from_secs(60);

/// Counts what a server sends, and says when that is too much.
pub(super) struct Meter {
    limits: Limits,
    state: Mutex<State>,
    exceeded: CancellationToken,
}

struct State {
    minute: Instant,
    bytes: usize,
    /// Bytes since the last line's end.
    line: usize,
    why: Option<McpError>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State { minute: Instant::now(), bytes: 0, line: 0, why: None };
        Self { limits, state: Mutex::new(state), exceeded: CancellationToken::new() }
    }

    /// Waits until too much was sent. Cancel-safe.
    pub(super) async fn exceeded(&self) {
        self.exceeded.cancelled().await;
    }

    /// What was too much; the first time it is asked.
    pub(super) fn why(&self) -> Option<McpError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).why.take()
    }

    /// Counts bytes; false if they are too many.
    pub(super) fn count(&self, bytes: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.minute.elapsed() > MINUTE {
            (state.minute, state.bytes) = (Instant::now(), 0);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        if state.bytes > self.limits.bytes_a_minute {
            return self.exceed(&mut state, McpError::Flood(self.limits.bytes_a_minute));
        }
        !self.exceeded.is_cancelled()
    }

    /// Counts bytes of a stream whose messages are lines; false if they are too many.
    fn count_lines(&self, bytes: &[u8]) -> bool {
        if !self.count(bytes.len()) {
            return false;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = bytes.split(|byte| *byte == b'\n');
        state.line = state.line.saturating_add(lines.next().map_or(0, <[u8]>::len));
        let mut longest = state.line;
        for line in lines {
            state.line = line.len();
            longest = longest.max(line.len());
        }
        longest <= self.limits.message_bytes
            || self.exceed(&mut state, McpError::LongMessage(self.limits.message_bytes))
    }

    /// One message was longer than its bound, as whoever read it found.
    pub(super) fn message_too_long(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.exceed(&mut state, McpError::LongMessage(self.limits.message_bytes));
    }

    fn exceed(&self, state: &mut State, why: McpError) -> bool {
        if !self.exceeded.is_cancelled() {
            state.why = Some(why);
            self.exceeded.cancel();
        }
        false
    }
}

/// A stream of lines that fails when too much comes.
pub(super) struct Metered<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Metered<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let is_bounded = buffer.filled().get(before..).is_none_or(|read| self.meter.count_lines(read));
        if is_bounded {
            return Poll::Ready(Ok(()));
        }
        // A read that fails has read nothing.
        buffer.set_filled(before);
        Poll::Ready(Err(io::Error::other("too much was sent")))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn meter(message_bytes: usize, bytes_a_minute: usize) -> Arc<Meter> {
        Arc::new(Meter::new(Limits { message_bytes, bytes_a_minute, ..Limits::default() }))
    }

    async fn read(meter: &Arc<Meter>, text: &str) -> io::Result<usize> {
        Metered::new(text.as_bytes(), meter.clone()).read_to_end(&mut Vec::new()).await
    }

    #[tokio::test]
    async fn a_line_is_measured_across_the_pieces_that_it_comes_in() {
        let meter = meter(10, 1000);
        for piece in ["12345", "67890\n1234", "567890", "\n", "\n\n1234567890"] {
            assert_eq!(read(&meter, piece).await.unwrap(), piece.len());
        }
        assert!(meter.why().is_none());
        assert!(read(&meter, "1").await.is_err());
        assert!(matches!(meter.why(), Some(McpError::LongMessage(10))));
    }

    #[tokio::test]
    async fn what_comes_in_a_minute_is_bounded_however_short_its_lines_are() {
        let meter = meter(10, 1000);
        assert!(read(&meter, &"a\n".repeat(500)).await.is_ok());
        assert!(read(&meter, "a\n").await.is_err());
        meter.exceeded().await;
        assert!(matches!(meter.why(), Some(McpError::Flood(1000))));
    }
}
