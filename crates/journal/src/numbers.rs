use protocol::AccountId;
use uuid::Uuid;

use crate::{
    JournalError,
    request::{Request, Requests},
    store::Store,
};

/// Whole numbers under which other systems know runs and documents. A number is given once, stays the same, and goes
/// with what it stands for. Who may see that is decided by whoever asks.
#[derive(Clone)]
pub struct Numbers {
    requests: Requests,
    store: Store,
}

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Whose it is.
    pub owner: AccountId,
    /// The id of the run or the document.
    pub subject: Uuid,
    /// What it will belong to, where it is a run that has not begun.
    pub within: Option<Uuid>,
}

/// A wish for numbers.
pub(crate) struct Numbering {
    pub owner: AccountId,
    pub subjects: Vec<Uuid>,
    pub within: Option<Uuid>,
}

impl Numbers {
    pub(crate) fn new(requests: Requests, store: Store) -> Self {
        Self { requests, store }
    }

    /// The numbers of these, in their order. What has none is given one.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn of(&self, owner: &AccountId, subjects: Vec<Uuid>) -> Result<Vec<u64>, JournalError> {
        if let Some(known) = self.store.numbers(&subjects).await? {
            return Ok(known);
        }
        self.give(Numbering { owner: owner.clone(), subjects, within: None }).await
    }

    /// Gives a number to what will be a run. An account has 1,000 of these at most: the oldest go.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn reserve(&self, owner: &AccountId, run: Uuid, within: Uuid) -> Result<u64, JournalError> {
        let numbering = Numbering { owner: owner.clone(), subjects: vec![run], within: Some(within) };
        let given = self.give(numbering).await?;
        given.first().copied().ok_or_else(|| JournalError::Corrupt("a number is missing".to_owned()))
    }

    /// What this number stands for, if for anything.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find(&self, number: u64) -> Result<Option<Numbered>, JournalError> {
        self.store.numbered(number).await
    }

    /// The runs of this account within `within` that were reserved and have not begun, with their numbers, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn reserved(&self, owner: &AccountId, within: Uuid) -> Result<Vec<(u64, Uuid)>, JournalError> {
        self.store.reserved(owner, within).await
    }

    async fn give(&self, numbering: Numbering) -> Result<Vec<u64>, JournalError> {
        self.requests.ask(numbering, Request::Number).await
    }
}
