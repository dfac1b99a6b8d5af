use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Timestamp;

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub fn after(moment: Timestamp, life: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX)))
}
