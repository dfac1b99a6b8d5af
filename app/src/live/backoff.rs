//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// The wait after `failures` failed attempts in a row. The ceiling doubles from half a
/// second to 15 s; `random`, from 0 to 1, chooses anywhere below it, so that many
/// browsers that lost one server do not all come back at once.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
pub(crate) fn wait_after(failures: u32, random: f64) -> Duration {
    let ceiling = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_from_half_a_second_to_fifteen() {
        assert_eq!(wait_after(1, 1.0), Duration::from_millis(500));
        assert_eq!(wait_after(2, 1.0), Duration::from_secs(1));
        assert_eq!(wait_after(5, 1.0), Duration::from_secs(8));
        assert_eq!(wait_after(6, 1.0), Duration::from_secs(15));
        assert_eq!(wait_after(u32::MAX, 1.0), Duration::from_secs(15));
    }

    #[test]
    fn the_wait_is_anywhere_below_its_ceiling() {
        assert_eq!(wait_after(6, 0.0), Duration::ZERO);
        assert_eq!(wait_after(6, 0.5), Duration::from_millis(7_500));
    }
}
