//! Keys of the run's state.

/// What the scan found.
pub const SCAN: &str = "macro_scan_summary";
/// The run that scanned.
pub const SCANNED_BY: &str = "scanned_by";
/// The stocks to analyse, in order.
pub const CHOSEN: &str = "chosen_stocks";
/// What came of each, a list in the order in which they ended.
pub const ANALYSES: &str = "stock_analyses";
/// What came of the portfolio's run.
pub const DECISION: &str = "portfolio_decision";
/// The result.
pub const RESULT: &str = "auto_result";
