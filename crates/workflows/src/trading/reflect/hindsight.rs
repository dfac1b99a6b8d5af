//! What a run looks back from, and all that it works with.

use std::sync::Arc;

use journal::Journal;
use market::Market;
use protocol::Date;

use crate::trading::memory::Lessons;

/// The day of a run, and all that it works with.
#[derive(Clone)]
pub(in crate::trading) struct Hindsight {
    pub date: Date,
    /// Lessons to write at most.
    pub max_lessons: u32,
    pub journal: Journal,
    pub lessons: Arc<Lessons>,
    pub market: Arc<Market>,
}
