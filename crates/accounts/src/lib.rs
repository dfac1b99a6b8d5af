//! Who may come in: accounts, their sessions, the tokens of API clients, and runs that are shared.
//!
//! - [`Accounts`]: the handle; everything is kept in one SQLite file
//! - [`Attempts`]: how often somebody may try to sign in
//! - [`Lease`]: tells a long connection when it may go on no longer
//!
//! Of a secret only its hash is kept: argon2id for passwords, SHA-256 for random tokens of 256 bits.

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

pub use accounts::{Accounts, Credential, Kind, NewSession};
pub use attempts::{Attempts, TooMany};
pub use error::{AccountsError, SignInError};
pub use lease::Lease;
pub use password::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use token::{RandomToken, same_secret};
