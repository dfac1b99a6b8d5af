//! What can be said of a value over time and of the trades behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Date, Decimal};

/// A figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Figure<T> {
    /// The value.
    Known(T),
    /// Why there is none.
    NotAvailable(NotAvailable),
}

impl<T> Figure<T> {
    /// The value, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotAvailable(_) => None,
        }
    }

    /// Why there is none.
    pub fn reason(&self) -> Option<NotAvailable> {
        match self {
            Self::Known(_) => None,
            Self::NotAvailable(reason) => Some(*reason),
        }
    }
}

impl<T> From<Result<T, NotAvailable>> for Figure<T> {
    fn from(result: Result<T, NotAvailable>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(reason) => Self::NotAvailable(reason),
        }
    }
}

/// Why a figure is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotAvailable {
    /// There are too few daily returns.
    TooFewReturns {
        /// As many are needed at least.
        needed: u32,
        /// As many are there.
        there: u32,
    },
    /// There are too few values.
    TooFewValues {
        /// As many are needed at least.
        needed: u32,
        /// As many are there.
        there: u32,
    },
    /// The period is too short for a figure of a year.
    TooShort {
        /// Calendar days that are needed at least.
        needed: u32,
        /// Calendar days between the first and the last value.
        there: u32,
    },
    /// There are too few sales at a loss.
    TooFewLosingSales {
        /// As many are needed at least.
        needed: u32,
        /// As many are there.
        there: u32,
    },
    /// A value is zero or below, from which no return can be computed.
    NotAboveZero,
    /// All returns are the same.
    NoVariation,
    /// No return is negative.
    NoDailyLosses,
    /// The value never fell.
    NoDrawdown,
    /// There is nothing to compare with.
    NoBenchmark,
    /// The benchmark never moves.
    SteadyBenchmark,
    /// The returns are those of the benchmark.
    SameAsBenchmark,
    /// There was no trade.
    NothingTraded,
    /// There was no sale.
    NothingSold,
    /// It is not known how much was invested.
    InvestedNotRecorded,
    /// The price of a model call is not known.
    NoModelPrice,
    /// A value is beyond what can be computed.
    TooLarge,
}

impl fmt::Display for NotAvailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TooFewReturns { needed, there } => {
                return write!(
                    formatter,
                    "not enough history: {needed} daily returns are needed, there are {there}"
                );
            }
            Self::TooFewValues { needed, there } => {
                return write!(
                    formatter,
                    "not enough history: {needed} values are needed, there are {there}"
                );
            }
            Self::TooShort { needed, there } => {
                return write!(
                    formatter,
                    "too short for a figure of a year: {needed} days are needed, there are {there}"
                );
            }
            Self::TooFewLosingSales { needed, there } => {
                return write!(
                    formatter,
                    "not enough trades: {needed} losing sales are needed, there are {there}"
                );
            }
            Self::NotAboveZero => "undefined: the value was not above zero on every day",
            Self::NoVariation => "undefined: the daily returns do not vary",
            Self::NoDailyLosses => "undefined: there are no daily losses",
            Self::NoDrawdown => "undefined: the value never fell",
            Self::NoBenchmark => "not available: there is no benchmark",
            Self::SteadyBenchmark => "undefined: the benchmark does not move",
            Self::SameAsBenchmark => "undefined: the returns do not differ from the benchmark's",
            Self::NothingTraded => "nothing was traded",
            Self::NothingSold => "nothing was sold",
            Self::InvestedNotRecorded => "not available: how much was invested is not recorded",
            Self::NoModelPrice => "not available: the price of a model call is not known",
            Self::TooLarge => "undefined: the values are too large",
        };
        formatter.write_str(text)
    }
}

