//! Backtests: what they are asked to do, and what they bring forth.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    AnalysisEnd, Analyst, Commission, Constraints, CostMethod, FillPrice, PortfolioSettings, PortfolioView,
    RandomBand, Statistics, Ticker, Trade, ValuePoint, Verdict,
};
use crate::{Date, Decimal, RunId, RunSummary, document::DocumentReference};

/// How often a backtest decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// On every trading day.
    Daily,
    /// On the first trading day of each week; weeks begin on Monday.
    #[default]
    Weekly,
    /// On the first trading day of each month.
    Monthly,
}

impl Rhythm {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// Its name in JSON, which is also the word for people.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

impl fmt::Display for Rhythm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// What a backtest is to do: decide on some stocks again and again over a range of days, on a paper portfolio that
/// belongs to the run alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacktestPlan {
    /// The stocks, 1 to [`BacktestPlan::MOST_TICKERS`], each once.
    pub tickers: Vec<Ticker>,
    /// The first day; the first decision is on the first trading day from here on.
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub from: Date,
    /// The last day; on the last trading day up to here nothing is decided any more.
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub to: Date,
    /// How often it decides.
    #[serde(default)]
    pub rhythm: Rhythm,
    /// US dollars to start with; above zero, with at most 2 decimals.
    #[serde(default = "usual_cash", deserialize_with = "amount")]
    pub cash: Decimal,
    /// At which price orders are filled.
    #[serde(default)]
    pub fill: FillPrice,
    /// How much worse than quoted a trade is filled, as in [`PortfolioSettings::slippage`].
    #[serde(default, deserialize_with = "amount")]
    pub slippage: Decimal,
    /// As in [`Commission::fixed`].
    #[serde(default, deserialize_with = "amount")]
    pub commission_fixed: Decimal,
    /// As in [`Commission::per_share`].
    #[serde(default, deserialize_with = "amount")]
    pub commission_per_share: Decimal,
    /// As in [`Commission::rate`].
    #[serde(default, deserialize_with = "amount")]
    pub commission_rate: Decimal,
    /// As in [`Commission::minimum`].
    #[serde(default, deserialize_with = "amount")]
    pub commission_minimum: Decimal,
    /// Whether stop loss and take profit are carried out when a day's prices reach them.
    #[serde(default = "yes")]
    pub standing_orders: bool,
    /// Which cost a sale is held against.
    #[serde(default)]
    pub cost_method: CostMethod,
    /// Who looks at each stock; at least one.
    #[serde(default = "Analyst::all")]
    pub analysts: Vec<Analyst>,
    /// Analyses that are made at the same time, 1 to [`super::Task::MOST_PIPELINES`].
    #[serde(default = "usual_pipelines")]
    pub max_concurrent_pipelines: u32,
    /// The table of own prices that are asked before all others; see [`super::PriceTable`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<DocumentReference>,
}

impl BacktestPlan {
    /// The most stocks.
    pub const MOST_TICKERS: usize = 20;

    /// The rules that its portfolio trades by.
    pub fn settings(&self) -> PortfolioSettings {
        PortfolioSettings {
            commission: Commission {
                fixed: self.commission_fixed,
                per_share: self.commission_per_share,
                rate: self.commission_rate,
                minimum: self.commission_minimum,
            },
            slippage: self.slippage,
            cost_method: self.cost_method,
            fill: self.fill,
            standing_orders: self.standing_orders,
            limits: Constraints::default(),
        }
    }
}

fn usual_cash() -> Decimal {
    Decimal::from(100_000)
}

fn usual_pipelines() -> u32 {
    super::Task::USUAL_PIPELINES
}

fn yes() -> bool {
    true
}

/// Reads an amount from a string or from a number: forms give numbers.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        Number(serde_json::Number),
    }
    let text = match Given::deserialize(deserializer)? {
        Given::Text(text) => text,
        Given::Number(number) => number.to_string(),
    };
    let plain = text.parse().or_else(|_| Decimal::from_scientific(&text));
    plain.map_err(|_| de::Error::custom(format_args!("\"{text}\" is no amount such as 100000 or 0.0005")))
}

/// What one day of a backtest is to do: analyse the stocks, and decide on the portfolio as it is after that day's
/// close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacktestDay {
    /// The day; nothing later is seen.
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The stocks to analyse.
    pub tickers: Vec<Ticker>,
    /// Who looks at each stock; at least one.
    pub analysts: Vec<Analyst>,
    /// Analyses that are made at the same time.
    pub max_concurrent_pipelines: u32,
    /// As in [`BacktestPlan::prices`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<DocumentReference>,
    /// The portfolio, without its past.
    pub portfolio: PortfolioView,
}

