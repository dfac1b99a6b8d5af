//! Admission control: how many runs are accepted, of all accounts together and of each. A run is counted in
//! the same step in which it is checked, so that concurrent requests cannot exceed the bounds together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::AccountId;

/// Why no further run is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The server has as many as it takes.
    #[error(
        "{0} runs are working or queued, the most that this server accepts. Wait for one to end, or stop one."
    )]
    Server(usize),
    /// The account has as many as it may have.
    #[error(
        "{0} of your runs are working or queued, the most that one account may have here. \
         Wait for one to end, or stop one."
    )]
    Account(usize),
    /// Too many of the account's runs wait for its answer.
    #[error(
        "{0} of your runs wait for people, the most that one account may have here. \
         Answer what they ask, or stop some."
    )]
    Waiting(usize),
}

/// The most runs at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Working or queued, of all accounts together.
    pub all: usize,
    /// Working or queued, of this account.
    pub account: usize,
    /// Waiting for people, of this account.
    pub waiting: usize,
}

/// Counts the accepted runs of each account.
#[derive(Default)]
pub(crate) struct Admission(Mutex<HashMap<AccountId, Count>>);

/// Runs of one account.
#[derive(Clone, Copy, Default, PartialEq)]
struct Count {
    /// Working or queued.
    busy: usize,
    /// Waiting for people, with no other work under way.
    waiting: usize,
}

impl Admission {
    /// Accepts a new run.
    pub fn accept(self: &Arc<Self>, account: &AccountId, bounds: Bounds) -> Result<Accepted, Full> {
        let mut counts = self.counts();
        let own = counts.get(account).copied().unwrap_or_default();
        if counts.values().map(|count| count.busy).sum::<usize>() >= bounds.all {
            return Err(Full::Server(bounds.all));
        }
        if own.busy >= bounds.account {
            return Err(Full::Account(bounds.account));
        }
        if own.waiting >= bounds.waiting {
            return Err(Full::Waiting(bounds.waiting));
        }
        counts.entry(account.clone()).or_default().busy += 1;
        drop(counts);
        Ok(Accepted { admission: self.clone(), account: account.clone(), waits: Mutex::new(false) })
    }

    /// Counts a run that was accepted before a restart, without checking the bounds.
    pub fn accept_again(self: &Arc<Self>, account: &AccountId, waits: bool) -> Accepted {
        self.counts().entry(account.clone()).or_default().add(waits);
        Accepted { admission: self.clone(), account: account.clone(), waits: Mutex::new(waits) }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<AccountId, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn add(&mut self, waits: bool) {
        *self.part(waits) += 1;
    }

    fn take(&mut self, waits: bool) {
        let part = self.part(waits);
        *part = part.saturating_sub(1);
    }

    fn part(&mut self, waits: bool) -> &mut usize {
        if waits { &mut self.waiting } else { &mut self.busy }
    }
}

/// One accepted run; counts until it is dropped.
pub(crate) struct Accepted {
    admission: Arc<Admission>,
    account: AccountId,
    /// Whether the run only waits for people at present.
    waits: Mutex<bool>,
}

impl Accepted {
    /// Sets whether the run only waits for people from now on.
    pub fn wait(&self, waits: bool) {
        let mut before = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *before, waits) != waits {
            let mut counts = self.admission.counts();
            let count = counts.entry(self.account.clone()).or_default();
            count.take(!waits);
            count.add(waits);
        }
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let waits = *self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = self.admission.counts();
        if let Some(count) = counts.get_mut(&self.account) {
            count.take(waits);
            if *count == Count::default() {
                counts.remove(&self.account);
            }
        }
    }
}
