//! Figures of a value over time and of the trades behind it.
//!
//! **Conventions.** A loss is negative in every figure; amounts of costs are zero or above. Returns are
//! simple and time-weighted: what is paid in or taken out on a day counts as moved at its close, so a day's
//! return is `(value − paid in) / value before − 1`. The risk-free rate is zero. A year has [`YEAR`] trading
//! days, and 365.25 calendar days where a figure compounds. Figures are computed in floating point, in two
//! passes, and rounded at the end: ratios to 4 decimals, fractions to 6, halves away from zero.
//!
//! A figure that would rest on fewer than [`MIN_RETURNS`] returns, or divide by a spread below [`EPSILON`],
//! is not available and says why. Formulas and their sources are gathered in `docs/trading-figures.md`.

mod months;
mod ratios;
mod returns;
mod risk;
mod trading;
mod verdict;

use protocol::{
    Decimal,
    trading::{
        Drawdown, Figure, Interval, Measured, NotAvailable, PortfolioMetrics, Statistics, Trade,
        UnderwaterPoint, ValuePoint,
    },
};
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use rust_decimal::prelude::FromPrimitive;

pub use months::months;
pub use ratios::{
    Market, SharpeInterval, alpha, beta, cagr, calmar, information_ratio, sharpe, sharpe_interval, sortino,
    volatility,
};
pub use returns::{Curve, percentile};
pub use risk::{Fall, expected_shortfall, largest_fall, value_at_risk};
pub use trading::{Trading, net_profit, profit};
pub use verdict::{Judged, verdict};

/// Trading days of a year, by which ratios are annualised.
pub const YEAR: f64 = 252.0;

/// Returns that a figure needs at least, other than returns over the whole time and the drawdown, which need
/// one: at 5 %, fewer than 20 returns do not hold a single one of the worst kind.
pub const MIN_RETURNS: usize = 20;

/// Calendar days that a compound rate of a year needs at least. From less, chance alone makes absurd rates.
/// (The GIPS standards ask for a whole year where performance is advertised.)
pub const MIN_DAYS: i32 = 180;

/// A daily spread below this is taken for zero: it is noise of the arithmetic.
pub const EPSILON: f64 = 1e-9;

const RATIO_PLACES: u32 = 4;
const FRACTION_PLACES: u32 = 6;

/// What figures are computed from.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The value at the close of each trading day, oldest first.
    pub curve: &'a [ValuePoint],
    /// The trades in the same time, oldest first.
    pub trades: &'a [Trade],
    /// All money paid in, less what was taken out, in US dollars.
    pub paid_in: Decimal,
    /// What the models that decided cost, in US dollars.
    pub model_cost: Figure<Decimal>,
}

/// All figures.
pub fn statistics(evidence: &Evidence<'_>) -> Statistics {
    let Evidence { curve: points, trades, paid_in, model_cost } = evidence;
    let curve = Curve::new(points);
    let of_curve = |figure: fn(&Curve<'_>) -> Result<f64, NotAvailable>| {
        curve.as_ref().map_err(|it| *it).and_then(figure)
    };
    let of_returns = |figure: fn(&[f64]) -> Result<f64, NotAvailable>| {
        curve.as_ref().map_err(|it| *it).and_then(|curve| figure(curve.returns()))
    };
    let market = curve.as_ref().map_err(|it| *it).and_then(Market::new);
    let of_market =
        |figure: fn(&Market) -> Result<f64, NotAvailable>| market.as_ref().map_err(|it| *it).and_then(figure);
    let fall = curve.as_ref().map_err(|it| *it).and_then(largest_fall);
    let interval = curve.as_ref().map_err(|it| *it).and_then(|curve| sharpe_interval(curve.returns()));
    let trading = Trading::new(points, trades);
    let profit = profit(points, *paid_in);
    Statistics {
        returns: curve.as_ref().map_or(0, |curve| curve.returns().len() as u32),
        trades: trading.trades(),
        sales: trading.sales(),
        total_return: fraction(of_curve(|curve| curve.total_return())),
        cagr: fraction(of_curve(cagr)),
        volatility: fraction(of_returns(volatility)),
        sharpe: ratio(of_returns(sharpe)),
        sharpe_interval: interval
            .and_then(|SharpeInterval { low, high }| {
                Ok(Interval { low: rounded(low, RATIO_PLACES)?, high: rounded(high, RATIO_PLACES)? })
            })
            .into(),
        sortino: ratio(of_returns(sortino)),
        calmar: ratio(of_curve(calmar)),
        max_drawdown: fall.and_then(drawdown).into(),
        time_under_water: fraction(of_curve(|curve| curve.time_under_water())),
        underwater: curve.as_ref().map(underwater).unwrap_or_default(),
        alpha: fraction(of_market(alpha)),
        beta: ratio(of_market(beta)),
        information_ratio: ratio(of_market(information_ratio)),
        value_at_risk: fraction(of_returns(value_at_risk)),
        expected_shortfall: fraction(of_returns(expected_shortfall)),
        win_rate: fraction(trading.win_rate()),
        profit_factor: ratio(trading.profit_factor()),
        turnover: ratio(trading.turnover()),
        exposure: fraction(trading.exposure()),
        cost_drag: fraction(trading.cost_drag()),
        commissions: trading.commissions().into(),
        slippage: trading.slippage().into(),
        net_profit: net_profit(&profit, model_cost),
        profit,
        model_cost: model_cost.clone(),
        months: curve.as_ref().map(months).unwrap_or_default(),
    }
}

