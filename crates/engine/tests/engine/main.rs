//! The engine through its public interface, on a real database file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod going_back;
mod runs;
mod stage;
mod steering;
