//! What an automatic run brings forth: which stocks were analysed, and what the portfolio made of it.

use serde::{Deserialize, Serialize};

use super::{Confidence, Grade, PortfolioId, Ticker};
use crate::{Date, RunId};

/// Why a stock was to be analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnalysisReason {
    /// The scan proposed it.
    Scan,
    /// The portfolio holds it.
    Holding,
}

/// What came of the analysis of one stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AnalysisEnd {
    /// It was rated.
    Rated {
        /// The run that rated it.
        run: RunId,
        /// The grade.
        grade: Grade,
        /// How sure the rating is.
        confidence: Confidence,
    },
    /// The flow had a rating as of the same day already.
    Known {
        /// The run that rated it.
        run: RunId,
        /// The grade.
        grade: Grade,
        /// How sure the rating is.
        confidence: Confidence,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        reason: String,
    },
}

/// One stock of an automatic run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockAnalysis {
    /// The stock.
    pub ticker: Ticker,
    /// Why it was to be analysed.
    pub because: AnalysisReason,
    /// What came of it.
    pub end: AnalysisEnd,
}

/// The result of an automatic run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoResult {
    /// The day as of which it worked.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The portfolio that traded.
    pub portfolio: PortfolioId,
    /// The run that scanned the market.
    pub scan: RunId,
    /// The stocks: those of the scan in its order, then the other holdings.
    pub analyses: Vec<StockAnalysis>,
    /// The run that decided and traded.
    pub portfolio_run: RunId,
    /// What that decided, such as `0 sells, 2 buys`.
    pub decision: String,
    /// Trades that were executed.
    pub trades: u32,
    /// Orders that wait for the first price after the decision.
    #[serde(default)]
    pub waiting: u32,
    /// Orders that were rejected.
    pub rejected: u32,
}
