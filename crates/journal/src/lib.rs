//! The durable event log of all runs, in one SQLite file.
//!
//! - **One writer.** Appends, claims and ledger entries go through a bounded queue to one task.
//!   It takes what is queued, numbers the events per run, encodes each once, folds the runs'
//!   summaries and commits all of it in one transaction: one disk flush for many appends.
//! - **Durable before visible.** Only after the commit are subscribers woken and callers
//!   answered. If a transaction fails, nothing of it is seen, the writer forgets what it held in
//!   memory and reads it again from the file, and later appends work.
//! - **Cursors, not queues.** A [`Subscription`] is a position in a run's log. It waits on the
//!   number of the last committed event, then takes what follows from a short shared tail in
//!   memory, or from the file when it is behind. A slow reader costs nothing and delays nobody.
//! - **One owner a run.** [`Journal::claim`] hands out an [`Epoch`], a fencing token: an append carries
//!   the epoch that it was made under, and is refused once there is a later claim. Epochs never
//!   repeat in the life of a file, so a claim on a run without events needs no row: should the
//!   process end, every holder of such a claim ends with it.
//! - **One process a file**, kept by an advisory lock; damaged or newer files are left as found.
//! - **Documents** ([`Documents`]) are what people make: versioned, and each change a transaction of its own.
//! - **Numbers** ([`Numbers`]) are what systems with whole numbers as ids know runs and documents by.
//! - [`transfer`] exports runs as JSON Lines and imports such files.
//! - Texts over 4 KiB are stored once, by digest; events carry a preview. Portfolios' entries
//!   ([`Ledger`]) share the writer and its transactions.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod batch;
mod check;
mod documents;
mod encoding;
mod error;
mod feeds;
mod journal;
mod ledger;
mod numbers;
mod request;
mod runs;
mod store;
mod subscription;
mod tail;
pub mod transfer;
mod writer;

pub use check::{Findings, check, repair};
pub use documents::{DocumentLimits, Documents, StoredDocument};
pub use encoding::digest;
pub use error::{DocumentError, ImportError, JournalError, LedgerError};
pub use feeds::RunChange;
pub use journal::{Encoded, Epoch, Journal, Options};
pub use ledger::Ledger;
pub use numbers::{Numbered, Numbers};
pub use request::Appended;
pub use subscription::Subscription;
