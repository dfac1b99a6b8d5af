use protocol::trading::PortfolioId;
use tokio::sync::broadcast;

use crate::{
    JournalError, LedgerError, feeds,
    request::{Addition, Appended, Opening, Request, Requests},
    store::Store,
};

/// The ledgers of portfolios. An entry is JSON text that the journal does not interpret.
#[derive(Clone)]
pub struct Ledger {
    requests: Requests,
    store: Store,
    changes: broadcast::WeakSender<PortfolioId>,
}

impl Ledger {
    pub(crate) fn new(requests: Requests, store: Store, changes: broadcast::WeakSender<PortfolioId>) -> Self {
        Self { requests, store, changes }
    }

    /// Creates a portfolio with entry number 1.
    ///
    /// # Errors
    /// [`LedgerError::Exists`], or the entry could not be stored.
    pub async fn open(&self, id: &PortfolioId, entry: &str) -> Result<(), LedgerError> {
        let opening = Opening { portfolio: id.clone(), entry: entry.to_owned() };
        self.requests.ask(opening, Request::OpenLedger).await
    }

    /// Appends an entry after number `expected` (optimistic concurrency), once for each idempotency key: an
    /// entry with a known `key` is not appended again, whatever is expected.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPortfolio`], or the entry could not be stored.
    pub async fn append(
        &self,
        id: &PortfolioId,
        expected: u64,
        key: &str,
        entry: &str,
    ) -> Result<Appended, LedgerError> {
        let addition =
            Addition { portfolio: id.clone(), expected, key: key.to_owned(), entry: entry.to_owned() };
        self.requests.ask(addition, Request::AppendLedger).await
    }

    /// All entries in order; empty if there is no such portfolio.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn entries(&self, id: &PortfolioId) -> Result<Vec<String>, JournalError> {
        self.store.ledger_entries(id).await
    }

    /// All portfolios, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.store.ledgers().await
    }

    /// The ids of portfolios with new entries, after each commit. A receiver that lags loses the oldest ones
    /// and gets an error for that; it ends when the journal is closed.
    pub fn changes(&self) -> broadcast::Receiver<PortfolioId> {
        feeds::receiver(&self.changes)
    }
}
