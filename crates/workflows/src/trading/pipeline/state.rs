//! Keys of the run's state.

use engine::{NodeError, State};

use crate::trading::seen::Seen;

/// What all analysts saw, by analyst: in whatever order they ended, the reports after them are the same.
///
/// # Errors
/// What stands there is something else.
pub(super) fn seen(state: &State) -> Result<Vec<Seen>, NodeError> {
    let mut by_analyst: Vec<Vec<Seen>> = state.get(SEEN)?.unwrap_or_default();
    by_analyst
        .sort_by(|one, two| one.first().map(|seen| &seen.agent).cmp(&two.first().map(|seen| &seen.agent)));
    Ok(by_analyst.into_iter().flatten().collect())
}

/// The market analyst's report.
pub const MARKET_REPORT: &str = "market_report";
/// The social analyst's report.
pub const SENTIMENT_REPORT: &str = "sentiment_report";
/// The news analyst's report.
pub const NEWS_REPORT: &str = "news_report";
/// The fundamentals analyst's report.
pub const FUNDAMENTALS_REPORT: &str = "fundamentals_report";
/// The price figures.
pub const MARKET_FIGURES: &str = "market_figures";
/// What analysts did without, a list.
pub const GAPS: &str = "gaps";
/// What analysts saw, a list of lists.
pub const SEEN: &str = "data_seen";
/// The critical conditions that analysts reported, a list.
pub const CRITICAL_CONDITIONS: &str = "critical_conditions";
/// The lessons of earlier decisions that fit the case.
pub const LESSONS: &str = "lessons";
/// The portfolio that the analysis is made for, or null.
pub const PORTFOLIO: &str = "portfolio";
/// The inputs that are missing, as the screen found.
pub const MISSING: &str = "missing";
/// The critical condition that ends the analysis, or null.
pub const ABORT: &str = "abort";
/// What bull and bear said, a list.
pub const INVESTMENT_DEBATE: &str = "investment_debate";
/// The research manager's plan.
pub const INVESTMENT_PLAN: &str = "investment_plan";
/// The trader's proposal.
pub const TRADER_PLAN: &str = "trader_investment_plan";
/// What the three risk analysts said, a list.
pub const RISK_DEBATE: &str = "risk_debate";
/// The rating as Markdown.
pub const FINAL_DECISION: &str = "final_trade_decision";
/// The rating.
pub const RATING: &str = "rating";