/// The few figures that are shown beside a portfolio.
pub fn metrics(history: &[ValuePoint]) -> PortfolioMetrics {
    let curve = match Curve::new(history) {
        Ok(curve) => curve,
        Err(reason) => return no_metrics(&reason.to_string()),
    };
    let returns = curve.returns();
    PortfolioMetrics {
        sharpe: measured(ratio(sharpe(returns))),
        sortino: measured(ratio(sortino(returns))),
        value_at_risk: measured(fraction(value_at_risk(returns))),
        max_drawdown: measured(fraction(largest_fall(&curve).map(|fall| fall.depth))),
        beta: measured(ratio(Market::new(&curve).and_then(|market| beta(&market)))),
        days: returns.len() as u32,
    }
}

/// The same, all unknown for one reason.
pub fn no_metrics(reason: &str) -> PortfolioMetrics {
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

/// A ratio as it is shown.
pub fn ratio(value: Result<f64, NotAvailable>) -> Figure<Decimal> {
    value.and_then(|value| rounded(value, RATIO_PLACES)).into()
}

/// A fraction as it is shown.
pub fn fraction(value: Result<f64, NotAvailable>) -> Figure<Decimal> {
    value.and_then(|value| rounded(value, FRACTION_PLACES)).into()
}

fn rounded(value: f64, places: u32) -> Result<Decimal, NotAvailable> {
    Decimal::from_f64(value)
        .map(|value| value.round_dp_with_strategy(places, MidpointAwayFromZero).normalize())
        .ok_or(NotAvailable::TooLarge)
}

fn measured(figure: Figure<Decimal>) -> Measured<Decimal> {
    match figure {
        Figure::Known(value) => Measured::Known(value),
        Figure::NotAvailable(reason) => Measured::Unknown(reason.to_string()),
    }
}

fn drawdown(fall: Fall) -> Result<Drawdown, NotAvailable> {
    let Fall { depth, peak, trough, recovered, days } = fall;
    Ok(Drawdown { depth: rounded(depth, FRACTION_PLACES)?, peak, trough, recovered, days })
}

fn underwater(curve: &Curve<'_>) -> Vec<UnderwaterPoint> {
    let dates = curve.points().iter().map(|point| point.date);
    let depths = curve.depths().map(|depth| rounded(depth, FRACTION_PLACES).unwrap_or_default());
    dates.zip(depths).map(|(date, depth)| UnderwaterPoint { date, depth }).collect()
}

/// Refuses figures that would rest on too few returns.
fn enough(returns: usize) -> Result<(), NotAvailable> {
    if returns < MIN_RETURNS {
        return Err(NotAvailable::TooFewReturns { needed: MIN_RETURNS as u32, there: returns as u32 });
    }
    Ok(())
}
