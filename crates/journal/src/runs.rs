//! The writer's cache of runs, kept between transactions.

use std::collections::{HashMap, VecDeque};

use protocol::{AccountId, RunId, RunStatus, RunSummary, Timestamp, Totals};
use sqlx::SqliteConnection;

use crate::{
    Epoch, JournalError,
    store::{
        spend::{self, Spend},
        write,
    },
};

/// The most runs in the cache; beyond that it is cleared.
const MOST_CACHED: usize = 1024;

/// The most claims that are kept on runs without events. The first events of a run follow its claim at once: a run
/// that so many others were claimed after was never begun.
const MOST_CLAIMS: usize = 4096;

/// What became of one request of a transaction. The outer error fails the whole transaction, the inner one this request
/// alone.
pub(crate) type RequestResult<T, E = JournalError> = Result<Result<T, E>, sqlx::Error>;

/// The cached row of a run that has events.
pub(crate) struct CachedRun {
    pub epoch: Epoch,
    pub summary: RunSummary,
    /// The columns that lists are ordered and filtered by, as stored; `None` where the run has no row yet.
    pub listed: Option<Listed>,
}

/// The columns that lists are ordered and filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    status: RunStatus,
    is_closed: bool,
    finished_at: Option<Timestamp>,
}

impl CachedRun {
    /// Those columns, from the summary.
    pub fn columns(&self) -> Listed {
        let RunSummary { status, finished_at, .. } = self.summary;
        Listed { status, is_closed: self.summary.is_closed(), finished_at }
    }

    /// Whether no further event is expected.
    pub fn is_finished(&self) -> bool {
        self.summary.is_closed()
    }
}

/// The cache of runs and spends. Only the claims on runs without events are not in the file.
pub(crate) struct Runs {
    cached: HashMap<RunId, CachedRun>,
    spends: HashMap<AccountId, Spend>,
    claims: HashMap<RunId, Epoch>,
    /// Runs that were claimed without events, in the order of their first claims.
    claim_order: VecDeque<RunId>,
    next_epoch: Epoch,
}

impl Runs {
    pub fn new(next_epoch: Epoch) -> Self {
        Self {
            cached: HashMap::new(),
            spends: HashMap::new(),
            claims: HashMap::new(),
            claim_order: VecDeque::new(),
            next_epoch,
        }
    }

    /// The next epoch, greater than all before it.
    pub fn next_epoch(&mut self) -> Epoch {
        let epoch = self.next_epoch;
        self.next_epoch = Epoch(epoch.0 + 1);
        epoch
    }

    /// Keeps a claim on a run without events.
    pub fn keep_claim(&mut self, run: RunId, epoch: Epoch) {
        if self.claims.insert(run, epoch).is_none() {
            self.claim_order.push_back(run);
        }
        if self.claim_order.len() > MOST_CLAIMS
            && let Some(oldest) = self.claim_order.pop_front()
        {
            self.claims.remove(&oldest);
        }
    }

    /// The last claim on a run without events.
    pub fn kept_claim(&self, run: RunId) -> Option<Epoch> {
        self.claims.get(&run).copied()
    }

    /// Inserts a run whose first events are part of the present transaction.
    pub fn insert(&mut self, known: CachedRun) {
        self.cached.insert(known.summary.run, known);
    }

    pub fn get(&self, run: &RunId) -> Option<&CachedRun> {
        self.cached.get(run)
    }

    /// After a commit: notes what is stored now, drops claims that have a row, and bounds the cache.
    pub fn note_committed<'r>(&mut self, stored: impl Iterator<Item = &'r RunId>) {
        for run in stored {
            if let Some(known) = self.cached.get_mut(run) {
                known.listed = Some(known.columns());
            }
            if self.claims.remove(run).is_some() {
                self.claim_order.retain(|claimed| claimed != run);
            }
        }
        if self.cached.len() > MOST_CACHED {
            self.cached.clear();
        }
        if self.spends.len() > MOST_CACHED {
            self.spends.clear();
        }
        self.cached.retain(|_, known| !known.is_finished());
    }

    /// Drops deleted runs.
    pub fn remove<'r>(&mut self, removed: impl Iterator<Item = &'r RunId>) {
        for run in removed {
            self.cached.remove(run);
        }
        self.spends.clear();
    }

    /// Drops the cache after a failed transaction, so that it is read again from the file.
    pub fn forget(&mut self) {
        self.cached.clear();
        self.spends.clear();
    }

    /// Adds to the spend of an account.
    pub async fn charge(
        &mut self,
        account: &AccountId,
        used: &Totals,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        if let Some(spend) = self.spends.get_mut(account) {
            spend.used.add(used);
            return Ok(());
        }
        let mut spend = spend::read(connection, account).await?;
        spend.used.add(used);
        self.spends.insert(account.clone(), spend);
        Ok(())
    }

    /// The spend of an account, if it is in the cache.
    pub fn spend(&self, account: &AccountId) -> Option<&Spend> {
        self.spends.get(account)
    }

    /// The run's row, from the cache or the file.
    pub async fn load(
        &mut self,
        run: RunId,
        connection: &mut SqliteConnection,
    ) -> RequestResult<Option<&mut CachedRun>> {
        // A run that was claimed without events has no row.
        if !self.cached.contains_key(&run)
            && !self.claims.contains_key(&run)
            && let Some((epoch, summary)) = write::run(connection, run).await?
        {
            match serde_json::from_str(&summary) {
                Ok(summary) => {
                    let mut known = CachedRun { epoch, summary, listed: None };
                    known.listed = Some(known.columns());
                    self.cached.insert(run, known)
                }
                Err(error) => {
                    return Ok(Err(unreadable(&error)));
                }
            };
        }
        Ok(Ok(self.cached.get_mut(&run)))
    }
}

/// The error for a summary that this version cannot decode.
pub(crate) fn unreadable(error: &serde_json::Error) -> JournalError {
    JournalError::Unreadable(why_unreadable(error))
}

pub(crate) fn why_unreadable(error: &serde_json::Error) -> String {
    format!("its summary was made by another version of Pitwall, or is damaged: {error}")
}
