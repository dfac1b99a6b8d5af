//! The paper portfolio: a ledger of entries, what follows from it, and the rules for trading.
//!
//! Everything here is pure: the same entries, orders and prices always give the same result, and
//! nothing is read from a clock, a file or a network. Amounts of money and shares are exact
//! decimals. Only the ratios in [`metrics`] are computed in floating point: they are no money.
//!
//! The ledger is the truth. [`Portfolio::fold`] rebuilds the portfolio from its entries,
//! [`execute`] turns a decision into the next entry without changing anything, and [`value`] shows
//! the portfolio at the prices of a day.
//!
//! At every moment, to the last decimal: cash + cost of the holdings − realised profit = starting
//! cash.
//!
//! Stop losses and take profits are recorded with each trade and shown to the agents; they are no
//! active orders.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod amount;
mod book;
pub mod candidates;
mod error;
mod execution;
mod ledger;
mod limits;
pub mod metrics;
mod sector;
mod sweep;
mod valuation;

pub use amount::{MAX_AMOUNT, MAX_QUANTITY, PLACES, TooLarge};
pub use book::{Position, Refusal};
pub use error::PortfolioError;
pub use execution::{ExecutionInputs, execute};
pub use ledger::{Entry, Portfolio};
pub use limits::{Violation, check};
pub use sweep::{SweepOutcome, sweep};
pub use valuation::{Closes, Quotes, prices_at, value};
