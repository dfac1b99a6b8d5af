//! The REST and WebSocket interface of AgentOS.
//!
//! Requests become a [`StartRun`](protocol::StartRun) through [`start_run`]; a run's log
//! becomes socket frames through [`Stream`]; summaries and portfolios become
//! [`RunRecord`], [`Latest`] and [`Summary`].
//!
//! Where it differs from the original, on purpose:
//! - Every parameter is validated before anything is done with it.
//! - An event has the same `id` and `timestamp` whenever and to whomever it is sent, and
//!   also carries its number `seq` and its moment `at` in milliseconds since 1970.
//! - A tool's status is the one it reported; `service` is who served it, so that it is
//!   empty while the tool works.
//! - A failed model call is a `result` with status `error`.
//! - Nodes of pure code appear, as log events.
//! - A phase that is made again is a run of its own in the same flow, whose id the answer has; the first run stays as
//!   it was, and no portfolio trades because of it.
//! - An automatic run decides again by itself, so that resetting a decision deletes nothing.
//! - What is not known is `null`, never a number that looks plausible. Where the original's page cannot bear that, the
//!   answer is none, and says why; where it shows zero for it, the reason stands beside it.
//!
//! Money and quantities are JSON numbers here, as AgentOS's clients expect. They are
//! the doubles nearest to the exact decimals that Pitwall keeps.

mod command;
mod event;
mod portfolio;
mod record;

pub use command::*;
pub use event::*;
pub use portfolio::*;
pub use record::*;
