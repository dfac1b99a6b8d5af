//! Runs that are shared for reading.

use std::time::Duration;

use protocol::{AccountId, Audience, CredentialId, NewShare, RunId, ShareSummary, Timestamp};

use super::{
    Accounts, Credential, CredentialKind,
    credential::{SHARE, credential},
};
use crate::{
    AccountsError, RandomToken,
    clock::{after, now},
    store::{self, NewRow, Row},
    token::digest,
};

impl Accounts {
    /// Shares a run for reading.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn share(
        &self,
        account: &AccountId,
        run: RunId,
        audience: Audience,
        life: Option<Duration>,
    ) -> Result<NewShare, AccountsError> {
        let token = match audience {
            Audience::Link => Some(RandomToken::new()),
            Audience::Viewers => None,
        };
        let created_at = now();
        let expires_at = life.map(|life| after(created_at, life));
        let row = NewRow {
            kind: SHARE,
            account,
            digest: token.as_ref().map(|token| digest(token.reveal())),
            label: "",
            run: Some(run),
            created_at,
            expires_at,
        };
        let id = store::add(&self.0.pool, row).await?;
        let path = token.map(|token| format!("/s/{}", token.reveal()));
        Ok(NewShare { path, summary: ShareSummary { id, run, audience, created_at, expires_at } })
    }

    /// The share of a link's token.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shared(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        credential(store::by_digest(&self.0.pool, SHARE, &digest(token), now()).await?)
    }

    /// The runs that are shared with this server's viewers.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shared_with_viewers(&self) -> Result<Vec<(RunId, Credential)>, AccountsError> {
        let mut shared = Vec::new();
        for row in store::for_viewers(&self.0.pool, now()).await? {
            if let Some(credential) = credential(Some(row))?
                && let CredentialKind::Share(run) = credential.kind
            {
                shared.push((run, credential));
            }
        }
        Ok(shared)
    }

    /// What an account shares, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shares(&self, account: &AccountId) -> Result<Vec<ShareSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, SHARE, account, now()).await?;
        let summary = |row: Row| {
            Some(ShareSummary {
                id: CredentialId(row.id),
                run: RunId(row.run?),
                audience: if row.has_secret { Audience::Link } else { Audience::Viewers },
                created_at: Timestamp(row.created_at),
                expires_at: row.expires_at.map(Timestamp),
            })
        };
        Ok(rows.into_iter().filter_map(summary).collect())
    }

    /// Revokes what an account shares. `false` if it shares no such thing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn revoke_share(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let revoked = store::revoke(&self.0.pool, SHARE, account, id).await?;
        self.end_leases().await?;
        Ok(revoked)
    }

    /// Revokes all shares of a deleted run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_shares_of(&self, run: RunId) -> Result<(), AccountsError> {
        store::revoke_shares_of(&self.0.pool, run).await?;
        self.end_leases().await
    }
}
