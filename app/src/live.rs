//! What keeps a page up to date: sockets that reconnect, and the signals they feed.
//!
//! While the server renders, all of it stands still.

mod backoff;
mod connection;
mod feed;
mod run;
mod run_feed;
#[cfg(feature = "hydrate")]
mod socket;
mod streams;

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
pub(crate) use backoff::wait_after;
pub use connection::{Connection, ConnectionLabel};
pub use feed::use_feed;
pub use run::{LiveRun, chat_call, use_run};
pub use run_feed::{RunFeed, RunNews, run_feed};
pub use streams::{Before, Stream, Streams};
