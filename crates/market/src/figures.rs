//! Simple figures of a price history that agents reason with. All are fractions (0.05 is 5 %),
//! losses are negative, and all are rounded to 6 decimals, halves away from zero.

use std::fmt;

use protocol::{Decimal, trading::Measured};
use serde::{Deserialize, Serialize};

use crate::DailyPrice;
use crate::rounding::{float, round, rounded};

/// Decimals of a figure.
pub const PLACES: u32 = 6;

/// Trading days of a year.
pub const YEAR: usize = 252;

/// A figure of a price history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Simple return over 21 trading days (a month).
    #[serde(rename = "return_21d")]
    Return21,
    /// Simple return over 63 trading days (a quarter).
    #[serde(rename = "return_63d")]
    Return63,
    /// Simple return over 252 trading days (a year).
    #[serde(rename = "return_252d")]
    Return252,
    /// Sample standard deviation of the last 252 daily log returns, times the square root of 252.
    #[serde(rename = "volatility_252d")]
    Volatility252,
    /// Largest fall from a peak within the last 252 daily returns; never positive.
    #[serde(rename = "max_drawdown_252d")]
    MaxDrawdown252,
    /// Close over its 200-day simple average, less one.
    #[serde(rename = "distance_from_200_sma")]
    DistanceFrom200Sma,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Return21,
        Self::Return63,
        Self::Return252,
        Self::Volatility252,
        Self::MaxDrawdown252,
        Self::DistanceFrom200Sma,
    ];

    /// The name that agents use: `return_21d`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Return21 => "return_21d",
            Self::Return63 => "return_63d",
            Self::Return252 => "return_252d",
            Self::Volatility252 => "volatility_252d",
            Self::MaxDrawdown252 => "max_drawdown_252d",
            Self::DistanceFrom200Sma => "distance_from_200_sma",
        }
    }

    /// The name that people use: `Return, 21 days`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Return21 => "Return, 21 days",
            Self::Return63 => "Return, 63 days",
            Self::Return252 => "Return, 252 days",
            Self::Volatility252 => "Annualised volatility, 252 days",
            Self::MaxDrawdown252 => "Max drawdown, 252 days",
            Self::DistanceFrom200Sma => "Distance from SMA 200",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// The figure on the last day of `prices` (oldest first); unknown, with the reason, if the history is
/// too short.
pub fn compute(prices: &[DailyPrice], figure: Figure) -> Measured<Decimal> {
    let value = match figure {
        Figure::Return21 => simple_return(prices, 21),
        Figure::Return63 => simple_return(prices, 63),
        Figure::Return252 => simple_return(prices, YEAR),
        Figure::Volatility252 => volatility(prices),
        Figure::MaxDrawdown252 => max_drawdown(prices),
        Figure::DistanceFrom200Sma => distance_from_average(prices, 200),
    };
    value.map_or_else(Measured::Unknown, Measured::Known)
}

/// All figures on the last day of `prices` (oldest first).
pub fn all(prices: &[DailyPrice]) -> Vec<(Figure, Measured<Decimal>)> {
    Figure::ALL.map(|figure| (figure, compute(prices, figure))).into()
}

const UNDEFINED: &str = "undefined: a price is zero, negative or too large";

/// The last `count` closes, each above zero.
fn closes(prices: &[DailyPrice], count: usize) -> Result<Vec<Decimal>, String> {
    if prices.len() < count {
        return Err(format!("not enough history: {count} days are needed, there are {}", prices.len()));
    }
    let closes: Vec<Decimal> = prices[prices.len() - count..].iter().map(|price| price.close).collect();
    if closes.iter().any(|close| *close <= Decimal::ZERO) {
        return Err(UNDEFINED.to_owned());
    }
    Ok(closes)
}

/// `now / before - 1`, exact but for the division's 28 digits.
fn change(before: Decimal, now: Decimal) -> Result<Decimal, String> {
    let ratio = now.checked_div(before).ok_or(UNDEFINED)?;
    ratio.checked_sub(Decimal::ONE).ok_or_else(|| UNDEFINED.to_owned())
}

fn simple_return(prices: &[DailyPrice], days: usize) -> Result<Decimal, String> {
    let closes = closes(prices, days + 1)?;
    Ok(round(change(closes[0], closes[days])?, PLACES))
}

fn volatility(prices: &[DailyPrice]) -> Result<Decimal, String> {
    let closes: Vec<f64> = closes(prices, YEAR + 1)?.into_iter().map(float).collect();
    let returns: Vec<f64> = closes.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let variance = returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    rounded((variance * YEAR as f64).sqrt(), PLACES).ok_or_else(|| UNDEFINED.to_owned())
}

fn max_drawdown(prices: &[DailyPrice]) -> Result<Decimal, String> {
    let (mut peak, mut worst) = (Decimal::ZERO, Decimal::ZERO);
    for close in closes(prices, YEAR + 1)? {
        peak = peak.max(close);
        worst = worst.min(change(peak, close)?);
    }
    Ok(round(worst, PLACES))
}

fn distance_from_average(prices: &[DailyPrice], days: usize) -> Result<Decimal, String> {
    let closes = closes(prices, days)?;
    let sum = closes.iter().try_fold(Decimal::ZERO, |sum, close| sum.checked_add(*close)).ok_or(UNDEFINED)?;
    let average = sum.checked_div(Decimal::from(days)).ok_or(UNDEFINED)?;
    Ok(round(change(average, closes[days - 1])?, PLACES))
}
