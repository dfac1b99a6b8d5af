//! Accounts, credentials, and who may do what.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, Decimal, Limits, RunId, Timestamp};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Starts runs and trades in portfolios of its own.
    Owner,
    /// Reads the runs that others share with this server's viewers, and changes nothing.
    Viewer,
    /// An owner who also manages accounts. Other people's runs stay theirs.
    Administrator,
}

impl Role {
    /// The role for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Viewer => "Viewer",
            Self::Administrator => "Administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Owner => "owner",
            Self::Viewer => "viewer",
            Self::Administrator => "administrator",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "owner" => Ok(Self::Owner),
            "viewer" => Ok(Self::Viewer),
            "administrator" => Ok(Self::Administrator),
            _ => Err("a role is owner, viewer or administrator".to_owned()),
        }
    }
}

/// Who the server lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    /// Everybody on this machine: `--no-auth`.
    Open,
    /// Whoever has the token that the server printed.
    Token,
    /// Accounts.
    Accounts,
}

/// The caller, as far as the pages need to know them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identity {
    /// Who the server lets in.
    pub mode: AccessMode,
    /// The account; `None` for nobody, and for a visitor by a link.
    pub account: Option<AccountId>,
    /// What it may do.
    pub role: Option<Role>,
    /// Whether runs may be read that a link shares.
    #[serde(default)]
    pub by_link: bool,
}

impl Identity {
    /// Whether there is anything that can be read.
    pub fn may_read(&self) -> bool {
        self.role.is_some() || self.by_link
    }

    /// Whether runs can be started and changed.
    pub fn may_write(&self) -> bool {
        matches!(self.role, Some(Role::Owner | Role::Administrator))
    }
}

/// Why nobody was let in by the form to sign in, as it stands in the address of the page that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    /// What was typed lets nobody in.
    Wrong,
    /// There were too many attempts; the next one may be made after so many seconds.
    Wait(u64),
    /// The accounts cannot be read.
    Unavailable,
    /// The browser keeps the session on an https address alone, and this is none.
    NeedsHttps,
    /// The browser has not kept the session.
    NotKept,
}

impl SignInRefusal {
    /// What happened and what to do, where there are accounts.
    pub fn sentence(self) -> String {
        match self {
            Self::Wrong => {
                "This name and password do not belong together. Check both and try again.".to_owned()
            }
            Self::Wait(seconds) => {
                format!("There were too many attempts to sign in. Try again in {seconds} seconds.")
            }
            Self::Unavailable => {
                "The accounts cannot be read at the moment. Try again; the server's log says more.".to_owned()
            }
            Self::NeedsHttps => "You were let in, but the browser does not stay signed in at this address, since it \
                                 does not begin with https://. Open the https:// address of this server, or have \
                                 it started without --allow-origin https://…"
                .to_owned(),
            Self::NotKept => "You were let in, but the browser did not keep the cookie that says so. Allow cookies \
                              for this address, and open it with https:// where it can be."
                .to_owned(),
        }
    }
}

impl fmt::Display for SignInRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => formatter.write_str("wrong"),
            Self::Wait(seconds) => write!(formatter, "wait-{seconds}"),
            Self::Unavailable => formatter.write_str("unavailable"),
            Self::NeedsHttps => formatter.write_str("needs-https"),
            Self::NotKept => formatter.write_str("not-kept"),
        }
    }
}

impl FromStr for SignInRefusal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match (text, text.strip_prefix("wait-")) {
            ("wrong", _) => Ok(Self::Wrong),
            ("unavailable", _) => Ok(Self::Unavailable),
            ("needs-https", _) => Ok(Self::NeedsHttps),
            ("not-kept", _) => Ok(Self::NotKept),
            (_, Some(seconds)) => seconds.parse().map(Self::Wait).map_err(drop),
            _ => Err(()),
        }
    }
}

/// What an account may use at most. What is absent is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Allowance {
    /// Runs that work at the same time; further ones are queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_runs: Option<u32>,
    /// Runs that may be queued or working; further ones are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_runs: Option<u32>,
    /// What each run may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Limits>,
    /// Tokens of all runs together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Cost of all runs together, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountSummary {
    /// Its name.
    pub id: AccountId,
    /// What it may do.
    pub role: Role,
    /// What it may use.
    pub allowance: Allowance,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A session, a token or a share, by which it is revoked. It lets nobody in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct CredentialId(pub Uuid);

impl fmt::Display for CredentialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CredentialId({})", self.0)
    }
}

impl FromStr for CredentialId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// A browser's session, in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionSummary {
    /// The id by which the session is ended.
    pub id: CredentialId,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A token of an API client, in a list: what it is for, not the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenSummary {
    /// The id by which the token is revoked; its `jti`.
    pub id: CredentialId,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token that was just made. It is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// The token, for `Authorization: Bearer`.
    pub token: String,
    /// What is kept of it.
    pub summary: TokenSummary,
}

/// Who may read a run that is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Whoever has the link.
    #[default]
    Link,
    /// This server's accounts with the role of a viewer.
    Viewers,
}

/// A run that is shared, in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareSummary {
    /// The id by which the share is revoked.
    pub id: CredentialId,
    /// The run.
    pub run: RunId,
    /// Who may read it.
    pub audience: Audience,
    /// When it was shared.
    pub created_at: Timestamp,
    /// When that ends; `None`: when it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// A share that was just made. Its link is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewShare {
    /// The path to open, below the server's address; `None` where viewers need none.
    pub path: Option<String>,
    /// What is kept of it.
    pub summary: ShareSummary,
}
