//! The backtest: decisions over a range of days on a paper portfolio that belongs to the run alone. The portfolio is
//! no entry of any ledger: its entries stand in the run's own state, so that a run that is continued from an earlier
//! day goes on with the portfolio of that day.
//!
//! A run turns between two nodes. One lets the market's days pass up to the next decision; the other starts a run for
//! that day, which analyses and decides, and books what was decided. Nothing that the market does later is asked for
//! before its day has come.

mod assignment;
mod book;
mod decide;
mod graph;
mod market_days;
mod pass_days;
mod plan_days;
mod result;
mod schedule;
mod state;
mod verify;

pub(super) use assignment::Backtest;
pub(super) use graph::graph;
pub(super) use plan_days::expected_decisions;
pub(super) use schedule::most_decisions;
pub(super) use verify::verify;
