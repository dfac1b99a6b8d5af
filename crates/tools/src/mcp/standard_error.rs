//! What a program says on its standard error, as lines of the log.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::server::Supervised;

/// Bytes of a line that are kept.
const LONGEST_LINE: usize = 500;
/// Lines that are logged in a minute; the others are counted.
const MOST_LINES: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// Reads to the end, which comes when the program and all that it started have ended.
pub(super) async fn log(said: impl AsyncRead + Unpin, server: &Supervised) {
    let mut pace = Pace::new(Instant::now());
    each_line(said, |line| {
        let text = server.redactor().line(&String::from_utf8_lossy(line), LONGEST_LINE);
        if text.is_empty() {
            return;
        }
        let turn = pace.take(Instant::now());
        if let Turn::Logged { left_out: 1.. } = turn {
            tracing::info!(server = %server.name(), ?turn, "the tool server said more than is logged");
        }
        if let Turn::Logged { .. } = turn {
            tracing::info!(server = %server.name(), text, "the tool server says");
        }
    })
    .await;
}

/// Hands on each line; however long it is, only its beginning is kept.
async fn each_line(stream: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8])) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(bytes) = stream.fill_buf().await {
        if bytes.is_empty() {
            break;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let read = end.unwrap_or(bytes.len());
        let room = LONGEST_LINE.saturating_sub(line.len());
        line.extend(bytes.iter().take(read.min(room)));
        stream.consume(end.map_or(read, |end| end + 1));
        if end.is_some() {
            take(&line);
            line.clear();
        }
    }
    take(&line);
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// It is logged, after so many that were not.
    Logged { left_out: usize },
    /// Too many were logged in this minute.
    LeftOut,
}

/// How many lines were logged in this minute.
struct Pace {
    minute: Instant,
    lines: usize,
    left_out: usize,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { minute: now, lines: 0, left_out: 0 }
    }

    fn take(&mut self, now: Instant) -> Turn {
        if now.duration_since(self.minute) > MINUTE {
            (self.minute, self.lines) = (now, 0);
        }
        if self.lines == MOST_LINES {
            self.left_out = self.left_out.saturating_add(1);
            return Turn::LeftOut;
        }
        self.lines += 1;
        Turn::Logged { left_out: std::mem::take(&mut self.left_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        each_line(text, |line| lengths.push(line.len())).await;
        lengths
    }

    #[tokio::test]
    async fn lines_are_cut_and_the_next_one_begins_where_it_begins() {
        assert_eq!(lines(b"one\n\ntwo").await, [3, 0, 3]);
        let long = [vec![b'a'; 100_000], b"\nb\n".to_vec(), vec![0xff; 600]].concat();
        assert_eq!(lines(&long).await, [LONGEST_LINE, 1, LONGEST_LINE]);
    }

    #[test]
    fn lines_beyond_the_most_of_a_minute_are_counted() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        let logged = (0..1000).filter(|_| pace.take(begun) != Turn::LeftOut).count();
        assert_eq!(logged, MOST_LINES);
        let later = begun + MINUTE + Duration::from_secs(1);
        assert_eq!(pace.take(later), Turn::Logged { left_out: 1000 - MOST_LINES });
        assert_eq!(pace.take(later), Turn::Logged { left_out: 0 });
    }
}
