//! Credentials, as their rows in the file say them.

use protocol::{AccountId, CredentialId, Role, RunId, Timestamp};

use crate::{AccountsError, store::Row};

/// Sessions and tokens that one account has at most; the oldest go first.
pub(super) const MOST_CREDENTIALS: u32 = 100;

/// The kind of a session in the file.
pub(super) const SESSION: &str = "session";
/// The kind of a token in the file.
pub(super) const TOKEN: &str = "token";
/// The kind of a share in the file.
pub(super) const SHARE: &str = "share";

/// A credential that was presented and is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The id by which it is revoked.
    pub id: CredentialId,
    /// The account that it belongs to; for a share, the account that shares.
    pub account: AccountId,
    /// What the account may do; `None` where there is no such account.
    pub role: Option<Role>,
    /// What it is.
    pub kind: CredentialKind,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
}

/// Kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A browser's session.
    Session,
    /// An API client's token.
    Token,
    /// A link to this run, to read it.
    Share(RunId),
}

/// The credential of a row; an error where the row is none that this version knows.
pub(super) fn credential(row: Option<Row>) -> Result<Option<Credential>, AccountsError> {
    let Some(row) = row else { return Ok(None) };
    let decode = |error: String| AccountsError::from(sqlx::Error::Decode(error.into()));
    let kind = match (row.kind.as_str(), row.run) {
        (SESSION, _) => CredentialKind::Session,
        (TOKEN, _) => CredentialKind::Token,
        (SHARE, Some(run)) => CredentialKind::Share(RunId(run)),
        (other, _) => return Err(decode(format!("{other} is no kind of credential"))),
    };
    Ok(Some(Credential {
        id: CredentialId(row.id),
        account: row.account.parse().map_err(|error: protocol::InvalidId| decode(error.to_string()))?,
        role: row.role.map(|role| role.parse().map_err(decode)).transpose()?,
        kind,
        expires_at: row.expires_at.map(Timestamp),
    }))
}
