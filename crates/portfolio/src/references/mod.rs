//! Simple ways to invest in the same time, to hold a result against.
//!
//! Each reference pays the portfolio's commissions and slippage and receives the same splits and dividends. It
//! sees a day's closes and trades at the first price after them. It may hold parts of a share, and sizes
//! its purchases by the price that it pays, so that it is never refused for lack of cash.

mod random;
mod rules;
mod simulation;

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal,
    trading::{PortfolioSettings, Split, Ticker, Trade, ValuePoint},
};
use serde::{Deserialize, Serialize};

use crate::day::{Bar, Dividend};

pub use random::{random, random_band};
pub use rules::{FAST, SLOW, average_cross, buy_and_hold, equal_weight, index};

/// One day of the market: what was traded, and what happened to the stocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketDay {
    /// The day.
    pub date: Date,
    /// Prices of what was traded.
    pub bars: BTreeMap<Ticker, Bar>,
    /// Splits whose new shares are traded from this day on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Split>,
    /// Dividends without which the stock is traded from this day on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dividends: Vec<Dividend>,
}

/// The time and the rules that a result and its references have in common.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// Trading days, oldest first. Those before `start` are only looked at.
    pub days: &'a [MarketDay],
    /// The first day on which anything can be decided.
    pub start: Date,
    /// What can be bought.
    pub tickers: &'a BTreeSet<Ticker>,
    /// Cash to start with, in US dollars.
    pub cash: Decimal,
    /// Commissions and slippage.
    pub settings: &'a PortfolioSettings,
    /// What the points are compared with.
    pub benchmark: &'a Ticker,
}

impl<'a> Course<'a> {
    /// The days from the start on, each with its place among all days.
    fn played(&self) -> impl Iterator<Item = (usize, &'a MarketDay)> + use<'a> {
        let (days, start) = (self.days, self.start);
        days.iter().enumerate().filter(move |(_, day)| day.date >= start)
    }

    /// An equal part of the whole for each ticker, rounded down to 6 decimals.
    fn equal_part(&self) -> Decimal {
        let count = Decimal::from(self.tickers.len().max(1));
        Decimal::ONE.checked_div(count).unwrap_or_default().trunc_with_scale(crate::PLACES)
    }
}

/// What came of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its value at the close of each day from the start on.
    pub curve: Vec<ValuePoint>,
    /// Its trades, oldest first.
    pub trades: Vec<Trade>,
}
