//! What keeps a page up to date: connections that come back by themselves, and the signals they feed.
//!
//! - `listener`: one for each thing that is followed; it notices by `heartbeat` whether the server is heard
//! - `transport`: a connection, by a socket or by `polls`; `route`: which of them gets through to this tab
//! - `gathered`: messages until the next frame that is drawn; `backoff`: the wait between two attempts
//! - `run`, `run_feed`, `feed`: what is followed; `streams`: text of calls in flight
//! - `connection`: what a person is told of all that
//!
//! While the server renders, all of it stands still.

mod backoff;
mod connection;
mod feed;
#[cfg(feature = "hydrate")]
mod gathered;
mod heartbeat;
#[cfg(feature = "hydrate")]
mod listener;
#[cfg(feature = "hydrate")]
mod polls;
#[cfg(feature = "hydrate")]
mod route;
mod run;
mod run_feed;
mod streams;
#[cfg(feature = "hydrate")]
mod transport;

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
pub(crate) use backoff::wait_after;
pub use connection::{Connection, ConnectionLabel, Obstacle, OldSince, Taken};
pub use feed::use_feed;
pub use heartbeat::Heartbeat;
pub use run::{LiveRun, use_run};
pub use run_feed::{RunFeed, RunNews, ToldRun, run_feed};
pub use streams::{Before, Stream, Streams};
