//! The automatic run: a scan, the analyses of what it found and of what is held, and the portfolio's decision on them.
//! Each of these is a run of its own, below one node of this one.

mod analyse;
mod assignment;
mod choose;
mod decide;
mod graph;
mod result;
mod scan;
mod state;
mod verify;

pub(super) use assignment::Assignment;
pub(super) use graph::graph;
pub(super) use verify::verify;
