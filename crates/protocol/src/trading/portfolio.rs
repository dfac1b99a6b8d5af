//! Portfolios, as they are shown and opened.

use serde::{Deserialize, Serialize};

use super::{
    Bookings, DecisionOutcome, LineError, Measured, PendingOrder, PortfolioId, PortfolioSettings, Ticker,
    Trade,
};
use crate::{Date, Decimal, Timestamp, document::DocumentReference};

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
    /// The shares by purchase, oldest first: the order in which sales take them.
    #[serde(default)]
    pub lots: Vec<LotView>,
    /// Price at or below which all of it is sold, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub stop_loss: Option<Decimal>,
    /// Price at or above which all of it is sold, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub take_profit: Option<Decimal>,
}

/// What is left of one purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LotView {
    /// The day of the purchase.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub bought: Date,
    /// Shares left.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// What these shares cost, commission included, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cost: Decimal,
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
    /// When the portfolio was opened; logs of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// The rules that it trades by.
    #[serde(default = "PortfolioSettings::before_settings")]
    pub settings: PortfolioSettings,
    /// Money that came and went beside purchases and sales.
    #[serde(default)]
    pub bookings: Bookings,
    /// Orders that wait for the first price after their decision, oldest first.
    #[serde(default)]
    pub pending: Vec<PendingOrder>,
    /// The table of own prices that it is valued by, before the shared ones.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_table: Option<DocumentReference>,
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
    /// The benchmark, scaled to the portfolio's first value, with the same money paid in and taken out; `None`
    /// without a price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub benchmark: Option<Decimal>,
    /// Money paid in since the point before, less what was taken out, in US dollars. It is part of the total
    /// and no gain.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub flow: Decimal,
    /// Market value of the holdings, in US dollars; `None` in what earlier versions wrote.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub invested: Option<Decimal>,
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
#[serde(default)]
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
    /// When it was opened.
    pub opened_at: Timestamp,
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
    pub cash: Decimal,
    /// The rules that it trades by.
    #[serde(default)]
    pub settings: PortfolioSettings,
}

/// What a portfolio begins with beside cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartingHoldings {
    /// The day at whose close it is held; the portfolio's days begin there.
    pub as_of: Date,
    /// What is left of each purchase.
    pub lots: Vec<StartingLot>,
}

/// What is left of a purchase that was made before a portfolio began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartingLot {
    /// The stock.
    pub ticker: Ticker,
    /// Shares; above zero.
    pub quantity: Decimal,
    /// What these shares cost, in US dollars; above zero.
    pub cost: Decimal,
    /// The day of the purchase; that of the portfolio's beginning where no other is known.
    pub bought: Date,
}

/// A table of what a portfolio is to begin with, as CSV. Columns are `ticker`, `shares` and `cost` (of a share, in US
/// dollars), and `bought` (the day) where a stock has several lines; the line `$CASH` has US dollars as its shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartingCsv {
    /// The table with its header.
    pub csv: String,
    /// The day at whose close it is held; the last day with prices if absent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    pub as_of: Option<Date>,
}

/// What a table says that a portfolio begins with, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartingPreview {
    /// Cash in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cash: Decimal,
    /// What is held, by ticker.
    pub positions: Vec<StartingPosition>,
    /// What there are no prices of as of the day, so that its value will be unknown: as far as it is known without asking
    /// a vendor over a network.
    pub unpriced: Vec<Ticker>,
    /// What is wrong, by line; there are at most 50. A table with errors opens no portfolio.
    pub errors: Vec<LineError>,
    /// Errors beyond those that are told.
    pub more_errors: u64,
}

/// A stock that a portfolio begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartingPosition {
    /// The stock.
    pub ticker: Ticker,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// What all of them cost, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cost: Decimal,
    /// Purchases.
    pub lots: u64,
}

/// A request for a portfolio that begins with what a table says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportPortfolio {
    /// Its id; made from the name if absent.
    #[serde(default)]
    pub id: Option<PortfolioId>,
    /// Its name for people: 1 to 80 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 80, pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$")
    )]
    pub name: String,
    /// What it begins with.
    #[serde(flatten)]
    pub table: StartingCsv,
    /// The rules that it trades by.
    #[serde(default)]
    pub settings: PortfolioSettings,
}

/// A request to pay money into a portfolio or to take it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferMoney {
    /// Idempotency key: the same key pays once, however often it is sent. 1 to 64 characters; without one, each
    /// request is a payment.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub key: Option<String>,
    /// The day, after whose close the money moves. No earlier than the portfolio's last entry.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// US dollars with at most 2 decimals; negative to take money out; not zero.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub amount: Decimal,
    /// What it is for: one line of at most 200 characters.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub note: String,
}
