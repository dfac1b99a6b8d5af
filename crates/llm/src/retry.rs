//! The waits between attempts.

use std::time::Duration;

use tokio::time::Instant;

use crate::{ChatError, ProviderConfig};

/// Decides after each failure whether and when to retry.
pub(crate) struct Retries<'a> {
    config: &'a ProviderConfig,
    /// Failures that count against the maximum of retries.
    failed: u32,
    /// Consecutive refusals by rate limit or overload.
    limited: u32,
    limited_since: Option<Instant>,
}

impl<'a> Retries<'a> {
    pub(crate) fn new(config: &'a ProviderConfig) -> Self {
        Self { config, failed: 0, limited: 0, limited_since: None }
    }

    /// How long to wait before the next attempt; `None`: do not retry.
    pub(crate) fn wait_after(&mut self, error: &ChatError, now: Instant) -> Option<Duration> {
        if !error.is_transient() {
            return None;
        }
        if error.is_overloaded() {
            return self.wait_for_room(error.retry_after(), now);
        }
        (self.limited, self.limited_since) = (0, None);
        if self.failed == self.config.max_retries {
            return None;
        }
        self.failed += 1;
        Some(self.config.backoff.wait(self.failed, error.retry_after()))
    }

    /// The wait is cut so that the last attempt falls on the end of `rate_limit_patience`.
    fn wait_for_room(&mut self, retry_after: Option<Duration>, now: Instant) -> Option<Duration> {
        let since = *self.limited_since.get_or_insert(now);
        let remaining = self.config.rate_limit_patience.saturating_sub(now.duration_since(since));
        if remaining.is_zero() {
            return None;
        }
        self.limited = self.limited.saturating_add(1);
        let wait = self.config.backoff.wait(self.limited, None).min(remaining);
        Some(wait.max(retry_after.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limited_by_the_minute_is_lived_through_without_any_hint() {
        let config = ProviderConfig::new(crate::Tiers::same("gpt-5-mini".to_owned()));
        let limited =
            ChatError::RateLimited { model: "m".into(), message: "slow down".into(), retry_after: None };
        let began = Instant::now();
        let mut retries = Retries::new(&config);
        let (mut now, mut asked) = (began, 0);
        while let Some(wait) = retries.wait_after(&limited, now) {
            now += wait;
            asked += 1;
        }
        assert!(now.duration_since(began) > Duration::from_secs(60));
        // Waits grow, so that the provider is not asked all the time.
        assert!(asked < 1_000, "{asked}");
    }

    #[test]
    fn what_fails_otherwise_has_its_own_number_of_retries() {
        let mut config = ProviderConfig::new(crate::Tiers::same("gpt-5-mini".to_owned()));
        config.max_retries = 2;
        let limited =
            ChatError::RateLimited { model: "m".into(), message: "slow down".into(), retry_after: None };
        let broken = ChatError::BrokenStream { model: "m".into(), reason: "gone".into() };
        let mut retries = Retries::new(&config);
        let now = Instant::now();
        for error in [&limited, &broken, &limited, &broken] {
            assert!(retries.wait_after(error, now).is_some());
        }
        assert_eq!(retries.wait_after(&broken, now), None);
    }
}
