//! The sessions of browsers.

use std::time::Duration;

use protocol::{AccountId, CredentialId, SessionSummary, Timestamp};

use super::{
    Accounts, Credential,
    credential::{MOST_CREDENTIALS, SESSION, credential},
};
use crate::{
    AccountsError, RandomToken,
    clock::{after, now},
    store::{self, NewRow, Row},
    token::digest,
};

/// A new browser session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The token for the browser's cookie.
    pub token: RandomToken,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Begins a browser's session.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn begin_session(
        &self,
        account: &AccountId,
        life: Duration,
    ) -> Result<NewSession, AccountsError> {
        let (token, created_at) = (RandomToken::new(), now());
        let expires_at = after(created_at, life);
        let row = NewRow {
            kind: SESSION,
            account,
            digest: Some(digest(token.reveal())),
            label: "",
            run: None,
            created_at,
            expires_at: Some(expires_at),
        };
        store::delete_expired(&self.0.pool, created_at).await?;
        store::add(&self.0.pool, row).await?;
        store::keep_newest(&self.0.pool, SESSION, account, MOST_CREDENTIALS).await?;
        Ok(NewSession { token, expires_at })
    }

    /// The session of a browser's cookie.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        credential(store::by_digest(&self.0.pool, SESSION, &digest(token), now()).await?)
    }

    /// An account's sessions, newest first; `this` marks the one that asks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn sessions(
        &self,
        account: &AccountId,
        this: Option<CredentialId>,
    ) -> Result<Vec<SessionSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, SESSION, account, now()).await?;
        let summary = |row: Row| SessionSummary {
            id: CredentialId(row.id),
            is_this: this == Some(CredentialId(row.id)),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at.unwrap_or(i64::MAX)),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Ends an account's session and its connections. `false` if it has no such session.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_session(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let ended = store::revoke(&self.0.pool, SESSION, account, id).await?;
        self.end_leases().await?;
        Ok(ended)
    }
}
