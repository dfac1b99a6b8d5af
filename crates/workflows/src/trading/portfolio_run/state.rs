//! Keys of the run's state.

pub const PORTFOLIO: &str = "portfolio";
/// The flow's scan of the market; absent where there is none.
pub const SCAN: &str = "scan";
pub const RATINGS: &str = "ratings";
pub const LESSONS: &str = "lessons";
pub const RISK_METRICS: &str = "risk_metrics";
pub const HOLDINGS: &str = "holdings";
pub const HOLDING_REVIEWS: &str = "holding_reviews";
pub const CANDIDATES: &str = "prioritised_candidates";
pub const INDEX: &str = "index";
pub const MACRO_BRIEF: &str = "macro_brief";
pub const MICRO_BRIEF: &str = "micro_brief";
pub const DECISION: &str = "pm_decision";
pub const DECIDED_BY: &str = "decided_by";
pub const EXECUTION: &str = "execution_result";
pub const CASH_SWEEP: &str = "cash_sweep";
