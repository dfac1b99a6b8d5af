//! When trading ends, for vendors that do not say it.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use protocol::Date;

use crate::{DailyPrice, NoData, written::day_in};

/// The zone of the exchanges of the United States.
pub(crate) fn new_york() -> TimeZone {
    TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC)
}

/// Whether the session of a day in New York was over at this moment. On half days it is said too late, never
/// too early.
pub(crate) fn is_over(day: Date, moment: Timestamp) -> bool {
    let close = day.to_datetime(Time::constant(16, 0, 0, 0)).to_zoned(new_york());
    close.is_ok_and(|close| moment >= close.timestamp())
}

/// Takes the last day away where its session was not over when it was fetched: vendors have rows of today before.
pub(crate) fn take_unfinished(days: &mut Vec<DailyPrice>, fetched: Timestamp) -> Option<DailyPrice> {
    let goes_on = days.last().is_some_and(|last| !is_over(last.date, fetched));
    if goes_on { days.pop() } else { None }
}

/// The day in New York.
pub(crate) fn today(moment: Timestamp) -> Date {
    day_in(moment, &new_york())
}

/// The newest day of publication that counts as of a day: the day itself once its session is over, so that nobody
/// trades on what came out while it went on.
pub(crate) fn public_until(as_of: Date, moment: Timestamp) -> Date {
    let today = today(moment);
    if as_of < today || is_over(as_of, moment) {
        as_of
    } else {
        today.yesterday().unwrap_or(today).min(as_of)
    }
}

/// Refuses a past day for what a vendor knows of now alone.
pub(crate) fn only_now(vendor: &str, as_of: Date, moment: Timestamp, what: &str) -> Result<(), NoData> {
    let today = today(moment);
    if as_of >= today {
        return Ok(());
    }
    Err(NoData::empty(vendor, format!("its {what} are of now ({today}), and say nothing of {as_of}.")))
}
