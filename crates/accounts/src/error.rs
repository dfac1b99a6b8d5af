use std::{sync::Arc, time::Duration};

use database::FileError;
use protocol::{AccountId, SignInRefusal};
use sqlx::migrate::MigrateError;

use crate::{LONGEST_PASSWORD, SHORTEST_PASSWORD};

/// Why an operation on the accounts fails. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountsError {
    /// The name is taken.
    #[error("There is an account {0} already. Choose another name.")]
    Exists(AccountId),
    /// There is no such account.
    #[error("There is no account {0}. `pitwall account list` shows all.")]
    NoSuchAccount(AccountId),
    /// The name would make ids of what accounts own ambiguous.
    #[error("An account's name must begin and end with a letter, digit or _, and not contain \"--\".")]
    UnfitName,
    /// The password is too short or too long.
    #[error("A password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. Choose another.")]
    UnfitPassword,
    /// The file is not opened.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database failed.
    #[error("The accounts' database failed: {0}. Try again; if it persists, check the disk.")]
    Database(Arc<sqlx::Error>),
    /// A password cannot be hashed, or a token not be signed.
    #[error("The accounts' cryptography failed: {0}.")]
    Cryptography(String),
}

impl From<sqlx::Error> for AccountsError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<MigrateError> for AccountsError {
    fn from(error: MigrateError) -> Self {
        sqlx::Error::Migrate(Box::new(error)).into()
    }
}

/// Why signing in fails.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is wrong; which one is not told.
    #[error("{}", self.refusal().sentence())]
    Refused,
    /// There were too many attempts.
    #[error("{}", self.refusal().sentence())]
    TooMany(Duration),
    /// The accounts failed.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}

impl SignInError {
    /// The part of it that is told to the person who tried.
    pub fn refusal(&self) -> SignInRefusal {
        match self {
            Self::Refused => SignInRefusal::Wrong,
            Self::TooMany(wait) => SignInRefusal::Wait(wait.as_secs().max(1)),
            Self::Accounts(_) => SignInRefusal::Unavailable,
        }
    }
}
