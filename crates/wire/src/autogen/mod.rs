//! The REST and WebSocket interface of AutoGen Studio.
//!
//! What a client sends becomes a [`Command`]; a run's log becomes frames, and the rows of its messages, through
//! [`Stream`]; documents and runs become rows. What Studio kept of a run in its database becomes a log: [`history`].
//!
//! Where it differs from the original, on purpose:
//! - Every frame also says the `run` and, with its offset, the `timestamp`; one that is made of an event of the run's
//!   log has its number `seq` and its name `event`, and a piece of a text to come the number of the event before. A
//!   client that returns says how far it has come, and is sent what follows.
//! - A message has the same `id` and `created_at` whenever and to whomever it is sent, and the pieces of its text name
//!   it by `full_message_id`.
//! - All messages and events of a team are delivered and kept, thoughts and choices of speakers among them.
//! - A question says by `input` which one it is, who asks, and until when; an answer may name it.
//! - What cannot be read or taken is always answered, and no connection ends by it.
//! - `usage` says the tokens of the run in words; the original leaves it empty.
//! - Nothing is told of files on a server, and no traceback.
//! - The original repeats the whole prompt of each call of a model as a message. Here the run's log has it.

mod command;
mod encoded_message;
mod frame;
mod gallery;
mod history;
mod record;
mod stream;

pub use command::*;
pub use encoded_message::*;
pub use frame::*;
pub use gallery::*;
pub use history::*;
pub use record::*;
pub use stream::*;
