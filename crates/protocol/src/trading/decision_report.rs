//! A decision of a portfolio as a whole: what its manager was told, what was decided, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Confidence, Decision, Grade, Lesson, Order, OrderEnd, PortfolioId, PortfolioView, Ticker};
use crate::{Date, Decimal, RunSummary};

/// What a portfolio's run was told, decided and did, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionReport {
    /// Where the run stands.
    pub run: RunSummary,
    /// The portfolio.
    pub portfolio: PortfolioId,
    /// The day of the decision and of its prices.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The portfolio as the manager was told of it, without trades and history; `None` before it was loaded.
    pub before: Option<PortfolioView>,
    /// What the holding reviewer said of each holding.
    pub reviews: Vec<SeenReview>,
    /// The rated stocks, the first to buy first.
    pub candidates: Vec<SeenCandidate>,
    /// What was written about the market, in Markdown; empty before it was.
    pub macro_brief: String,
    /// What was written about holdings and candidates, in Markdown; empty before it was.
    pub micro_brief: String,
    /// The lessons that the manager was told of.
    pub lessons: Vec<Lesson>,
    /// The decision; `None` before it is taken.
    pub decision: Option<Decision>,
    /// Its orders and what became of each, in its order; those that were held back follow.
    pub orders: Vec<DecidedOrder>,
}

/// What a reviewer said of a holding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenReview {
    /// The holding.
    pub ticker: Ticker,
    /// Whether it is to be sold; it is to be kept otherwise.
    pub is_sale: bool,
    /// How sure the reviewer is.
    pub confidence: Confidence,
    /// The reason.
    pub rationale: String,
    /// What could go wrong.
    pub risks: Vec<String>,
}

/// A rated stock as the manager was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenCandidate {
    /// The stock.
    pub ticker: Ticker,
    /// Its sector.
    pub sector: String,
    /// The rating's grade.
    pub grade: Grade,
    /// The rating's confidence.
    pub confidence: Confidence,
    /// The day of the rating.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub rated_on: Date,
    /// The rating's summary.
    pub summary: String,
    /// Priority; 0 means that it must not be bought.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub priority: Decimal,
    /// Why the priority is 0.
    pub skip: Option<String>,
    /// The day's closing price, in US dollars; `None` if there is none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub price: Option<Decimal>,
}

/// An order of a decision and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecidedOrder {
    /// The order.
    pub order: Order,
    /// How it ended; `None` where it was not carried out, or not yet.
    pub end: Option<OrderEnd>,
}
