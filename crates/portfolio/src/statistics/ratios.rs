//! Reward held against risk, alone and beside a benchmark.

use protocol::trading::NotAvailable;

use super::returns::{mean, sample_deviation};
use super::{Curve, EPSILON, MIN_DAYS, YEAR, enough, risk::largest_fall};
use protocol::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Half of the width of a 95 % interval of the normal distribution, in standard deviations.
const Z: f64 = 1.959_963_984_540_054;

/// Calendar days of a year.
const CALENDAR_YEAR: f64 = 365.25;

/// Compound annual growth rate: `growth ^ (365.25 / calendar days) − 1`.
///
/// # Errors
/// The curve is shorter than [`MIN_DAYS`].
pub fn cagr(curve: &Curve<'_>) -> Result<f64, NotAvailable> {
    let growth = 1.0 + curve.total_return()?;
    let days = curve.days();
    if days < MIN_DAYS {
        return Err(NotAvailable::TooShort { needed: MIN_DAYS as u32, there: days.max(0) as u32 });
    }
    Ok(growth.powf(CALENDAR_YEAR / f64::from(days)) - 1.0)
}

/// Volatility of a year: sample standard deviation of the daily returns, times √252.
///
/// # Errors
/// There are too few returns.
pub fn volatility(returns: &[f64]) -> Result<f64, NotAvailable> {
    enough(returns.len())?;
    Ok(sample_deviation(returns) * YEAR.sqrt())
}

/// Sharpe ratio of a year with a risk-free rate of zero: mean over sample standard deviation, times √252.
/// (Sharpe, "The Sharpe Ratio", 1994.)
///
/// # Errors
/// There are too few returns, or they do not vary.
pub fn sharpe(returns: &[f64]) -> Result<f64, NotAvailable> {
    Ok(daily_sharpe(returns)? * YEAR.sqrt())
}

fn daily_sharpe(returns: &[f64]) -> Result<f64, NotAvailable> {
    enough(returns.len())?;
    let spread = sample_deviation(returns);
    if spread < EPSILON {
        return Err(NotAvailable::NoVariation);
    }
    Ok(mean(returns) / spread)
}

/// Where the true Sharpe ratio of a year lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharpeInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The ratio ± 1.96 standard errors, where the standard error of the daily ratio `s` of `n` returns with
/// skewness `g` and kurtosis `k` is `√((1 − g·s + (k − 1)/4 · s²) / (n − 1))`: it needs no normal returns.
/// (Mertens, 2002, in the form of Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier", 2012.)
///
/// # Errors
/// As [`sharpe`].
pub fn sharpe_interval(returns: &[f64]) -> Result<SharpeInterval, NotAvailable> {
    let ratio = daily_sharpe(returns)?;
    let count = returns.len() as f64;
    let average = mean(returns);
    let moment = |power| returns.iter().map(|value| (value - average).powi(power)).sum::<f64>() / count;
    let spread = moment(2).sqrt();
    let (skewness, kurtosis) = (moment(3) / spread.powi(3), moment(4) / spread.powi(4));
    let variance = (1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio.powi(2)) / (count - 1.0);
    let half = Z * variance.max(0.0).sqrt();
    Ok(SharpeInterval { low: (ratio - half) * YEAR.sqrt(), high: (ratio + half) * YEAR.sqrt() })
}

/// Sortino ratio of a year with a target of zero: mean over downside deviation, times √252. The downside
/// deviation is the root of the mean, over all returns, of the squared negative ones. (Sortino and Price,
/// "Performance Measurement in a Downside Risk Framework", 1994.)
///
/// # Errors
/// There are too few returns, or none is negative.
pub fn sortino(returns: &[f64]) -> Result<f64, NotAvailable> {
    enough(returns.len())?;
    let squares: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
    let downside = (squares / returns.len() as f64).sqrt();
    if downside < EPSILON {
        return Err(NotAvailable::NoDailyLosses);
    }
    Ok(mean(returns) / downside * YEAR.sqrt())
}

