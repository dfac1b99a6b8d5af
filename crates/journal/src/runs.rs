//! What the writer remembers of runs between transactions.

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

/// Runs that the writer remembers before it forgets all of them.
const REMEMBERED: usize = 1024;

/// Claims on runs without events that are remembered. Their first events follow at once; a claim that
/// so many others were made after is of somebody who has given up.
const UNBORN: usize = 4096;

/// The outer error fails the whole transaction, the inner one refuses a single request.
pub(crate) type Verdict<T, E = JournalError> = Result<Result<T, E>, sqlx::Error>;

/// What the writer knows of a run that has events.
pub(crate) struct Known {
    pub epoch: Epoch,
    pub summary: RunSummary,
    /// What its row says of its place in lists; `None` where it has no row yet.
    pub listed: Option<Listed>,
}

/// What changes of a run's place in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    status: RunStatus,
    is_closed: bool,
    finished_at: Option<Timestamp>,
}

impl Known {
    /// What its row has to say.
    pub fn place(&self) -> Listed {
        let RunSummary { status, finished_at, .. } = self.summary;
        Listed { status, is_closed: self.summary.is_closed(), finished_at }
    }

    /// Whether nothing is to be expected any more.
    pub fn is_finished(&self) -> bool {
        self.summary.is_closed()
    }
}

/// What the writer knows of runs. All but the claims on runs without events is in the file, too.
pub(crate) struct Runs {
    known: HashMap<RunId, Known>,
    spends: HashMap<AccountId, Spend>,
    unborn: HashMap<RunId, Epoch>,
    /// In the order in which they were claimed first.
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

    /// The next epoch, above all others.
    pub fn next_epoch(&mut self) -> Epoch {
        let epoch = self.next_epoch;
        self.next_epoch = Epoch(epoch.0 + 1);
        epoch
    }

    /// A claim on a run without events.
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

    /// A run's first events were taken.
    pub fn bear(&mut self, known: Known) {
        self.known.insert(known.summary.run, known);
    }

    pub fn get(&self, run: &RunId) -> Option<&Known> {
        self.known.get(run)
    }

    /// After a commit that stored events of these.
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

    /// After runs were deleted.
    pub fn remove<'r>(&mut self, removed: impl Iterator<Item = &'r RunId>) {
        for run in removed {
            self.known.remove(run);
        }
        self.spends.clear();
    }

    /// After a failed transaction: the file has the truth.
    pub fn forget(&mut self) {
        self.known.clear();
        self.spends.clear();
    }

    /// Counts what an account has used.
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

    /// What an account has used, where that was counted.
    pub fn spend(&self, account: &AccountId) -> Option<&Spend> {
        self.spends.get(account)
    }

    /// What is known of a run, in memory or in the file.
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

/// What is said of a summary that is none to this version.
pub(crate) fn unreadable(error: &serde_json::Error) -> JournalError {
    JournalError::Unreadable(why_unreadable(error))
}

pub(crate) fn why_unreadable(error: &serde_json::Error) -> String {
    format!("its summary was made by another version of Pitwall, or is damaged: {error}")
}
