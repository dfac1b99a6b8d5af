//! Admission of sockets: for how long, and how many for each account.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use accounts::Lease;
use axum::{extract::ws::WebSocketUpgrade, response::Response};
use futures::{StreamExt, stream::FuturesUnordered};
use protocol::{Problem, RunId};

use super::{Access, Caller};
use crate::{
    peer::{Disconnected, LARGEST_MESSAGE, OpenedPoll, Peer, Sockets},
    problem::from_accounts,
};

/// The right to open one socket, or one poll in its place.
pub struct Admission {
    sockets: Sockets,
    caller: Caller,
    leases: Vec<Lease>,
    slot: SocketSlot,
}

impl Admission {
    /// Upgrades the connection and passes it to `serve`, until the caller's credential ends.
    pub fn upgrade<F>(
        self,
        upgrade: WebSocketUpgrade,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Result<(), Disconnected>> + Send + 'static,
    {
        self.upgrade_for(LARGEST_MESSAGE, upgrade, serve)
    }

    /// The same for a client whose messages have `largest` bytes at most.
    pub fn upgrade_for<F>(
        self,
        largest: usize,
        upgrade: WebSocketUpgrade,
        serve: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Result<(), Disconnected>> + Send + 'static,
    {
        let (sockets, expired) = (self.sockets.clone(), self.expired());
        sockets.upgrade(upgrade, largest, expired, serve)
    }

    /// Opens a poll and passes it to `serve`, until the caller's credential ends.
    pub fn poll<F>(self, serve: impl FnOnce(Peer) -> F + Send + 'static) -> OpenedPoll
    where
        F: Future<Output = Result<(), Disconnected>> + Send + 'static,
    {
        let (sockets, holder) = (self.sockets.clone(), self.caller.name().cloned());
        sockets.poll(holder, self.expired(), serve)
    }

    /// Ends with the caller's credential. Holds the slot until it is dropped.
    pub fn expired(self) -> impl Future<Output = ()> + Send + 'static {
        let Self { leases, slot, .. } = self;
        async move {
            let _slot = slot;
            let mut endings: FuturesUnordered<_> = leases.iter().map(Lease::ended).collect();
            if endings.next().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Access {
    /// Admits a socket; `run` is the run that it follows, if it follows one. A socket for all runs ends with
    /// any share that it might show.
    ///
    /// # Errors
    /// 429: the caller has the most sockets that are allowed.
    pub async fn admit_socket(
        &self,
        caller: &Caller,
        run: Option<RunId>,
        sockets: Sockets,
    ) -> Result<Admission, Problem> {
        let mut leases = Vec::new();
        for credential in caller.credential().into_iter().chain(caller.shares(run)) {
            leases.push(self.accounts.lease(credential).await.map_err(from_accounts)?);
        }
        let name = match (caller.name(), caller.shares(run).next()) {
            (Some(name), _) => name.to_string(),
            (None, Some(share)) => share.id.to_string(),
            (None, None) => String::new(),
        };
        Ok(Admission { sockets, caller: caller.clone(), leases, slot: self.slots.take(name)? })
    }
}

/// Counts open sockets, by account or by link.
pub struct SocketSlots {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// One counted socket; released on drop.
struct SocketSlot {
    name: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl SocketSlots {
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    fn take(&self, name: String) -> Result<SocketSlot, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(name.clone()).or_default();
        if *count >= self.most {
            let detail = format!(
                "{} sockets are open, the most that one account may have. Close one, or raise --sockets-per-account.",
                self.most
            );
            return Err(Problem { status: 429, detail });
        }
        *count += 1;
        Ok(SocketSlot { name, taken: self.taken.clone() })
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.name);
            }
        }
    }
}
