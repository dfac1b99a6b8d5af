//! References that follow a fixed rule.

use std::collections::BTreeMap;

use protocol::{
    Date, Decimal,
    trading::{Ticker, ValuePoint},
};

use super::simulation::{Weights, follow};
use super::{Course, Reference};
use crate::amount::PLACES;
use crate::error::PortfolioError;
use crate::position::split_price;

/// Trading days of the short average of [`average_cross`].
pub const FAST: usize = 50;

/// Trading days of the long average of [`average_cross`].
pub const SLOW: usize = 200;

/// Buys equal parts of all tickers after the first day, and keeps them.
///
/// # Errors
/// The start, the settings or a split cannot be.
pub fn buy_and_hold(course: &Course<'_>) -> Result<Reference, PortfolioError> {
    let mut is_first = true;
    follow(course, |_, _| if std::mem::take(&mut is_first) { all(course) } else { Weights::new() })
}

/// Buys equal parts of all tickers after the first day, and makes them equal again after the first trading day of
/// each month.
///
/// # Errors
/// As [`buy_and_hold`].
pub fn equal_weight(course: &Course<'_>) -> Result<Reference, PortfolioError> {
    let mut month = None;
    follow(course, |place, _| {
        let now = course.days.get(place).map(|day| (day.date.year(), day.date.month()));
        let is_new = month != now;
        month = now;
        if is_new { all(course) } else { Weights::new() }
    })
}

fn all(course: &Course<'_>) -> Weights {
    course.tickers.iter().map(|ticker| (ticker.clone(), course.equal_part())).collect()
}

/// Holds an equal part of a ticker while the mean of its last [`FAST`] closes is above that of its last
/// [`SLOW`], and nothing of it otherwise (the "golden cross"). A ticker with fewer closes until then is not
/// held. Closes before a split count in shares after it.
///
/// # Errors
/// As [`buy_and_hold`].
pub fn average_cross(course: &Course<'_>) -> Result<Reference, PortfolioError> {
    let signals = signals(course);
    follow(course, |place, book| {
        let Some(day) = course.days.get(place) else { return Weights::new() };
        let changed = course.tickers.iter().filter_map(|ticker| {
            let is_up = *signals.get(&(ticker, day.date))?;
            let is_held = book.positions.contains_key(ticker);
            let weight = if is_up { course.equal_part() } else { Decimal::ZERO };
            (is_up != is_held).then(|| (ticker.clone(), weight))
        });
        changed.collect()
    })
}

/// Whether the short average is above the long one, for each ticker and day on which both exist.
fn signals<'a>(course: &Course<'a>) -> BTreeMap<(&'a Ticker, Date), bool> {
    let mut signals = BTreeMap::new();
    for ticker in course.tickers {
        let mut closes: Vec<Decimal> = Vec::new();
        for day in course.days {
            for split in day.splits.iter().filter(|split| split.ticker == *ticker) {
                for close in &mut closes {
                    *close = split_price(*close, split).unwrap_or(*close);
                }
            }
            let Some(bar) = day.bars.get(ticker) else { continue };
            closes.push(bar.close);
            let mean = |count: usize| {
                let last = closes.len().checked_sub(count).and_then(|first| closes.get(first..))?;
                let sum = last.iter().try_fold(Decimal::ZERO, |sum, close| sum.checked_add(*close))?;
                sum.checked_div(Decimal::from(count))
            };
            if let (Some(fast), Some(slow)) = (mean(FAST), mean(SLOW)) {
                signals.insert((ticker, day.date), fast > slow);
            }
        }
    }
    signals
}

/// The index itself: the cash, grown as the benchmark is from the first day on. An index cannot be bought, so
/// nothing is paid. Empty if it has no price on the first day.
pub fn index(course: &Course<'_>) -> Reference {
    let mut first = None;
    let mut last = None;
    let points = course.played().map_while(|(_, day)| {
        last = day.bars.get(course.benchmark).map(|bar| bar.close).or(last);
        let close = last?;
        let then = *first.get_or_insert(close);
        let total = close.checked_div(then)?.checked_mul(course.cash)?.round_dp(PLACES).normalize();
        let (flow, invested) = (Decimal::ZERO, Some(total));
        Some(ValuePoint { date: day.date, total, benchmark: Some(total), flow, invested })
    });
    Reference { curve: points.collect(), trades: Vec::new() }
}
