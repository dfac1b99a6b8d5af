use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// Refusals that are remembered at most; beyond, they are forgotten and asked again.
const MOST_REFUSALS: usize = 4096;

/// So many requests in so long a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) requests: usize,
    pub(crate) within: Duration,
}

/// When a vendor may be asked next, by its rules and by what it said.
pub(super) struct Pace {
    limits: Vec<Limit>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When it was asked, oldest first; as many as the longest limit looks back to.
    asked: VecDeque<Timestamp>,
    /// Until when it is left alone, and why.
    quiet: Option<(Timestamp, String)>,
    /// Why it is not asked at all any more.
    denied: Option<String>,
    /// Why some questions are not asked any more.
    refusals: BTreeMap<String, String>,
}

/// Whether a vendor may be asked.
pub(super) enum Next {
    /// Yes, and the request is counted.
    Now,
    /// Not before so long.
    Wait(Duration),
    /// It asked to be left alone for so long, for this reason.
    Quiet(Duration, String),
    /// Never again, for this reason.
    Denied(String),
}

impl Pace {
    pub(super) fn new(limits: &[Limit]) -> Self {
        Self { limits: limits.to_vec(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next(&self, now: Timestamp, scope: &str) -> Next {
        let mut state = self.state();
        if let Some(reason) = state.denied.as_ref().or_else(|| state.refusals.get(scope)) {
            return Next::Denied(reason.clone());
        }
        if let Some((until, reason)) = &state.quiet {
            let wait = left(now, *until);
            if !wait.is_zero() {
                return Next::Quiet(wait, reason.clone());
            }
            state.quiet = None;
        }
        // The oldest request that a limit still counts says when there is room again.
        let waits = self.limits.iter().filter_map(|limit| {
            let counted = state.asked.len().checked_sub(limit.requests)?;
            let free = state.asked.get(counted)?.saturating_add(signed(limit.within)).ok()?;
            Some(left(now, free))
        });
        let wait = waits.max().unwrap_or_default();
        if !wait.is_zero() {
            return Next::Wait(wait);
        }
        state.asked.push_back(now);
        let most = self.limits.iter().map(|limit| limit.requests).max().unwrap_or_default();
        while state.asked.len() > most {
            state.asked.pop_front();
        }
        Next::Now
    }

    /// Leaves the vendor alone for so long.
    pub(super) fn quiet(&self, now: Timestamp, wait: Duration, reason: &str) {
        let Ok(until) = now.saturating_add(signed(wait)) else { return };
        self.state().quiet = Some((until, reason.to_owned()));
    }

    /// Does not ask these questions again, or none at all.
    pub(super) fn deny(&self, scope: Option<&str>, reason: &str) {
        let mut state = self.state();
        match scope {
            None => state.denied = Some(reason.to_owned()),
            Some(scope) => {
                if state.refusals.len() >= MOST_REFUSALS {
                    state.refusals.clear();
                }
                state.refusals.insert(scope.to_owned(), reason.to_owned());
            }
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn left(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millisecond).unwrap()
    }

    fn wait(pace: &Pace, millisecond: i64) -> Option<u128> {
        match pace.next(at(millisecond), "") {
            Next::Now => None,
            Next::Wait(wait) => Some(wait.as_millis()),
            Next::Quiet(..) | Next::Denied(_) => panic!("refused"),
        }
    }

    #[test]
    fn each_limit_is_kept_in_every_window_of_its_length() {
        let second = Limit { requests: 2, within: Duration::from_secs(1) };
        let day = Limit { requests: 4, within: Duration::from_secs(86_400) };
        let pace = Pace::new(&[second, day]);
        assert_eq!(wait(&pace, 0), None);
        assert_eq!(wait(&pace, 600), None);
        assert_eq!(wait(&pace, 700), Some(300));
        assert_eq!(wait(&pace, 1000), None);
        assert_eq!(wait(&pace, 1001), Some(599));
        assert_eq!(wait(&pace, 1600), None);
        assert_eq!(wait(&pace, 10_000), Some(86_390_000));
        assert_eq!(wait(&pace, 86_400_000), None);
    }

    #[test]
    fn a_vendor_that_asked_to_be_left_alone_is_until_the_time_is_over() {
        let pace = Pace::new(&[]);
        pace.quiet(at(0), Duration::from_secs(600), "too fast.");
        let Next::Quiet(wait, reason) = pace.next(at(60_000), "prices") else { panic!("asked") };
        assert_eq!((wait.as_secs(), reason.as_str()), (540, "too fast."));
        assert!(matches!(pace.next(at(600_000), "prices"), Next::Now));
    }

    #[test]
    fn what_was_denied_is_not_asked_again_and_other_questions_are() {
        let pace = Pace::new(&[]);
        pace.deny(Some("candle"), "plan.");
        assert!(matches!(pace.next(at(0), "candle"), Next::Denied(_)));
        assert!(matches!(pace.next(at(0), "news"), Next::Now));
        pace.deny(None, "key.");
        assert!(matches!(pace.next(at(0), "news"), Next::Denied(_)));
    }
}
