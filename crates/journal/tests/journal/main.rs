//! The journal through its public interface, on real SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod checking;
mod documents;
mod interleavings;
mod isolation;
mod ledger;
mod lists;
mod log;
mod numbers;
mod opening;
mod removal;
mod sample;
mod spend;
mod subscriptions;
mod texts;
