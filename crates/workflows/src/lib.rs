//! The workflows: graphs, prompts and tools. Nothing here knows HTTP.
//!
//! - [`trading`]: research on one stock, and the portfolio that trades on it
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod agent;
pub mod trading;

pub use agent::{Brief, Conversation, NoTools, ToolUse, Toolbox, ask, converse};
