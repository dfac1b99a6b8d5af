//! The tokens of API clients.

use std::time::Duration;

use protocol::{AccountId, CredentialId, NewToken, Timestamp, TokenSummary};

use super::{
    Accounts, Credential,
    credential::{MOST_CREDENTIALS, TOKEN, credential},
};
use crate::{
    AccountsError,
    clock::{after, now},
    store::{self, NewRow, Row},
};

/// Characters of a label that are kept.
const LONGEST_LABEL: usize = 80;

impl Accounts {
    /// Makes a token for an API client.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn make_token(
        &self,
        account: &AccountId,
        label: &str,
        life: Duration,
    ) -> Result<NewToken, AccountsError> {
        let label: String = label.trim().chars().take(LONGEST_LABEL).collect();
        let created_at = now();
        let expires_at = after(created_at, life);
        let row = NewRow {
            kind: TOKEN,
            account,
            digest: None,
            label: &label,
            run: None,
            created_at,
            expires_at: Some(expires_at),
        };
        let id = store::add(&self.0.pool, row).await?;
        store::keep_newest(&self.0.pool, TOKEN, account, MOST_CREDENTIALS).await?;
        let token = self.0.signer.sign(id, account, created_at, expires_at)?;
        Ok(NewToken { token, summary: TokenSummary { id, label, created_at, expires_at } })
    }

    /// The credential of an API client's token, if it is signed by this server, not expired and not revoked.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn token(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        let Some((id, account)) = self.0.signer.check(token) else { return Ok(None) };
        let row = store::by_id(&self.0.pool, TOKEN, id, now()).await?;
        credential(row.filter(|row| row.account == account.as_str()))
    }

    /// An account's tokens, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn tokens(&self, account: &AccountId) -> Result<Vec<TokenSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, TOKEN, account, now()).await?;
        let summary = |row: Row| TokenSummary {
            id: CredentialId(row.id),
            label: row.label,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at.unwrap_or(i64::MAX)),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Revokes an account's token and ends its connections. `false` if it has no such token.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn revoke_token(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let revoked = store::revoke(&self.0.pool, TOKEN, account, id).await?;
        self.end_leases().await?;
        Ok(revoked)
    }
}
