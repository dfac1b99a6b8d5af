//! Tools as agents meet them: Pitwall's own, those of a real server, and those of servers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod everything;
mod network;
mod offers;
mod support;
mod unruly;
