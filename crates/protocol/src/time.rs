//! Moments, in milliseconds since 1970.

use std::fmt;

use jiff::{SignedDuration, civil};
use serde::{Deserialize, Serialize};

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

/// A moment: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this moment; 0 where the clock was set back between them.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).max(0).unsigned_abs()
    }

    /// `hh:mm:ss`, in UTC.
    pub fn clock(self) -> String {
        let seconds = self.0.rem_euclid(DAY) / 1_000;
        format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }

    /// The UTC calendar day; `None` beyond the year 9999.
    pub fn date(self) -> Option<civil::Date> {
        civil::date(1970, 1, 1).checked_add(SignedDuration::from_hours(self.0.div_euclid(DAY) * 24)).ok()
    }
}

/// As RFC 3339 with milliseconds, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(formatter, "{date}T{}.{:03}Z", self.clock(), self.0.rem_euclid(1_000)),
            None => write!(formatter, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_in_utc() {
        assert_eq!(Timestamp(1_656_547_200_007).to_string(), "2022-06-30T00:00:00.007Z");
        assert_eq!(Timestamp(1_656_547_261_000).clock(), "00:01:01");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), "9223372036854775807 ms");
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_duration() {
        assert_eq!(Timestamp(1000).since(Timestamp(5000)), 0);
        assert_eq!(Timestamp(5000).since(Timestamp(1000)), 4000);
    }
}
