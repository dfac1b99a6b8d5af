//! Returns, and the growth that they add up to.

use protocol::{
    Decimal,
    trading::{NotAvailable, ValuePoint},
};
use rust_decimal::prelude::ToPrimitive;

use super::EPSILON;

/// A value over time with its time-weighted returns.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    points: &'a [ValuePoint],
    returns: Vec<f64>,
    /// Growth of 1 since the first point, one for each point.
    growth: Vec<f64>,
}

impl<'a> Curve<'a> {
    /// The curve through these points, oldest first.
    ///
    /// # Errors
    /// [`NotAvailable::NotAboveZero`] where a value, or what is left of it without the day's payments, is zero
    /// or below: then a return is not defined.
    pub fn new(points: &'a [ValuePoint]) -> Result<Self, NotAvailable> {
        if points.iter().any(|point| point.total <= Decimal::ZERO) {
            return Err(NotAvailable::NotAboveZero);
        }
        let returns = points
            .windows(2)
            .map(|pair| {
                let own = pair[1].total.checked_sub(pair[1].flow).ok_or(NotAvailable::TooLarge)?;
                if own <= Decimal::ZERO {
                    Err(NotAvailable::NotAboveZero)
                } else {
                    change(pair[0].total, own)
                }
            })
            .collect::<Result<Vec<f64>, _>>()?;
        let mut growth = Vec::with_capacity(points.len());
        growth.extend(points.first().map(|_| 1.0));
        let mut grown = 1.0;
        growth.extend(returns.iter().map(|value| {
            grown *= 1.0 + value;
            grown
        }));
        Ok(Self { points, returns, growth })
    }

    /// The points.
    pub fn points(&self) -> &'a [ValuePoint] {
        self.points
    }

    /// Simple returns, one fewer than there are points.
    pub fn returns(&self) -> &[f64] {
        &self.returns
    }

    /// Growth of 1 since the first point, one for each point.
    pub fn growth(&self) -> &[f64] {
        &self.growth
    }

    /// Return over the whole time.
    ///
    /// # Errors
    /// There is no return.
    pub fn total_return(&self) -> Result<f64, NotAvailable> {
        match self.growth[..] {
            [_, .., last] => Ok(last - 1.0),
            _ => Err(NotAvailable::TooFewReturns { needed: 1, there: 0 }),
        }
    }

    /// How far below the highest value until then each point is, as a fraction; zero or below.
    pub fn depths(&self) -> impl Iterator<Item = f64> {
        let mut peak: f64 = 0.0;
        self.growth.iter().map(move |growth| {
            peak = peak.max(*growth);
            let depth = growth / peak - 1.0;
            if depth > -EPSILON { 0.0 } else { depth }
        })
    }

    /// Fraction of the days after the first on which the value was below an earlier one.
    ///
    /// # Errors
    /// There is no return.
    pub fn time_under_water(&self) -> Result<f64, NotAvailable> {
        self.total_return()?;
        let below = self.depths().filter(|depth| *depth < 0.0).count();
        Ok(below as f64 / self.returns.len() as f64)
    }

    /// Calendar days between the first and the last point.
    pub(super) fn days(&self) -> i32 {
        match self.points {
            [first, .., last] => days_between(first.date, last.date),
            _ => 0,
        }
    }
}

/// Calendar days from one day to a later one.
pub(super) fn days_between(earlier: protocol::Date, later: protocol::Date) -> i32 {
    later.since(earlier).map_or(0, |span| span.get_days())
}

/// `now / before - 1`.
fn change(before: Decimal, now: Decimal) -> Result<f64, NotAvailable> {
    now.checked_div(before)
        .and_then(|ratio| ratio.checked_sub(Decimal::ONE)?.to_f64())
        .ok_or(NotAvailable::TooLarge)
}

/// The value below which the fraction `share` (0 to 1) of the values lies, interpolated linearly between
/// neighbours at position `share × (n − 1)`; `None` without values. (Definition 7 of Hyndman and Fan, "Sample
/// Quantiles in Statistical Packages", 1996.)
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(below + (above - below) * position.fract())
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Divisor n − 1; the mean is taken first, so that nothing cancels.
pub(super) fn sample_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}
