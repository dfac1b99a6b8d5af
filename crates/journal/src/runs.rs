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

/// Runs in the cache; beyond that it is cleared.
const REMEMBERED: usize = 1024;

/// Claims on runs without events that are kept. The first events follow a claim at once, so one with so many
/// later claims was given up.
const UNBORN: usize = 4096;

/// The outer error fails the whole transaction, the inner one a single request.
pub(crate) type Verdict<T, E = JournalError> = Result<Result<T, E>, sqlx::Error>;

/// The cached row of a run that has events.
pub(crate) struct Known {
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

impl Known {
    /// Those columns, from the summary.
    pub fn place(&self) -> Listed {
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
    known: HashMap<RunId, Known>,
    spends: HashMap<AccountId, Spend>,
    unborn: HashMap<RunId, Epoch>,
    /// Runs that were claimed without events, in the order of their first claims.
    claimed: VecDeque<RunId>,
    next_epoch: Epoch,
}

impl Runs {
    pub fn new(next_epoch: Epoch) -> Self {
        Self {
            known: HashMap::new(),
            spends: HashMap::new(),
            unborn: HashMap::new(),
            claimed: VecDeque::new(),
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
    pub fn claim_unborn(&mut self, run: RunId, epoch: Epoch) {
        if self.unborn.insert(run, epoch).is_none() {
            self.claimed.push_back(run);
        }
        if self.claimed.len() > UNBORN
            && let Some(oldest) = self.claimed.pop_front()
        {
            self.unborn.remove(&oldest);
        }
    }

    /// The last claim on a run without events.
    pub fn claim_before_birth(&self, run: RunId) -> Option<Epoch> {
        self.unborn.get(&run).copied()
    }

    /// Inserts a run whose first events are part of the present transaction.
    pub fn bear(&mut self, known: Known) {
        self.known.insert(known.summary.run, known);
    }

    pub fn get(&self, run: &RunId) -> Option<&Known> {
        self.known.get(run)
    }

    /// After a commit: notes what is stored now, drops claims that have a row, and bounds the cache.
    pub fn settle<'r>(&mut self, stored: impl Iterator<Item = &'r RunId>) {
        for run in stored {
            if let Some(known) = self.known.get_mut(run) {
                known.listed = Some(known.place());
            }
            if self.unborn.remove(run).is_some() {
                self.claimed.retain(|claimed| claimed != run);
            }
        }
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        if self.spends.len() > REMEMBERED {
            self.spends.clear();
        }
        self.known.retain(|_, known| !known.is_finished());
    }

    /// Drops deleted runs.
    pub fn remove<'r>(&mut self, removed: impl Iterator<Item = &'r RunId>) {
        for run in removed {
            self.known.remove(run);
        }
        self.spends.clear();
    }

    /// Drops the cache after a failed transaction, so that it is read again from the file.
    pub fn forget(&mut self) {
        self.known.clear();
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
    ) -> Verdict<Option<&mut Known>> {
        if !self.known.contains_key(&run)
            && let Some((epoch, summary)) = write::run(connection, run).await?
        {
            match serde_json::from_str(&summary) {
                Ok(summary) => {
                    let mut known = Known { epoch, summary, listed: None };
                    known.listed = Some(known.place());
                    self.known.insert(run, known)
                }
                Err(error) => {
                    return Ok(Err(unreadable(&error)));
                }
            };
        }
        Ok(Ok(self.known.get_mut(&run)))
    }
}

/// The error for a summary that this version cannot decode.
pub(crate) fn unreadable(error: &serde_json::Error) -> JournalError {
    JournalError::Unreadable(why_unreadable(error))
}

pub(crate) fn why_unreadable(error: &serde_json::Error) -> String {
    format!("its summary was made by another version of Pitwall, or is damaged: {error}")
}
