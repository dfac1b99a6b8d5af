//! Figures of a price history that a scan compares stocks by. All are of the history's last day.

use market::DailyPrice;
use protocol::{
    Decimal,
    trading::{Instrument, Measured},
};

use super::facts::StockFacts;
use crate::trading::facts::Unit;

/// Trading days of a week, a month, a quarter and a year.
pub(super) const WEEK: usize = 5;
pub(super) const MONTH: usize = 21;
const QUARTER: usize = 63;
const YEAR: usize = 252;
/// Days that a volume is compared with.
const VOLUMES: usize = 20;

/// Measures a stock; `None` without any price.
pub(super) fn measure(instrument: &Instrument, days: &[DailyPrice]) -> Option<StockFacts> {
    let close = Unit::Dollars.round(days.last()?.close);
    Some(StockFacts {
        ticker: instrument.ticker.clone(),
        name: instrument.name.clone(),
        sector: instrument.sector.clone(),
        industry: instrument.industry.clone(),
        close,
        day: change(days, 1),
        week: change(days, WEEK),
        month: change(days, MONTH),
        quarter: change(days, QUARTER),
        year_to_date: year_to_date(days),
        above_50_sma: above_average(days, 50),
        above_200_sma: above_average(days, 200),
        new_high: extreme(days, |close, before| close > before),
        new_low: extreme(days, |close, before| close < before),
        gap: gap(days),
        relative_volume: relative_volume(days),
    })
}

/// The return over so many trading days, as a fraction with 4 decimals.
pub(super) fn change(days: &[DailyPrice], back: usize) -> Measured<Decimal> {
    fraction(return_over(days, back))
}

/// The return since the last close of the year before, as a fraction with 4 decimals.
pub(super) fn year_to_date(days: &[DailyPrice]) -> Measured<Decimal> {
    fraction(return_of_year(days))
}

/// The return over so many trading days, not rounded yet; the error says why there is none.
pub(super) fn return_over(days: &[DailyPrice], back: usize) -> Result<Decimal, String> {
    let days = last(days, back + 1)?;
    ratio(days[back].close, days[0].close)
}

/// The return since the last close of the year before, not rounded yet; the error says why there is none.
pub(super) fn return_of_year(days: &[DailyPrice]) -> Result<Decimal, String> {
    let last = days.last().ok_or("there are no prices")?;
    let before = days.iter().rev().find(|day| day.date.year() < last.date.year());
    let before = before.ok_or_else(|| format!("there is no close before {}", last.date.year()))?;
    ratio(last.close, before.close)
}

/// A fraction with 4 decimals.
pub(super) fn fraction(value: Result<Decimal, String>) -> Measured<Decimal> {
    value.map_or_else(Measured::Unknown, |value| Measured::Known(Unit::Fraction.round(value)))
}

fn above_average(days: &[DailyPrice], count: usize) -> Measured<bool> {
    let above = last(days, count).and_then(|days| {
        let sum = days.iter().try_fold(Decimal::ZERO, |sum, day| sum.checked_add(day.close));
        let all = days[count - 1].close.checked_mul(Decimal::from(count));
        sum.zip(all).map(|(sum, all)| all > sum).ok_or_else(undefined)
    });
    above.map_or_else(Measured::Unknown, Measured::Known)
}

/// Whether the close is beyond all others of a year.
fn extreme(days: &[DailyPrice], is_beyond: impl Fn(Decimal, Decimal) -> bool) -> Measured<bool> {
    let beyond = last(days, YEAR).map(|days| {
        let (before, now) = days.split_at(YEAR - 1);
        now.iter().all(|now| before.iter().all(|day| is_beyond(now.close, day.close)))
    });
    beyond.map_or_else(Measured::Unknown, Measured::Known)
}

fn gap(days: &[DailyPrice]) -> Measured<Decimal> {
    fraction(last(days, 2).and_then(|days| {
        let open = days[1].open.ok_or("the prices have no opens")?;
        ratio(open, days[0].close)
    }))
}

fn relative_volume(days: &[DailyPrice]) -> Measured<Decimal> {
    let relative = last(days, VOLUMES + 1).and_then(|days| {
        let volumes: Option<Vec<Decimal>> = days.iter().map(|day| day.volume).collect();
        let volumes = volumes.ok_or("the prices have no volumes")?;
        let (before, now) = volumes.split_at(VOLUMES);
        let sum = before.iter().try_fold(Decimal::ZERO, |sum, volume| sum.checked_add(*volume));
        let mean = sum.and_then(|sum| sum.checked_div(Decimal::from(VOLUMES)));
        let relative = mean.and_then(|mean| now[0].checked_div(mean));
        relative.map(|relative| Unit::Index.round(relative)).ok_or_else(undefined)
    });
    relative.map_or_else(Measured::Unknown, Measured::Known)
}

/// The last days.
fn last(days: &[DailyPrice], count: usize) -> Result<&[DailyPrice], String> {
    let from = days.len().checked_sub(count);
    let from =
        from.ok_or_else(|| format!("not enough history: {count} days are needed, there are {}", days.len()))?;
    Ok(&days[from..])
}

/// `now / before - 1`.
fn ratio(now: Decimal, before: Decimal) -> Result<Decimal, String> {
    if now <= Decimal::ZERO || before <= Decimal::ZERO {
        return Err(undefined());
    }
    let ratio = now.checked_div(before).and_then(|ratio| ratio.checked_sub(Decimal::ONE));
    ratio.ok_or_else(undefined)
}

fn undefined() -> String {
    "undefined: a value is zero, negative or too large".to_owned()
}
