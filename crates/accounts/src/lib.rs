//! Accounts, their sessions, tokens of API clients, and shared runs.
//!
//! - [`Accounts`]: the handle; everything is kept in one SQLite file
//! - [`Attempts`]: rate limits of signing in
//! - [`Lease`]: ends a connection with its credential
//!
//! Secrets are kept as hashes only: argon2id for passwords, SHA-256 for random tokens of 256 bits.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod accounts;
mod attempts;
mod clock;
mod error;
mod lease;
mod password;
mod signature;
mod store;
mod token;

pub use accounts::{Accounts, Credential, CredentialKind, NewSession};
pub use attempts::{Attempts, TooMany};
pub use error::{AccountsError, SignInError};
pub use lease::Lease;
pub use password::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use token::{RandomToken, same_secret};
