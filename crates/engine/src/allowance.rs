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

/// The limit that the account has reached, in words.
///
/// What was used is asked of the journal, which adds it up in the transaction that writes it: also what
/// was used by runs that were deleted, and by calls that a crash cut off.
pub(crate) async fn limit_reached(
    journal: &Journal,
    account: &AccountId,
    allowance: &Allowance,
) -> Result<Option<String>, JournalError> {
    if allowance.tokens.is_none() && allowance.cost.is_none() {
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
