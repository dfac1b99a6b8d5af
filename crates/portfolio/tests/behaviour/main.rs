//! What the portfolio promises. Numbers in comments are calculated by hand.
//!
//! Where it differs on purpose from the system whose behaviour it otherwise takes over:
//! - Money is exact; a holding is gone when exactly nothing is left of it.
//! - An order for which a price is missing is rejected, and so is any purchase while a holding has
//!   no price; nothing is valued at its cost and no price is assumed.
//! - Sectors are compared without regard to case and white space.
//! - The cash equivalent is exempt from all limits but the cash reserve, is swept into after the
//!   trades, and is sold for a purchase only if it pays for all of it and keeps the reserve.
//! - Figures need 20 returns, are negative for losses, and are unknown instead of absurd; Sortino
//!   uses the downside deviation; a return from a value of zero is undefined.
//! - The profit of a holding that cost nothing has no percentage, rather than zero.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod candidates;
mod charges;
mod day;
mod execution;
mod independent;
mod invariants;
mod ledger;
mod limits;
mod opening;
mod orders;
mod references;
mod scenario;
mod statistics;
mod sweep;
mod transfers;
mod valuation;
mod verdict;