/// Calmar ratio: compound annual growth rate over the size of the largest fall, over the whole time.
/// (Young, "Calmar Ratio: A Smoother Tool", 1991, takes the last three years.)
///
/// # Errors
/// As [`cagr`], or the value never fell.
pub fn calmar(curve: &Curve<'_>) -> Result<f64, NotAvailable> {
    let depth = largest_fall(curve)?.depth;
    let rate = cagr(curve)?;
    if depth > -EPSILON {
        return Err(NotAvailable::NoDrawdown);
    }
    Ok(rate / -depth)
}

/// Returns beside those of the benchmark, between the days on which both have a value.
#[derive(Clone, Debug)]
pub struct Market {
    own: Vec<f64>,
    benchmark: Vec<f64>,
}

impl Market {
    /// Pairs the returns of a curve with its benchmark's.
    ///
    /// # Errors
    /// There is no benchmark, or too few pairs.
    pub fn new(curve: &Curve<'_>) -> Result<Self, NotAvailable> {
        let (mut own, mut benchmark) = (Vec::new(), Vec::new());
        let mut before: Option<(f64, Decimal)> = None;
        let mut flow = Decimal::ZERO;
        for (point, growth) in curve.points().iter().zip(curve.growth()) {
            flow = flow.checked_add(point.flow).ok_or(NotAvailable::TooLarge)?;
            let Some(value) = point.benchmark else { continue };
            if value <= Decimal::ZERO {
                return Err(NotAvailable::NotAboveZero);
            }
            if let Some((growth_before, value_before)) = before {
                let moved = value.checked_sub(flow).and_then(|own| own.checked_div(value_before)?.to_f64());
                own.push(growth / growth_before - 1.0);
                benchmark.push(moved.ok_or(NotAvailable::TooLarge)? - 1.0);
            }
            before = Some((*growth, value));
            flow = Decimal::ZERO;
        }
        if before.is_none() && !curve.points().is_empty() {
            return Err(NotAvailable::NoBenchmark);
        }
        enough(own.len())?;
        Ok(Self { own, benchmark })
    }
}

/// Sensitivity to the benchmark: covariance of both returns over the variance of the benchmark's. (Sharpe,
/// "Capital Asset Prices", 1964.)
///
/// # Errors
/// The benchmark does not move.
pub fn beta(market: &Market) -> Result<f64, NotAvailable> {
    let Market { own, benchmark } = market;
    if sample_deviation(benchmark) < EPSILON {
        return Err(NotAvailable::SteadyBenchmark);
    }
    let (own_mean, benchmark_mean) = (mean(own), mean(benchmark));
    let pairs = own.iter().zip(benchmark);
    let covariance: f64 = pairs.map(|(own, other)| (own - own_mean) * (other - benchmark_mean)).sum();
    let variance: f64 = benchmark.iter().map(|other| (other - benchmark_mean).powi(2)).sum();
    Ok(covariance / variance)
}

/// Jensen's alpha of a year with a risk-free rate of zero: `(mean − beta × mean of the benchmark) × 252`.
/// (Jensen, "The Performance of Mutual Funds in the Period 1945–1964", 1968.)
///
/// # Errors
/// As [`beta`].
pub fn alpha(market: &Market) -> Result<f64, NotAvailable> {
    Ok((mean(&market.own) - beta(market)? * mean(&market.benchmark)) * YEAR)
}

/// Information ratio of a year: mean over sample standard deviation of the returns beyond the benchmark's,
/// times √252. (Goodwin, "The Information Ratio", 1998.)
///
/// # Errors
/// The returns do not differ from the benchmark's, but for a constant.
pub fn information_ratio(market: &Market) -> Result<f64, NotAvailable> {
    let beyond: Vec<f64> = market.own.iter().zip(&market.benchmark).map(|(own, other)| own - other).collect();
    let spread = sample_deviation(&beyond);
    if spread < EPSILON {
        return Err(NotAvailable::SameAsBenchmark);
    }
    Ok(mean(&beyond) / spread * YEAR.sqrt())
}
