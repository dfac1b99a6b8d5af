//! Technical indicators of the last day of a price history.
//!
//! Conventions are those of TA-Lib, the field's reference (<https://ta-lib.org>):
//! - An exponential moving average starts with the simple average of the first values of the
//!   history and then weights each new value with 2 / (period + 1). (pandas' `ewm(adjust=False)`
//!   and stockstats start with the first value alone; after some 100 days both agree.)
//! - The fast and the slow average of MACD start on the same day, the 26th.
//! - RSI and ATR use Wilder's smoothing, weight 1 / period, started with a simple average.
//! - Bollinger bands use the population standard deviation (divisor n), as Bollinger does.
//!   (stockstats uses the sample one.)
//! - VWMA weights closes with volumes.
//!
//! They are computed here and not by a crate: `ta` 0.5 smooths RSI with 2 / (period + 1) from an
//! invented first value, `kand` 0.2 computes deviations in a single pass, which cancels on quiet
//! series, and neither has VWMA.
//!
//! Values are computed in floating point and rounded to 4 decimals, halves away from zero.

use std::{fmt, str::FromStr};

use protocol::{Date, Decimal, trading::Measured};
use serde::{Deserialize, Serialize};

use crate::DailyPrice;
use crate::rounding::{float, rounded};

/// Decimals of an indicator's value.
pub const PLACES: u32 = 4;

const FAST: usize = 12;
const SLOW: usize = 26;
const SIGNAL: usize = 9;
const BOLLINGER: usize = 20;
const BOLLINGER_WIDTH: f64 = 2.0;
const WILDER: usize = 14;
const VOLUME_WEIGHTED: usize = 20;

const CLOSES_ONLY: &str = "not available: the data has closes only";

/// A technical indicator, named as agents ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indicator {
    /// Simple moving average of 50 closes.
    #[serde(rename = "close_50_sma")]
    Close50Sma,
    /// Simple moving average of 200 closes.
    #[serde(rename = "close_200_sma")]
    Close200Sma,
    /// Exponential moving average of closes, period 10.
    #[serde(rename = "close_10_ema")]
    Close10Ema,
    /// MACD line: 12-day less 26-day exponential average.
    Macd,
    /// MACD signal: 9-day exponential average of the MACD line.
    Macds,
    /// MACD histogram: line less signal.
    Macdh,
    /// Relative strength index, 14 days, 0 to 100.
    Rsi,
    /// Bollinger middle: simple average of 20 closes.
    Boll,
    /// Upper Bollinger band: middle plus two standard deviations.
    BollUb,
    /// Lower Bollinger band: middle less two standard deviations.
    BollLb,
    /// Average true range, 14 days, in US dollars.
    Atr,
    /// Volume-weighted moving average of 20 closes.
    Vwma,
}

impl Indicator {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Close50Sma,
        Self::Close200Sma,
        Self::Close10Ema,
        Self::Macd,
        Self::Macds,
        Self::Macdh,
        Self::Rsi,
        Self::Boll,
        Self::BollUb,
        Self::BollLb,
        Self::Atr,
        Self::Vwma,
    ];

    /// The name that agents use: `close_50_sma`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Close50Sma => "close_50_sma",
            Self::Close200Sma => "close_200_sma",
            Self::Close10Ema => "close_10_ema",
            Self::Macd => "macd",
            Self::Macds => "macds",
            Self::Macdh => "macdh",
            Self::Rsi => "rsi",
            Self::Boll => "boll",
            Self::BollUb => "boll_ub",
            Self::BollLb => "boll_lb",
            Self::Atr => "atr",
            Self::Vwma => "vwma",
        }
    }

    /// The name that people use: `SMA 50`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Close50Sma => "SMA 50",
            Self::Close200Sma => "SMA 200",
            Self::Close10Ema => "EMA 10",
            Self::Macd => "MACD 12/26",
            Self::Macds => "MACD signal 9",
            Self::Macdh => "MACD histogram",
            Self::Rsi => "RSI 14",
            Self::Boll => "Bollinger middle 20",
            Self::BollUb => "Bollinger upper 20/2",
            Self::BollLb => "Bollinger lower 20/2",
            Self::Atr => "ATR 14",
            Self::Vwma => "VWMA 20",
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// A name that is no indicator's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "There is no indicator \"{0}\". Choose one of close_50_sma, close_200_sma, close_10_ema, macd, macds, macdh, rsi, boll, boll_ub, boll_lb, atr, vwma."
)]
pub struct UnknownIndicator(String);

impl FromStr for Indicator {
    type Err = UnknownIndicator;

    fn from_str(text: &str) -> Result<Self, UnknownIndicator> {
        let slug = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|indicator| indicator.slug() == slug)
            .ok_or_else(|| UnknownIndicator(text.chars().take(40).collect()))
    }
}

/// The indicator's value on the last day of `prices` (oldest first).
///
/// Unknown, with the reason, if the history is too short or lacks highs, lows or volumes.
pub fn compute(prices: &[DailyPrice], indicator: Indicator) -> Measured<Decimal> {
    value(prices, indicator)
        .and_then(|value| {
            rounded(value, PLACES).ok_or_else(|| "undefined: the prices are too large".to_owned())
        })
        .map_or_else(Measured::Unknown, Measured::Known)
}

/// All indicators on the last day of `prices` (oldest first).
pub fn all(prices: &[DailyPrice]) -> Vec<(Indicator, Measured<Decimal>)> {
    Indicator::ALL.map(|indicator| (indicator, compute(prices, indicator))).into()
}

