//! Reads and writes the files in which people keep agent teams.
//!
//! Everything here is pure: bytes and values in, values out. No file is opened, no clock is read, no network is
//! asked, and nothing that a file holds is ever run.
//!
//! [`Reader`] reads what AutoGen, its Studio and CrewAI write, in all their versions, into [`team::Team`]s with
//! [`Finding`]s that say what a person should know. [`writing`] writes teams for AutoGen and for Microsoft's Agent
//! Framework. [`termination`] watches for the end of a team, and [`speaking`] says who speaks next: both are state
//! machines for whoever runs a team.
//!
//! No key stays: what stood in the place of one is emptied while a file is read.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod crew;
mod finding;
mod limits;
mod message;
mod name;
mod place;
mod reading;
mod secret;
mod source_identity;
pub mod speaking;
pub mod team;
pub mod termination;
pub mod writing;

pub use finding::{Finding, Problem, Severity};
pub use limits::{
    DEEPEST_CONDITION, DEEPEST_JSON, DEEPEST_TEAM, LARGEST_FILE, LARGEST_TEAM, LONGEST_NAME, LONGEST_TEXT,
    MOST_CONDITIONS, MOST_FILES, MOST_FINDINGS, MOST_ITEMS, MOST_PARTICIPANTS, MOST_PARTS,
};
pub use message::{Body, CodeResult, Message, ToolCall, ToolResult, Usage};
pub use name::{aliases, is_sendable};
pub use place::Place;
pub use reading::{LibraryEntry, Part, Reader, Reading, SourceFile, TeamRead};
pub use secret::{KeyFound, without_keys};
pub use source_identity::{KnownTool, SourceIdentity};
