//! The portfolio run: review what is held, weigh what the flow's analyses propose, decide, trade.

mod answers;
mod book;
mod decide;
mod execute;
mod graph;
mod load;
mod prioritise;
mod ratings;
mod review;
mod scan;
pub(super) mod state;
mod summaries;
mod verify;

pub use answers::read_decision;
pub(super) use book::Book;
pub(super) use graph::{begin, decision, graph};
pub(super) use verify::{verify, verify_decision};
