//! What trading brought and what it took.

use protocol::{
    Decimal,
    trading::{Figure, NotAvailable, Side, Trade, TradeCause, ValuePoint},
};
use rust_decimal::prelude::ToPrimitive;

use super::returns::days_between;
use super::{enough, returns::mean};
use crate::amount::{TooLarge, difference, sum, worth};
use crate::state::slippage_of;

/// Losing sales that a profit factor needs at least.
const MIN_LOSING_SALES: u32 = 3;

/// Calendar days of a year.
const CALENDAR_YEAR: f64 = 365.25;

impl From<TooLarge> for NotAvailable {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// The trades of a time, beside the value over that time. Sales and purchases of the cash equivalent, which
/// only put cash aside, count among the costs alone.
#[derive(Clone, Copy, Debug)]
pub struct Trading<'a> {
    points: &'a [ValuePoint],
    trades: &'a [Trade],
}

impl<'a> Trading<'a> {
    /// Trades, and the points of the time in which they were made, both oldest first.
    pub fn new(points: &'a [ValuePoint], trades: &'a [Trade]) -> Self {
        Self { points, trades }
    }

    fn decided(&self) -> impl Iterator<Item = &'a Trade> {
        self.trades.iter().filter(|it| !matches!(it.cause, TradeCause::Funding | TradeCause::Sweep))
    }

    fn profits(&self) -> Vec<Decimal> {
        self.decided().filter_map(|trade| trade.realised_profit).collect()
    }

    /// The number of trades.
    pub fn trades(&self) -> u32 {
        self.decided().count() as u32
    }

    /// The number of sales.
    pub fn sales(&self) -> u32 {
        self.profits().len() as u32
    }

    /// Sales with a realised profit above zero over all sales, costs included.
    ///
    /// # Errors
    /// Nothing was sold.
    pub fn win_rate(&self) -> Result<f64, NotAvailable> {
        let profits = self.profits();
        if profits.is_empty() {
            return Err(NotAvailable::NothingSold);
        }
        Ok(profits.iter().filter(|profit| **profit > Decimal::ZERO).count() as f64 / profits.len() as f64)
    }

    /// The sum of the profits of sales over the sum of the losses of sales.
    ///
    /// # Errors
    /// There are fewer than three losing sales, so that one trade would make the figure.
    pub fn profit_factor(&self) -> Result<f64, NotAvailable> {
        let profits = self.profits();
        if profits.is_empty() {
            return Err(NotAvailable::NothingSold);
        }
        let losing = profits.iter().filter(|profit| **profit < Decimal::ZERO).count() as u32;
        if losing < MIN_LOSING_SALES {
            return Err(NotAvailable::TooFewLosingSales { needed: MIN_LOSING_SALES, there: losing });
        }
        let of_sign = |is_gain: bool| {
            let kept = profits.iter().filter(|profit| profit.is_sign_positive() == is_gain);
            kept.filter_map(|profit| profit.abs().to_f64()).sum::<f64>()
        };
        Ok(of_sign(true) / of_sign(false))
    }

    /// The lesser of all purchases and all sales over the average value, a year. (As the SEC's Form N-1A has
    /// funds compute it, there with the monthly average.)
    ///
    /// # Errors
    /// Nothing was traded, or there are too few values.
    pub fn turnover(&self) -> Result<f64, NotAvailable> {
        if self.trades() == 0 {
            return Err(NotAvailable::NothingTraded);
        }
        let of_side = |side| -> Result<Decimal, TooLarge> {
            let amounts = self.decided().filter(|trade| trade.side == side);
            amounts.map(|trade| worth(trade.quantity, trade.price)).try_fold(Decimal::ZERO, |a, b| sum(a, b?))
        };
        let traded = of_side(Side::Buy)?.min(of_side(Side::Sell)?);
        self.of_average_value_a_year(traded)
    }

    /// The average over all days of what was invested, as a fraction of the day's value.
    ///
    /// # Errors
    /// There is no value, or it is not known what was invested.
    pub fn exposure(&self) -> Result<f64, NotAvailable> {
        if self.points.is_empty() {
            return Err(NotAvailable::TooFewValues { needed: 1, there: 0 });
        }
        let shares = self.points.iter().map(|point| {
            let invested = point.invested.ok_or(NotAvailable::InvestedNotRecorded)?;
            invested.checked_div(point.total).and_then(|it| it.to_f64()).ok_or(NotAvailable::NotAboveZero)
        });
        Ok(mean(&shares.collect::<Result<Vec<f64>, _>>()?))
    }

    /// All commissions, in US dollars.
    ///
    /// # Errors
    /// The sum is too large.
    pub fn commissions(&self) -> Result<Decimal, NotAvailable> {
        Ok(self.trades.iter().try_fold(Decimal::ZERO, |total, trade| sum(total, trade.commission))?)
    }

    /// What slippage cost, in US dollars.
    ///
    /// # Errors
    /// The sum is too large.
    pub fn slippage(&self) -> Result<Decimal, NotAvailable> {
        Ok(self.trades.iter().try_fold(Decimal::ZERO, |total, trade| sum(total, slippage_of(trade)?))?)
    }

    /// Commissions and slippage over the average value, a year; negative.
    ///
    /// # Errors
    /// There are too few values.
    pub fn cost_drag(&self) -> Result<f64, NotAvailable> {
        let costs = sum(self.commissions()?, self.slippage()?)?;
        // Not -0.0 where nothing was paid.
        Ok(0.0 - self.of_average_value_a_year(costs)?)
    }

    fn of_average_value_a_year(&self, amount: Decimal) -> Result<f64, NotAvailable> {
        enough(self.points.len().saturating_sub(1))?;
        let values: Vec<f64> = self.points.iter().filter_map(|point| point.total.to_f64()).collect();
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Err(NotAvailable::TooFewValues { needed: 2, there: 0 });
        };
        let years = f64::from(days_between(first.date, last.date)) / CALENDAR_YEAR;
        let average = mean(&values);
        if average <= 0.0 || years <= 0.0 {
            return Err(NotAvailable::NotAboveZero);
        }
        Ok(amount.to_f64().ok_or(NotAvailable::TooLarge)? / average / years)
    }
}

/// What was earned beyond the money paid in: the last value less that money, in US dollars.
pub fn profit(points: &[ValuePoint], paid_in: Decimal) -> Figure<Decimal> {
    match points.last() {
        Some(last) => difference(last.total, paid_in).map_err(NotAvailable::from).into(),
        None => Figure::NotAvailable(NotAvailable::TooFewValues { needed: 1, there: 0 }),
    }
}

/// Profit less what the models cost, in US dollars.
pub fn net_profit(profit: &Figure<Decimal>, model_cost: &Figure<Decimal>) -> Figure<Decimal> {
    let (profit, cost) = match (profit, model_cost) {
        (Figure::Known(profit), Figure::Known(cost)) => (profit, cost),
        (Figure::NotAvailable(reason), _) | (_, Figure::NotAvailable(reason)) => {
            return Figure::NotAvailable(*reason);
        }
    };
    difference(*profit, *cost).map_err(NotAvailable::from).into()
}
