use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use protocol::{CredentialId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::now;

/// The system clock may be set, so the time of expiry is checked at least this often.
const LOOK: Duration = Duration::from_secs(60);

/// The right of a connection to go on: until its credential expires or is revoked.
#[derive(Clone, Debug)]
pub struct Lease {
    revoked: CancellationToken,
    expires_at: Option<Timestamp>,
}

impl Lease {
    /// A lease that never ends.
    pub fn unlimited() -> Self {
        Self { revoked: CancellationToken::new(), expires_at: None }
    }

    pub(crate) fn over() -> Self {
        let lease = Self::unlimited();
        lease.revoked.cancel();
        lease
    }

    /// Returns when the credential is no longer valid. Cancel-safe.
    pub async fn ended(&self) {
        let expired = async {
            let Some(expires_at) = self.expires_at else { return std::future::pending().await };
            loop {
                match expires_at.since(now()) {
                    0 => return,
                    left => tokio::time::sleep(Duration::from_millis(left).min(LOOK)).await,
                }
            }
        };
        tokio::select! {
            () = self.revoked.cancelled() => {}
            () = expired => {}
        }
    }
}

/// The credentials of open connections.
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<CredentialId, CancellationToken>>);

impl Leases {
    pub fn take(&self, id: CredentialId, expires_at: Option<Timestamp>) -> Lease {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let revoked = leases.entry(id).or_default().child_token();
        Lease { revoked, expires_at }
    }

    /// Ends the leases of all credentials that are not `valid`.
    pub fn keep(&self, valid: impl Fn(&CredentialId) -> bool) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leases.retain(|id, revoked| {
            let keep = valid(id);
            if !keep {
                revoked.cancel();
            }
            keep
        });
    }
}