/// On which days a backtest decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestSchedule {
    /// The run.
    pub run: RunId,
    /// The stocks.
    pub tickers: Vec<Ticker>,
    /// How often it decides.
    pub rhythm: Rhythm,
    /// All trading days, oldest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(deserialize_with = "crate::date::deserialize_all")]
    pub days: Vec<Date>,
    /// Those on which it decides.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(deserialize_with = "crate::date::deserialize_all")]
    pub decisions: Vec<Date>,
}

/// A backtest as its page shows it: while it is at work, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestReport {
    /// The run.
    pub run: RunSummary,
    /// Whether it pauses before its next step.
    pub is_paused: bool,
    /// Its days; `None` before they are known.
    pub schedule: Option<BacktestSchedule>,
    /// The decisions so far, oldest first.
    pub steps: Vec<BacktestStep>,
    /// What came of it; `None` before its end.
    pub result: Option<BacktestResult>,
}

/// What came of the analysis of one stock on one day of a backtest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayAnalysis {
    /// The stock.
    pub ticker: Ticker,
    /// The run that analysed it; `None` where none could be started.
    pub run: Option<RunId>,
    /// What came of it.
    pub end: AnalysisEnd,
}

/// What came of the analyses of one day of a backtest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayAnalyses {
    /// In the order of the stocks.
    pub analyses: Vec<DayAnalysis>,
}

/// What came of one decision of a backtest, and what the market did to the portfolio since the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestStep {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// The day of the decision.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The run that analysed and decided.
    pub run: RunId,
    /// What came of each analysis, in the order of the stocks; empty where the day's run never came so far.
    pub analyses: Vec<DayAnalysis>,
    /// What was decided, such as `0 sells, 2 buys`; `None` where the decision came to nothing.
    pub decision: Option<String>,
    /// Why the decision came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Trades since the step before, oldest first.
    pub trades: Vec<Trade>,
    /// Orders that were refused since the step before, each with its reasons.
    pub refused: Vec<String>,
    /// The value at the close of each trading day since the step before, oldest first.
    pub points: Vec<ValuePoint>,
}

/// A simple way to invest that a backtest is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// Equal parts of the same stocks, bought at the first price and kept.
    BuyAndHold,
    /// Equal parts of the same stocks, made equal again each month.
    EqualWeight,
    /// The index itself.
    Index,
    /// Each stock while its average of 50 days is above that of 200.
    AverageCross,
}

impl ReferenceKind {
    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::BuyAndHold => "Buy and hold",
            Self::EqualWeight => "Equal weight",
            Self::Index => "S&P 500",
            Self::AverageCross => "SMA 50/200",
        }
    }
}

/// What came of a simple way to invest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestReference {
    /// Which one.
    pub kind: ReferenceKind,
    /// Its value at the close of each day.
    pub curve: Vec<ReferencePoint>,
    /// Its figures; the daily drawdown is left out.
    pub figures: Statistics,
}

/// A value on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReferencePoint {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub value: Decimal,
}

/// The closes of a stock over the time of a backtest, as they were traded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceLine {
    /// The stock.
    pub ticker: Ticker,
    /// Its closes, oldest first.
    pub closes: Vec<ReferencePoint>,
}

/// The result of a backtest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestResult {
    /// The run.
    pub run: RunId,
    /// The stocks.
    pub tickers: Vec<Ticker>,
    /// How often it decided.
    pub rhythm: Rhythm,
    /// US dollars at the start.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cash: Decimal,
    /// The rules that it traded by.
    pub settings: PortfolioSettings,
    /// Days on which it was to decide.
    pub decisions: u32,
    /// Days on which the decision came to nothing.
    pub failed_decisions: u32,
    /// Analyses that came to nothing.
    pub failed_analyses: u32,
    /// Orders that were refused.
    pub refused: u32,
    /// The value at the close of each trading day, with the index beside it.
    pub curve: Vec<ValuePoint>,
    /// All trades, oldest first.
    pub trades: Vec<Trade>,
    /// Its figures.
    pub figures: Statistics,
    /// What it is compared with; those that could not be followed, for lack of prices, are not there.
    pub references: Vec<BacktestReference>,
    /// Agents that traded as often at random; `None` where nothing was traded.
    pub random: Option<RandomBand>,
    /// How much all of it can mean.
    pub verdict: Verdict,
    /// The prices of the stocks.
    pub prices: Vec<PriceLine>,
}
