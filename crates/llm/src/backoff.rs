//! How long to wait before a request is repeated.

use std::time::Duration;

/// Exponential backoff with full jitter: before attempt n + 1 a random wait between nothing and `base` ×
/// 2ⁿ⁻¹, at most `cap`. The jitter keeps nodes that failed together from retrying together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The upper bound of the first wait.
    pub base: Duration,
    /// The upper bound of every wait.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after `failures` failures (from 1), at least what the provider asked for.
    pub(crate) fn wait(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        let longest = self.base.saturating_mul(factor).min(self.cap);
        let jittered = rand::random_range(Duration::ZERO..=longest);
        jittered.max(retry_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_grows_to_its_cap_and_keeps_what_the_provider_asks_for() {
        let backoff = Backoff { base: Duration::from_millis(10), cap: Duration::from_millis(35) };
        for (failures, longest) in [(1, 10), (2, 20), (3, 35), (u32::MAX, 35)] {
            assert!(backoff.wait(failures, None) <= Duration::from_millis(longest));
        }
        assert_eq!(backoff.wait(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
    }
}
