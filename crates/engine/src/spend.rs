use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{AccountId, Body, Decimal, Limits, Totals};

/// What an account may use.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// Runs that work at the same time; further ones are queued. `None`: as many as the server.
    pub concurrent_runs: Option<usize>,
    /// Runs that may be queued or working; further ones are refused. `None`: the engine's setting.
    pub accepted_runs: Option<usize>,
    /// What one run may use at most, whatever it asks for.
    pub run: Limits,
    /// Tokens in and out of all its runs together.
    pub tokens: Option<u64>,
    /// US dollars of all its runs together; calls of unknown price do not count.
    pub cost: Option<Decimal>,
}

/// Whatever the server can give.
impl Default for Allowance {
    fn default() -> Self {
        Self { concurrent_runs: None, accepted_runs: None, run: Limits::widest(), tokens: None, cost: None }
    }
}

/// Tells what accounts may use.
pub trait Allowances: Send + Sync {
    /// What this account may use now.
    fn of(&self, account: &AccountId) -> Allowance;
}

/// The same for all accounts.
impl Allowances for Allowance {
    fn of(&self, _: &AccountId) -> Allowance {
        self.clone()
    }
}

/// What all runs of an account have used together.
pub(crate) struct Spend(Mutex<Totals>);

impl Spend {
    pub fn new(used: Totals) -> Self {
        Self(Mutex::new(used))
    }

    /// Counts an event that was just written.
    pub fn count(&self, body: &Body) {
        if matches!(body, Body::CallFinished(_) | Body::ChatAnswered(_)) {
            self.totals().count(&mut BTreeSet::new(), body);
        }
    }

    /// The limit that the account has reached, in words.
    pub fn limit_reached(&self, allowance: &Allowance) -> Option<String> {
        let used = self.totals();
        if allowance.tokens.is_some_and(|limit| used.tokens() >= limit) {
            return Some(format!("The account's runs used {} tokens, its limit.", used.tokens()));
        }
        if allowance.cost.is_some_and(|limit| used.cost >= limit) {
            return Some(format!("The account's runs cost ${}, its limit.", used.cost));
        }
        None
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
