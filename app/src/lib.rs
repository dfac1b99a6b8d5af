//! The pages: rendered by the server, then taken over by the same code in the browser.
//!
//! `ssr` builds them for the server, `hydrate` for the browser. The pages know the
//! server only through [`api`] and the sockets in [`live`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod api;
pub mod base;
pub mod browser;
pub mod components;
#[cfg(feature = "ssr")]
pub mod export;
pub mod families;
pub mod format;
pub mod graph;
mod legible;
pub mod live;
pub mod markdown;
pub mod pages;
mod shell;

pub use live::Heartbeat;
pub use shell::{App, OffersDocuments, shell};
