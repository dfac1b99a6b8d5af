use std::{fmt, str::FromStr};

use protocol::RunId;
use serde::{Serialize, Serializer};

/// A place in a session: a message from an event of one of its runs. What a session sends is in the order of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The run.
    pub run: RunId,
    /// The number of the event in its log.
    pub seq: u64,
    /// The number of the message among those of the event, from 1; 0 is before all of them.
    pub part: u32,
}

/// Why a text is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "This is no position of a session. Give the field \"position\" of the last message that you received."
)]
pub struct InvalidPosition;

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}.{}", self.run, self.seq, self.part)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        fn number<N: FromStr>(text: &str) -> Result<N, InvalidPosition> {
            text.parse().map_err(|_| InvalidPosition)
        }
        let (run, place) = text.split_once(':').ok_or(InvalidPosition)?;
        let (seq, part) = place.split_once('.').ok_or(InvalidPosition)?;
        Ok(Self { run: number(run)?, seq: number(seq)?, part: number(part)? })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
