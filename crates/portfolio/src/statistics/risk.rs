//! What was lost, and what may be.

use protocol::{Date, trading::NotAvailable};

use super::returns::{days_between, mean, percentile};
use super::{Curve, EPSILON, enough};

/// The share of the worst days.
const WORST: f64 = 0.05;

/// A fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fall {
    /// As a fraction of the peak; negative, or zero where the value never fell.
    pub depth: f64,
    /// The last day at the peak.
    pub peak: Date,
    /// The first day at the lowest value.
    pub trough: Date,
    /// The first day on which the value was at the peak again.
    pub recovered: Option<Date>,
    /// Calendar days from the peak until it was reached again, or until the last day.
    pub days: u32,
}

/// The largest fall from a peak (maximum drawdown).
///
/// # Errors
/// There are fewer than two values.
pub fn largest_fall(curve: &Curve<'_>) -> Result<Fall, NotAvailable> {
    let points = curve.points();
    let (Some(first), Some(last), false) = (points.first(), points.last(), points.len() < 2) else {
        return Err(NotAvailable::TooFewValues { needed: 2, there: points.len() as u32 });
    };
    let mut largest =
        Fall { depth: 0.0, peak: first.date, trough: first.date, recovered: Some(first.date), days: 0 };
    let mut peak = first.date;
    let mut is_open = false;
    for (point, depth) in points.iter().zip(curve.depths()) {
        if depth == 0.0 {
            if is_open {
                largest.recovered = Some(point.date);
                is_open = false;
            }
            peak = point.date;
        } else if depth < largest.depth - EPSILON {
            largest = Fall { depth, peak, trough: point.date, recovered: None, days: 0 };
            is_open = true;
        }
    }
    let end = largest.recovered.unwrap_or(last.date);
    largest.days = days_between(largest.peak, end).max(0) as u32;
    Ok(largest)
}

/// Historical value at risk of one day: the 5th percentile of the returns. Negative is a loss; it is
/// positive where even that day was a gain. (Jorion, "Value at Risk", 2006.)
///
/// # Errors
/// There are too few returns.
pub fn value_at_risk(returns: &[f64]) -> Result<f64, NotAvailable> {
    enough(returns.len())?;
    percentile(returns, WORST).ok_or(NotAvailable::TooFewReturns { needed: 1, there: 0 })
}

/// Expected shortfall of one day (conditional value at risk): the mean of the returns at or below the value
/// at risk. (Rockafellar and Uryasev, "Optimization of Conditional Value-at-Risk", 2000.)
///
/// # Errors
/// There are too few returns.
pub fn expected_shortfall(returns: &[f64]) -> Result<f64, NotAvailable> {
    let worst = value_at_risk(returns)?;
    let beyond: Vec<f64> = returns.iter().copied().filter(|value| *value <= worst).collect();
    Ok(mean(&beyond))
}
