//! Keys of the run's state.

/// The decisions that were found.
pub const FOUND: &str = "due_decisions";
/// What became of each, a list in the order in which they ended.
pub const REFLECTED: &str = "reflected_decisions";
/// The result.
pub const RESULT: &str = "reflection";
