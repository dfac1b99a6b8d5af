//! Risk figures of a series of daily values. One convention throughout: losses are negative.
//!
//! Returns are simple: `now / before - 1`. Ratios are computed in floating point, in two passes, and
//! rounded for display: ratios to 4 decimals, fractions to 6. A figure that would rest on fewer than
//! [`MIN_RETURNS`] returns, or would divide by a spread below [`EPSILON`], is unknown and says why.

use protocol::{
    Decimal,
    trading::{Measured, PortfolioMetrics, ValuePoint},
};
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// Trading days of a year, by which ratios are annualised.
pub const YEAR: f64 = 252.0;

/// Returns that a figure needs at least, other than the drawdown, which needs one: at 5 %, fewer
/// than 20 returns do not hold a single one of the worst kind.
pub const MIN_RETURNS: usize = 20;

/// A daily spread below this is taken for zero: it is noise of the arithmetic.
pub const EPSILON: f64 = 1e-9;

const RATIO_PLACES: u32 = 4;
const FRACTION_PLACES: u32 = 6;

/// All figures of a value history, oldest first.
pub fn compute(history: &[ValuePoint]) -> PortfolioMetrics {
    let values: Vec<Decimal> = history.iter().map(|point| point.total).collect();
    let Some(returns) = returns(&values) else {
        return unknown("undefined: the value was not above zero on every day");
    };
    PortfolioMetrics {
        sharpe: sharpe(&returns),
        sortino: sortino(&returns),
        value_at_risk: value_at_risk(&returns),
        max_drawdown: max_drawdown(&values),
        beta: beta(history),
        days: returns.len() as u32,
    }
}

/// All figures unknown for one reason.
pub fn unknown(reason: &str) -> PortfolioMetrics {
    let unknown = || Measured::Unknown(reason.to_owned());
    PortfolioMetrics {
        sharpe: unknown(),
        sortino: unknown(),
        value_at_risk: unknown(),
        max_drawdown: unknown(),
        beta: unknown(),
        days: 0,
    }
}

/// Simple returns, one fewer than there are values; `None` if a value is not above zero, because
/// then a return is not defined.
pub fn returns(values: &[Decimal]) -> Option<Vec<f64>> {
    if values.iter().any(|value| *value <= Decimal::ZERO) {
        return None;
    }
    values.windows(2).map(|pair| change(pair[0], pair[1])?.to_f64()).collect()
}

/// Sharpe ratio with a risk-free rate of zero: mean over sample standard deviation, times √252.
pub fn sharpe(returns: &[f64]) -> Measured<Decimal> {
    measured(enough(returns.len()).and_then(|()| {
        let spread = sample_deviation(returns);
        if spread < EPSILON {
            return Err("undefined: the daily returns do not vary".to_owned());
        }
        rounded(mean(returns) / spread * YEAR.sqrt(), RATIO_PLACES)
    }))
}

/// Sortino ratio with a target of zero: mean over downside deviation, times √252. The downside
/// deviation is the root of the mean, over all returns, of the squared negative ones.
pub fn sortino(returns: &[f64]) -> Measured<Decimal> {
    measured(enough(returns.len()).and_then(|()| {
        let squares: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
        let downside = (squares / returns.len() as f64).sqrt();
        if downside < EPSILON {
            return Err("undefined: there are no daily losses".to_owned());
        }
        rounded(mean(returns) / downside * YEAR.sqrt(), RATIO_PLACES)
    }))
}

/// Historical value at risk of one day: the 5th percentile of the returns. Negative is a loss; it is
/// positive where even that day was a gain.
pub fn value_at_risk(returns: &[f64]) -> Measured<Decimal> {
    measured(enough(returns.len()).and_then(|()| {
        let percentile = percentile(returns, 0.05).ok_or("undefined: there are no returns")?;
        rounded(percentile, FRACTION_PLACES)
    }))
}

/// The largest fall from a peak as a fraction; never positive.
pub fn max_drawdown(values: &[Decimal]) -> Measured<Decimal> {
    if values.len() < 2 {
        return Measured::Unknown(format!(
            "not enough history: 2 values are needed, there are {}",
            values.len()
        ));
    }
    let (mut peak, mut worst) = (Decimal::ZERO, Decimal::ZERO);
    for value in values {
        peak = peak.max(*value);
        let Some(fall) = change(peak, *value) else {
            return Measured::Unknown("undefined: a value is zero or too large".to_owned());
        };
        worst = worst.min(fall);
    }
    Measured::Known(worst.round_dp_with_strategy(FRACTION_PLACES, MidpointAwayFromZero).normalize())
}

/// Sensitivity to the benchmark: covariance of both returns over the variance of the benchmark's.
/// Both are computed between the days on which both values exist.
pub fn beta(history: &[ValuePoint]) -> Measured<Decimal> {
    measured(aligned_returns(history).and_then(|(own, benchmark)| {
        if sample_deviation(&benchmark) < EPSILON {
            return Err("undefined: the benchmark does not move".to_owned());
        }
        let (own_mean, benchmark_mean) = (mean(&own), mean(&benchmark));
        let pairs = own.iter().zip(&benchmark);
        let covariance: f64 = pairs.map(|(own, other)| (own - own_mean) * (other - benchmark_mean)).sum();
        let variance: f64 = benchmark.iter().map(|other| (other - benchmark_mean).powi(2)).sum();
        rounded(covariance / variance, RATIO_PLACES)
    }))
}

fn aligned_returns(history: &[ValuePoint]) -> Result<(Vec<f64>, Vec<f64>), String> {
    let (own, benchmark): (Vec<Decimal>, Vec<Decimal>) =
        history.iter().filter_map(|point| Some((point.total, point.benchmark?))).unzip();
    if benchmark.is_empty() && !history.is_empty() {
        return Err("not available: there is no benchmark".to_owned());
    }
    enough(own.len().saturating_sub(1))?;
    let undefined = || "undefined: a value was not above zero".to_owned();
    Ok((returns(&own).ok_or_else(undefined)?, returns(&benchmark).ok_or_else(undefined)?))
}

/// The value below which the fraction `share` (0 to 1) of the values lies, interpolated linearly
/// between neighbours at position `share * (n - 1)`; `None` without values.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(below + (above - below) * position.fract())
}

fn change(before: Decimal, now: Decimal) -> Option<Decimal> {
    now.checked_div(before)?.checked_sub(Decimal::ONE)
}

fn enough(returns: usize) -> Result<(), String> {
    if returns < MIN_RETURNS {
        return Err(format!(
            "not enough history: {MIN_RETURNS} daily returns are needed, there are {returns}"
        ));
    }
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Divisor n − 1; the mean is taken first, so that nothing cancels.
fn sample_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

fn rounded(value: f64, places: u32) -> Result<Decimal, String> {
    Decimal::from_f64(value)
        .map(|value| value.round_dp_with_strategy(places, MidpointAwayFromZero).normalize())
        .ok_or_else(|| "undefined: the values are too large".to_owned())
}

fn measured(result: Result<Decimal, String>) -> Measured<Decimal> {
    result.map_or_else(Measured::Unknown, Measured::Known)
}
