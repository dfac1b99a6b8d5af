//! Settings of an engine.

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Runs that work at the same time; further ones are queued.
    pub concurrent_runs: usize,
    /// Runs that may be queued or working, of all accounts together; further ones are refused.
    pub accepted_runs: usize,
    /// The same for each account, unless its allowance says otherwise.
    pub accepted_runs_per_account: usize,
    /// Runs of one account that may wait for people; while there are as many, further ones are refused.
    pub waiting_runs_per_account: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            concurrent_runs: 8,
            accepted_runs: 256,
            accepted_runs_per_account: share_of(256),
            waiting_runs_per_account: 1024,
        }
    }
}

/// One account's share of the accepted runs, where nothing else is set: a quarter, and at least 8.
pub fn share_of(accepted_runs: usize) -> usize {
    (accepted_runs / 4).max(8)
}
