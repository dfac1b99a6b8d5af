//! The log on an axis of time, on which long waits take little room.

use std::sync::Arc;

use protocol::{Event, Timestamp};

/// A wait takes at most this much room, in milliseconds.
const LONGEST_GAP: u64 = 5_000;
/// Columns of the picture of density.
pub const COLUMNS: usize = 120;

/// Where each event stands, in milliseconds from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    positions: Vec<u64>,
    /// The time of the last event that takes room.
    before: Option<Timestamp>,
}

impl Axis {
    /// Takes in the events of a log that have come since. What was taken over from another run, up to `inherited`,
    /// stands at the beginning.
    pub fn extend(&mut self, events: &[Arc<Event>], inherited: u64) {
        for event in events.get(self.positions.len()..).into_iter().flatten() {
            let mut position = self.length();
            if event.seq > inherited
                && let Some(before) = self.before.replace(event.at)
            {
                position += event.at.since(before).min(LONGEST_GAP);
            }
            self.positions.push(position);
        }
    }

    /// Where the last event stands.
    pub fn length(&self) -> u64 {
        self.positions.last().copied().unwrap_or(0)
    }

    /// Where an event stands, counted from 1.
    pub fn position(&self, seq: u64) -> u64 {
        let index = usize::try_from(seq.saturating_sub(1)).unwrap_or(usize::MAX);
        self.positions.get(index).copied().unwrap_or_else(|| self.length())
    }

    /// The last event at or before a place.
    pub fn event_at(&self, position: u64) -> u64 {
        self.positions.partition_point(|place| *place <= position).max(1) as u64
    }

    /// How many events stand in each column.
    pub fn density(&self) -> [u32; COLUMNS] {
        let mut columns = [0; COLUMNS];
        let length = self.length().max(1);
        for position in &self.positions {
            let column = (position * COLUMNS as u64 / length).min(COLUMNS as u64 - 1);
            columns[column as usize] += 1;
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Body, LogLevel, LogLine, RunId, Timestamp};

    use super::*;

    fn axis(times: &[i64], inherited: u64) -> Axis {
        let event = |(index, at): (usize, &i64)| {
            let body = Body::Logged(LogLine { level: LogLevel::Info, message: String::new() });
            let (seq, at) = (index as u64 + 1, Timestamp(*at));
            Arc::new(Event { run: RunId(Default::default()), seq, at, node: None, body })
        };
        let events = times.iter().enumerate().map(event).collect::<Vec<_>>();
        let mut axis = Axis::default();
        // As they come.
        (0..=events.len()).for_each(|here| axis.extend(&events[..here], inherited));
        axis
    }

    #[test]
    fn a_night_takes_no_more_room_than_a_few_seconds() {
        let axis = axis(&[0, 100, 36_000_100, 36_000_200], 0);
        assert_eq!(axis.positions, [0, 100, 5_100, 5_200]);
        assert_eq!(axis.event_at(5_099), 2);
        assert_eq!(axis.event_at(5_100), 3);
    }

    #[test]
    fn what_was_taken_over_takes_no_room_and_a_clock_set_back_neither() {
        let axis = axis(&[10_000, 100, 300, 10_000, 9_000, 9_500], 3);
        assert_eq!(axis.positions, [0, 0, 0, 0, 0, 500]);
    }

    #[test]
    fn every_event_stands_in_a_column() {
        let axis = axis(&[0, 10, 20, 4_000], 0);
        assert_eq!(axis.density().iter().sum::<u32>(), 4);
        assert_eq!(Axis::default().density().iter().sum::<u32>(), 0);
    }
}
