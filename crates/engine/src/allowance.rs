use journal::{Journal, JournalError};
use protocol::{AccountId, Decimal, Limits};

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

/// No limits but the server's own.
impl Default for Allowance {
    fn default() -> Self {
        Self { concurrent_runs: None, accepted_runs: None, run: Limits::widest(), tokens: None, cost: None }
    }
}

impl Allowance {
    /// Whether it limits what all runs of the account use together.
    pub(crate) fn bounds_spend(&self) -> bool {
        self.tokens.is_some() || self.cost.is_some()
    }
}

/// Tells what accounts may use.
pub trait Allowances: Send + Sync {
    /// What this account may use now.
    fn of(&self, account: &AccountId) -> Allowance;
}

/// The same allowance for every account.
impl Allowances for Allowance {
    fn of(&self, _: &AccountId) -> Allowance {
        self.clone()
    }
}

/// The account's limit that is reached, as a sentence; `None` if none is.
///
/// The journal is asked for what the account has used, since it adds that up in the transaction that stores
/// the events: runs deleted since and calls that a crash cut off are included.
pub(crate) async fn limit_reached(
    journal: &Journal,
    account: &AccountId,
    allowance: &Allowance,
) -> Result<Option<String>, JournalError> {
    if !allowance.bounds_spend() {
        return Ok(None);
    }
    let used = journal.spent(account).await?;
    if allowance.tokens.is_some_and(|limit| used.tokens() >= limit) {
        return Ok(Some(format!("The account's runs used {} tokens, its limit.", used.tokens())));
    }
    if allowance.cost.is_some_and(|limit| used.cost >= limit) {
        return Ok(Some(format!("The account's runs cost ${}, its limit.", used.cost)));
    }
    Ok(None)
}
