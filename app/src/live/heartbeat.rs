//! How long a page waits for the server: all of it follows from one interval.

use std::time::Duration;

/// How often the server sends a heartbeat. The page that it renders says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat(pub Duration);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
impl Heartbeat {
    /// How many ticks in a row nothing may be heard before the server is asked.
    pub(super) const QUIET_TICKS: u32 = 6;

    /// What the server does that rendered this page: its root element says so, in milliseconds.
    #[cfg(feature = "hydrate")]
    pub(super) fn of_page() -> Self {
        let milliseconds =
            crate::browser::root_attribute("data-heartbeat").and_then(|said| said.parse().ok());
        milliseconds.map_or_else(Self::default, |milliseconds| Self(Duration::from_millis(milliseconds)))
    }

    /// How often a page looks whether it has heard something, and how long the server has to answer when it
    /// is asked. Ticks are counted rather than a clock read: in a tab that is hidden or asleep none pass.
    pub(super) fn tick(self) -> Duration {
        self.0 / 3
    }

    /// How long an attempt to connect may take until the first message.
    pub(super) fn attempt(self) -> Duration {
        self.0 * 2 / 3
    }

    /// How long a page goes without a socket before it tries one again.
    pub(super) fn probe(self) -> Duration {
        self.0 * 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_connection_is_noticed_within_three_heartbeats() {
        let heartbeat = Heartbeat::default();
        // The last message came just after a tick, and the answer is waited for.
        let noticed = heartbeat.tick() * (Heartbeat::QUIET_TICKS + 1) + heartbeat.tick();
        assert!(noticed <= heartbeat.0 * 3, "{noticed:?}");
        assert!(heartbeat.tick() * Heartbeat::QUIET_TICKS >= heartbeat.0 * 2, "one heartbeat may be late");
    }
}
