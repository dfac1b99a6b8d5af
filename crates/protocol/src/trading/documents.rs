use std::fmt;

use serde::{Deserialize, Serialize};

use super::{PortfolioId, Ticker};
use crate::{Date, Decimal, RunId, Timestamp};

/// The portfolio manager's five grades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Leave or avoid.
    Sell,
    /// Hold less than usual.
    Underweight,
    /// Keep what is held.
    Hold,
    /// Hold more than usual.
    Overweight,
    /// Enter or add.
    Buy,
}

impl fmt::Display for Grade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sell => "Sell",
            Self::Underweight => "Underweight",
            Self::Hold => "Hold",
            Self::Overweight => "Overweight",
            Self::Buy => "Buy",
        })
    }
}

/// How sure a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Much is missing or contradicts.
    Low,
    /// Some is missing.
    Medium,
    /// The evidence is complete and agrees.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The result of a pipeline run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rating {
    /// The stock.
    pub ticker: Ticker,
    /// The day that the rating is as of.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The grade.
    pub grade: Grade,
    /// How sure.
    pub confidence: Confidence,
    /// One or two sentences.
    pub summary: String,
    /// The reasons.
    pub thesis: String,
    /// Why the analysis was cut short, if an analyst found a critical condition.
    #[serde(default)]
    pub abort: Option<String>,
}

impl Rating {
    /// `Overweight, medium confidence`.
    pub fn headline(&self) -> String {
        format!("{}, {} confidence", self.grade, self.confidence)
    }
}

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Shares are bought.
    Buy,
    /// Shares are sold.
    Sell,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        })
    }
}

/// An order of a decision, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// Buy or sell.
    pub side: Side,
    /// The stock.
    pub ticker: Ticker,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// Why.
    pub rationale: String,
    /// Price below which to sell, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub stop_loss: Option<Decimal>,
    /// Price above which to sell, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub take_profit: Option<Decimal>,
}

/// A portfolio run's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Orders, in the order in which they were decided.
    pub orders: Vec<Order>,
    /// What is kept, each with its reason.
    pub holds: Vec<Hold>,
    /// How sure.
    pub confidence: Confidence,
    /// `risk-on`, `risk-off`, `neutral` or `transition`.
    pub regime: String,
    /// The reasons for the whole.
    pub thesis: String,
    /// The risks that were weighed.
    pub risk_summary: String,
}

impl Decision {
    /// `2 sells, 3 buys`.
    pub fn headline(&self) -> String {
        let sells = self.orders.iter().filter(|order| order.side == Side::Sell).count();
        let buys = self.orders.len() - sells;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!("{sells} sell{}, {buys} buy{}", plural(sells), plural(buys))
    }
}

/// A holding that a decision keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hold {
    /// The stock.
    pub ticker: Ticker,
    /// Why it is kept.
    pub rationale: String,
}

/// An executed order. Never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    /// Idempotency key of the order: the same order is never executed twice.
    pub key: String,
    /// Buy or sell.
    pub side: Side,
    /// The stock.
    pub ticker: Ticker,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// US dollars a share.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub price: Decimal,
    /// The day whose closing price was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// When it was executed.
    pub executed_at: Timestamp,
    /// Why.
    pub rationale: String,
    /// Price below which to sell, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub stop_loss: Option<Decimal>,
    /// Price above which to sell, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub take_profit: Option<Decimal>,
    /// Profit that a sale realised, in US dollars; `None` for a purchase.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub realised_profit: Option<Decimal>,
    /// The run that decided it.
    pub run: Option<RunId>,
}

/// An order that was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedOrder {
    /// The order.
    pub order: Order,
    /// Price it would have had, in US dollars; `None` if there was none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub price: Option<Decimal>,
    /// Every reason, not only the first.
    pub reasons: Vec<String>,
}

/// What became of a decision's orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionOutcome {
    /// The day whose prices were paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The run that decided, if one did.
    pub run: Option<RunId>,
    /// What was executed, in this order.
    pub trades: Vec<Trade>,
    /// What was refused.
    pub rejected: Vec<RejectedOrder>,
}

/// A figure that is known, or the reason why it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measured<T> {
    /// The value.
    Known(T),
    /// Why there is none.
    Unknown(String),
}

impl<T> Measured<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The reason why it is not known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }
}

/// A holding at the prices of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldingView {
    /// The stock.
    pub ticker: Ticker,
    /// Company name.
    pub name: String,
    /// Sector, or `Unknown`.
    pub sector: String,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// Average cost a share, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub average_cost: Decimal,
    /// What the holding cost, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cost_basis: Decimal,
    /// Price a share, in US dollars; `None` if there is none as of the day.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub price: Option<Decimal>,
    /// Market value in US dollars; `None` without a price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub market_value: Option<Decimal>,
    /// Market value less cost, in US dollars; `None` without a price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub unrealised_profit: Option<Decimal>,
    /// The same as a fraction of the cost.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub unrealised_fraction: Option<Decimal>,
    /// Fraction of the portfolio's total value; `None` if any holding has no price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub weight: Option<Decimal>,
}

