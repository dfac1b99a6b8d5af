//! Keys of the run's state, beside those of a portfolio run.

/// What came of each analysis, a list in the order in which they ended.
pub const ANALYSES: &str = "analyses";
