//! The wire formats of the systems that Pitwall speaks: pure functions from events
//! and views to their JSON, and from their JSON to Pitwall's commands.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod agentos;
pub mod autogen;
mod excerpt;
pub mod maws;
pub mod openai;
