//! The keys of the run's state.

/// The plan.
pub(super) const PLAN: &str = "plan";
/// What steps came to: a list that each of them appends to, in the order in which they end.
pub(super) const RESULTS: &str = "results";
/// The report, as Markdown.
pub(super) const REPORT: &str = "report";