/// The indicator on each of the last `days` days of `prices`, oldest first; fewer if the history is
/// shorter.
pub fn recent(prices: &[DailyPrice], indicator: Indicator, days: usize) -> Vec<(Date, Measured<Decimal>)> {
    let first = prices.len().saturating_sub(days);
    (first..prices.len()).map(|last| (prices[last].date, compute(&prices[..=last], indicator))).collect()
}

fn value(prices: &[DailyPrice], indicator: Indicator) -> Result<f64, String> {
    let closes: Vec<f64> = prices.iter().map(|price| float(price.close)).collect();
    match indicator {
        Indicator::Close50Sma => Ok(mean(last(&closes, 50)?)),
        Indicator::Close200Sma => Ok(mean(last(&closes, 200)?)),
        Indicator::Close10Ema => exponential_average(&closes, 10),
        Indicator::Macd => Ok(macd(&closes)?.0),
        Indicator::Macds => Ok(macd(&closes)?.1),
        Indicator::Macdh => macd(&closes).map(|(line, signal)| line - signal),
        Indicator::Rsi => relative_strength(&closes),
        Indicator::Boll => Ok(mean(last(&closes, BOLLINGER)?)),
        Indicator::BollUb => bollinger(&closes, BOLLINGER_WIDTH),
        Indicator::BollLb => bollinger(&closes, -BOLLINGER_WIDTH),
        Indicator::Atr => average_true_range(prices),
        Indicator::Vwma => volume_weighted_average(prices),
    }
}

/// The last `count` values, or why there are none.
fn last<T>(values: &[T], count: usize) -> Result<&[T], String> {
    enough(values.len(), count)?;
    Ok(&values[values.len() - count..])
}

fn enough(have: usize, need: usize) -> Result<(), String> {
    if have < need {
        return Err(format!("not enough history: {need} days are needed, there are {have}"));
    }
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of the first `period` values, then `average + weight * (value - average)` for each that
/// follows; one result for each value from the `period`-th on.
fn smoothed(values: &[f64], period: usize, weight: f64) -> Vec<f64> {
    let mut average = mean(&values[..period]);
    let mut averages = vec![average];
    for value in &values[period..] {
        average += weight * (value - average);
        averages.push(average);
    }
    averages
}

fn exponential_averages(values: &[f64], period: usize) -> Vec<f64> {
    smoothed(values, period, 2.0 / (period as f64 + 1.0))
}

fn exponential_average(values: &[f64], period: usize) -> Result<f64, String> {
    enough(values.len(), period)?;
    Ok(final_value(&exponential_averages(values, period)))
}

/// Wilder, New Concepts in Technical Trading Systems (1978).
fn wilder_average(values: &[f64]) -> f64 {
    final_value(&smoothed(values, WILDER, 1.0 / WILDER as f64))
}

fn final_value(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or(f64::NAN)
}

/// Line and signal (Appel). Both averages have their first value on the `SLOW`-th day.
fn macd(closes: &[f64]) -> Result<(f64, f64), String> {
    enough(closes.len(), SLOW + SIGNAL - 1)?;
    let slow = exponential_averages(closes, SLOW);
    let fast = exponential_averages(&closes[SLOW - FAST..], FAST);
    let line: Vec<f64> = fast.iter().zip(&slow).map(|(fast, slow)| fast - slow).collect();
    Ok((final_value(&line), exponential_average(&line, SIGNAL)?))
}

/// Wilder's RSI: 100 * average gain / (average gain + average loss).
fn relative_strength(closes: &[f64]) -> Result<f64, String> {
    enough(closes.len(), WILDER + 1)?;
    let changes = || closes.windows(2).map(|pair| pair[1] - pair[0]);
    let gain = wilder_average(&changes().map(|change| change.max(0.0)).collect::<Vec<_>>());
    let loss = wilder_average(&changes().map(|change| (-change).max(0.0)).collect::<Vec<_>>());
    if gain + loss == 0.0 {
        return Err("undefined: the price never changed".to_owned());
    }
    Ok(100.0 * gain / (gain + loss))
}

/// The middle moved by `width` population standard deviations.
fn bollinger(closes: &[f64], width: f64) -> Result<f64, String> {
    let window = last(closes, BOLLINGER)?;
    let middle = mean(window);
    let variance = window.iter().map(|close| (close - middle).powi(2)).sum::<f64>() / window.len() as f64;
    Ok(middle + width * variance.sqrt())
}

/// Wilder's average of the true range, which needs the close of the day before.
fn average_true_range(prices: &[DailyPrice]) -> Result<f64, String> {
    enough(prices.len(), WILDER + 1)?;
    let ranges = prices
        .windows(2)
        .map(|pair| {
            let (high, low) = (float(pair[1].high?), float(pair[1].low?));
            let before = float(pair[0].close);
            Some((high - low).max((high - before).abs()).max((low - before).abs()))
        })
        .collect::<Option<Vec<f64>>>()
        .ok_or(CLOSES_ONLY)?;
    Ok(wilder_average(&ranges))
}

fn volume_weighted_average(prices: &[DailyPrice]) -> Result<f64, String> {
    let weighted = last(prices, VOLUME_WEIGHTED)?
        .iter()
        .map(|price| Some((float(price.close), float(price.volume?))))
        .collect::<Option<Vec<(f64, f64)>>>()
        .ok_or(CLOSES_ONLY)?;
    let volume: f64 = weighted.iter().map(|(_, volume)| volume).sum();
    if volume <= 0.0 {
        return Err("undefined: nothing was traded".to_owned());
    }
    Ok(weighted.iter().map(|(close, volume)| close * volume).sum::<f64>() / volume)
}
