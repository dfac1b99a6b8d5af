//! Blocks: consecutive events of one run in one row, a line for each. A row costs SQLite more than the bytes of a
//! usual event, and what a node does in one step is several events.

use bytes::Bytes;
use futures::stream::BoxStream;
use protocol::RunId;
use sqlx::SqliteConnection;

use super::key;
use crate::Encoded;

/// Bytes from which on a block takes no further event. A reader of one event reads its whole block.
const FULL: usize = 32 * 1024;

/// The row of some consecutive events of a run.
pub(crate) struct Block<'e> {
    pub run: RunId,
    events: &'e [Encoded],
}

impl<'e> Block<'e> {
    /// The blocks of consecutive events of a run.
    pub fn split(run: RunId, events: &'e [Encoded]) -> impl Iterator<Item = Self> {
        let mut bytes = 0;
        let full = events.chunk_by(move |event, _| {
            bytes += event.json.len();
            let goes_on = bytes < FULL;
            if !goes_on {
                bytes = 0;
            }
            goes_on
        });
        full.map(move |events| Self { run, events })
    }

    /// Number of its first event; there is one.
    pub fn first(&self) -> u64 {
        self.events.first().map_or(0, |event| event.seq)
    }

    /// Its events as a text, separated by line feeds, of which the JSON of an event has none.
    pub fn lines(&self) -> String {
        let bytes = self.events.iter().map(|event| event.json.len() + 1).sum();
        let mut lines = Vec::with_capacity(bytes);
        for event in self.events {
            if !lines.is_empty() {
                lines.push(b'\n');
            }
            lines.extend_from_slice(&event.json);
        }
        String::from_utf8(lines)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// The blocks of a run as they are stored, each with the number of its first event.
pub(crate) fn of_run(
    connection: &mut SqliteConnection,
    run: RunId,
) -> BoxStream<'_, Result<(i64, Vec<u8>), sqlx::Error>> {
    sqlx::query_as("select first, lines from block where run = ? order by first")
        .bind(key(run))
        .fetch(connection)
}

/// The events of a stored block. They share its bytes.
pub(crate) fn events(first: i64, lines: Vec<u8>) -> impl Iterator<Item = Encoded> {
    let lines = Bytes::from(lines);
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', &lines).chain([lines.len()]).collect::<Vec<_>>();
    (first.unsigned_abs()..).zip(ends).map(move |(seq, end)| {
        let json = lines.slice(begin..end);
        begin = end + 1;
        Encoded::stored(seq, json)
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn encoded(seq: u64, bytes: usize) -> Encoded {
        Encoded::stored(seq, Bytes::from(format!("\"{}\"", "x".repeat(bytes))))
    }

    #[test]
    fn events_come_back_as_they_were_whatever_their_lengths() {
        let sizes = [1, FULL, 1, 1, FULL / 2, FULL / 2, 0, 3 * FULL, 7];
        let all: Vec<Encoded> = (5..).zip(sizes).map(|(seq, bytes)| encoded(seq, bytes)).collect();
        let blocks: Vec<_> = Block::split(RunId(Uuid::nil()), &all).collect();
        assert!(blocks.len() > 3 && blocks.len() < all.len(), "{}", blocks.len());
        let read: Vec<Encoded> = blocks
            .iter()
            .flat_map(|block| events(block.first().cast_signed(), block.lines().into_bytes()))
            .collect();
        assert_eq!(read, all);
    }

    #[test]
    fn no_block_goes_on_once_it_is_full() {
        let all: Vec<Encoded> = (1..=100).map(|seq| encoded(seq, 1000)).collect();
        for block in Block::split(RunId(Uuid::nil()), &all) {
            assert!(block.lines().len() < FULL + 2000);
        }
    }
}
