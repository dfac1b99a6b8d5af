//! The paper portfolio: a ledger of entries, what follows from it, and the rules for trading.
//!
//! Everything here is pure: the same entries, orders and prices always give the same result, and
//! nothing is read from a clock, a file or a network. Amounts of money and shares are exact
//! decimals. Only the figures of [`statistics`] are computed in floating point: they are no money.
//!
//! The ledger is the truth. [`Portfolio::fold`] rebuilds the portfolio from its entries,
//! [`execute`] turns a decision into the next entry without changing anything, [`pass`] does so with a
//! day of the market, and [`value`] shows the portfolio at the prices of a day.
//!
//! At every moment, to the last decimal: cash + cost of the holdings = starting cash + deposits −
//! withdrawals + realised profit + dividends.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod amount;
mod book;
pub mod candidates;
mod charges;
mod day;
mod entry;
mod error;
mod execution;
mod ledger;
mod limits;
mod orders;
mod position;
pub mod references;
mod sector;
mod state;
pub mod statistics;
mod sweep;
mod valuation;

pub use amount::{MAX_AMOUNT, MAX_QUANTITY, PLACES, TooLarge};
pub use book::Refusal;
pub use charges::check_settings;
pub use day::{Bar, DayInputs, Dividend, LONGEST_WAIT, pass};
pub use entry::{Entry, Refused};
pub use error::PortfolioError;
pub use execution::{ExecutionInputs, execute};
pub use ledger::Portfolio;
pub use limits::{Violation, check};
pub use orders::orders;
pub use position::{Lot, Position};
pub use sweep::{SweepOutcome, sweep};
pub use valuation::{Closes, Quotes, prices_at, value};