/// All figures of a value over time and its trades. A loss is negative in each of them: drawdown, value at
/// risk, expected shortfall and cost drag are zero or below where something was lost. Amounts of costs are
/// zero or above. Fractions are of 1 and rounded to 6 decimals, ratios to 4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Statistics {
    /// Daily returns that the figures rest on.
    pub returns: u32,
    /// Trades.
    pub trades: u32,
    /// Sales among them.
    pub sales: u32,
    /// Return over the whole time, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub total_return: Figure<Decimal>,
    /// Compound annual growth rate, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub cagr: Figure<Decimal>,
    /// Volatility of a year, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub volatility: Figure<Decimal>,
    /// Sharpe ratio of a year.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub sharpe: Figure<Decimal>,
    /// Where the true Sharpe ratio lies with 95 % confidence.
    pub sharpe_interval: Figure<Interval>,
    /// Sortino ratio of a year.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub sortino: Figure<Decimal>,
    /// Calmar ratio.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub calmar: Figure<Decimal>,
    /// The largest fall from a peak.
    pub max_drawdown: Figure<Drawdown>,
    /// Fraction of the days on which the value was below an earlier one.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub time_under_water: Figure<Decimal>,
    /// How far below the highest value before it each day was, oldest first.
    pub underwater: Vec<UnderwaterPoint>,
    /// Jensen's alpha of a year against the benchmark, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub alpha: Figure<Decimal>,
    /// Sensitivity to the benchmark.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub beta: Figure<Decimal>,
    /// Information ratio of a year against the benchmark.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub information_ratio: Figure<Decimal>,
    /// Value at risk of one day at 5 %, as a fraction; a loss is negative.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub value_at_risk: Figure<Decimal>,
    /// Expected shortfall (conditional value at risk) of one day at 5 %, as a fraction; a loss is negative.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub expected_shortfall: Figure<Decimal>,
    /// Sales with a profit, as a fraction of all sales.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub win_rate: Figure<Decimal>,
    /// Profits of sales over losses of sales.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub profit_factor: Figure<Decimal>,
    /// How often the portfolio is turned over in a year.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub turnover: Figure<Decimal>,
    /// Fraction of the value that was invested, on average over all days.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub exposure: Figure<Decimal>,
    /// What commissions and slippage took in a year, as a fraction of the average value; negative.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub cost_drag: Figure<Decimal>,
    /// Commissions, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub commissions: Figure<Decimal>,
    /// What slippage cost, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub slippage: Figure<Decimal>,
    /// What was earned beyond the money paid in, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub profit: Figure<Decimal>,
    /// What the models cost, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub model_cost: Figure<Decimal>,
    /// Profit less what the models cost, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub net_profit: Figure<Decimal>,
    /// The return of each month, oldest first; empty where returns are not defined.
    pub months: Vec<MonthReturn>,
}

/// A range of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// Its lower end.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub low: Decimal,
    /// Its upper end.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub high: Decimal,
}

/// A fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drawdown {
    /// How far it fell, as a fraction of the peak; negative, or zero where the value never fell.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub depth: Decimal,
    /// The last day at the peak.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub peak: Date,
    /// The first day at the lowest value.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub trough: Date,
    /// The first day on which the value was at the peak again; `None` if it has not come back.
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub recovered: Option<Date>,
    /// Calendar days from the peak until it was reached again, or until the last day.
    pub days: u32,
}

/// How far the value was below its highest one until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnderwaterPoint {
    /// The day.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// As a fraction of the highest value; zero or below.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub depth: Decimal,
}

/// The return of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthReturn {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: i8,
    /// Its return, as a fraction. The first and the last month count as far as there are values.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub fraction: Decimal,
}

/// What agents that trade at random come to, day by day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RandomBand {
    /// The number of agents.
    pub seeds: u32,
    /// Trades that each of them was to make.
    pub trades: u32,
    /// The band, oldest day first.
    pub points: Vec<BandPoint>,
    /// What each came to in the end, in US dollars, smallest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::Amount>))]
    pub finals: Vec<Decimal>,
    /// Fraction of the value that they had invested, on average; `None` without an agent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub exposure: Option<Decimal>,
}

impl RandomBand {
    /// The fraction of the agents that came to less than this, in hundredths; `None` without an agent.
    pub fn beaten_percent(&self, total: Decimal) -> Option<usize> {
        let beaten = self.finals.iter().filter(|other| **other < total).count();
        (beaten * 100).checked_div(self.finals.len())
    }
}

/// Where nine of ten random agents are on one day, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BandPoint {
    /// The day.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// The 5th percentile, by the nearest rank.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub low: Decimal,
    /// The median.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub middle: Decimal,
    /// The 95th percentile.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub high: Decimal,
}

/// How much a result can mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// One sentence that says it, with its reasons.
    pub sentence: String,
    /// What was looked at, in the order of the sentence.
    pub checks: Vec<Check>,
}

/// One thing that decides how much a result can mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// What was looked at.
    pub kind: CheckKind,
    /// Whether it speaks for the result; `None` where it is not known.
    pub is_passed: Option<bool>,
    /// What was found, with its figure.
    pub finding: String,
}

/// What decides how much a result can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// How long it was.
    Length,
    /// How many trades there were.
    Trades,
    /// Whether its Sharpe ratio may be zero.
    Sharpe,
    /// Whether it beats random agents.
    Random,
    /// Whether the model can have known what came.
    CutOff,
}
