use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

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

    fn civil(self) -> Option<jiff::civil::DateTime> {
        let moment = jiff::Timestamp::from_millisecond(self.0).ok()?;
        Some(moment.to_zoned(TimeZone::UTC).datetime())
    }

    /// `hh:mm:ss`, in UTC.
    pub fn clock(self) -> String {
        self.civil()
            .map_or_else(String::new, |at| format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
    }

    /// The UTC calendar day.
    pub fn date(self) -> Option<jiff::civil::Date> {
        self.civil().map(|at| at.date())
    }
}

/// As RFC 3339 with milliseconds, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(at) => write!(
                formatter,
                "{}T{:02}:{:02}:{:02}.{:03}Z",
                at.date(),
                at.hour(),
                at.minute(),
                at.second(),
                at.millisecond()
            ),
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
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_duration() {
        assert_eq!(Timestamp(1000).since(Timestamp(5000)), 0);
        assert_eq!(Timestamp(5000).since(Timestamp(1000)), 4000);
    }
}
