//! Keys of the run's state.

/// The days of the backtest: [`super::schedule::Schedule`].
pub const SCHEDULE: &str = "schedule";
/// Closes before the first day, for averages: market days.
pub const LOOK_BACK: &str = "look_back";
/// The market's days that have passed, a list with an item for each stretch between decisions.
pub const DAYS: &str = "market_days";
/// The portfolio's ledger entries, a list with an item for each visit that booked.
pub const ENTRIES: &str = "entries";
/// How many decisions were taken, also those that came to nothing.
pub const DECIDED: &str = "decided";
/// How many decisions in a row have come to nothing.
pub const FAILED_IN_A_ROW: &str = "failed_in_a_row";
/// What came to nothing, a list with an item for each decision.
pub const FAILURES: &str = "failures";
/// What the result holds, without its curves.
pub const RESULT: &str = "backtest_result";