/// A portfolio at the prices of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioView {
    /// The portfolio.
    pub id: PortfolioId,
    /// Its name.
    pub name: String,
    /// Number of ledger entries that this view contains.
    pub entries: u64,
    /// The day of the prices.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    pub as_of: Option<Date>,
    /// Cash in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cash: Decimal,
    /// Cash it started with, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub initial_cash: Decimal,
    /// Market value of all holdings, in US dollars; unknown if one has no price.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub equity: Measured<Decimal>,
    /// Cash and holdings, in US dollars; unknown if one has no price.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub total: Measured<Decimal>,
    /// Unrealised profit in US dollars; unknown if one has no price.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub unrealised_profit: Measured<Decimal>,
    /// Profit that sales realised, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub realised_profit: Decimal,
    /// Holdings, by market value, largest first.
    pub holdings: Vec<HoldingView>,
    /// Trades, newest first.
    pub trades: Vec<Trade>,
    /// What became of the last decision; `None` before the first.
    #[serde(default)]
    pub last_decision: Option<DecisionOutcome>,
    /// Weight of each sector and of cash, largest first.
    pub allocation: Vec<SectorWeight>,
    /// Total value over time, oldest first.
    pub history: Vec<ValuePoint>,
    /// Risk figures.
    pub metrics: PortfolioMetrics,
    /// The limits that buying respects.
    pub constraints: Constraints,
    /// When the ledger was last written.
    pub updated_at: Timestamp,
}

/// The weight of a sector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SectorWeight {
    /// Sector name, or `Cash`.
    pub sector: String,
    /// Fraction of the portfolio's total value.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub weight: Decimal,
}

/// The portfolio's value on one day, with the benchmark's beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValuePoint {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// Total value in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub total: Decimal,
    /// The benchmark, scaled to the portfolio's first value; `None` without a price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub benchmark: Option<Decimal>,
}

/// Risk figures. Losses are negative, in all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioMetrics {
    /// Sharpe ratio, annualised over 252 days, with a risk-free rate of zero.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub sharpe: Measured<Decimal>,
    /// Sortino ratio, annualised over 252 days, with a target of zero.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub sortino: Measured<Decimal>,
    /// Value at risk of one day at 5 %, as a fraction of the value; a loss is negative.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub value_at_risk: Measured<Decimal>,
    /// Largest fall from a peak, as a fraction; never positive.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub max_drawdown: Measured<Decimal>,
    /// Sensitivity to the benchmark.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub beta: Measured<Decimal>,
    /// Returns that the figures were computed from.
    pub days: u32,
}

/// Limits for purchases. Each is inclusive: a value equal to it is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Constraints {
    /// Positions at most.
    pub max_positions: u32,
    /// Weight of one position at most, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub max_position: Decimal,
    /// Weight of one sector at most, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub max_sector: Decimal,
    /// Weight of cash at least, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub min_cash: Decimal,
}

impl Default for Constraints {
    fn default() -> Self {
        Self {
            max_positions: 15,
            max_position: Decimal::new(15, 2),
            max_sector: Decimal::new(35, 2),
            min_cash: Decimal::new(5, 2),
        }
    }
}

/// A portfolio in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioSummary {
    /// The portfolio.
    pub id: PortfolioId,
    /// Its name.
    pub name: String,
    /// Cash in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cash: Decimal,
    /// Positions held.
    pub positions: u32,
}

/// An instrument that prices exist for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instrument {
    /// The symbol.
    pub ticker: Ticker,
    /// Its name.
    pub name: String,
    /// Sector; empty for indices and funds.
    pub sector: String,
    /// Industry; empty for indices and funds.
    pub industry: String,
}

/// One of the four analysts of a pipeline run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Analyst {
    /// Prices and indicators.
    Market,
    /// What people say about the stock.
    Social,
    /// Company and world news.
    News,
    /// Statements and ratios.
    Fundamentals,
}

impl Analyst {
    /// All four, in the order of the page.
    pub fn all() -> Vec<Self> {
        vec![Self::Market, Self::Social, Self::News, Self::Fundamentals]
    }

    /// Its name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Social => "social",
            Self::News => "news",
            Self::Fundamentals => "fundamentals",
        }
    }

    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Market => "Market",
            Self::Social => "Social",
            Self::News => "News",
            Self::Fundamentals => "Fundamentals",
        }
    }
}

/// A request for a new portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatePortfolio {
    /// Its id; made from the name if absent.
    #[serde(default)]
    pub id: Option<PortfolioId>,
    /// Its name for people: 1 to 80 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 80, pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$")
    )]
    pub name: String,
    /// Cash to start with, in US dollars; more than zero.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cash: crate::Decimal,
}
