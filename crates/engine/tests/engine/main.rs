//! The engine through its public interface, on a real database file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cut_off;
mod defects;
mod going_back;
mod groups;
mod growth;
mod joins;
mod killed;
mod lanes;
mod places;
mod prompts;
mod replays;
mod resumed;
mod runs;
mod setbacks;
mod stage;
mod steering;
mod sub_runs;
mod used;
