//! What the author of a lesson is told.

use protocol::{
    Date,
    trading::{Confidence, DecisionScore, Grade, LessonVerdict, Ticker},
};
use serde::{Deserialize, Serialize};

use crate::trading::memory::due::DueDecision;

/// A decision with its outcome. Nothing in it is later than the day on which the outcome became known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::trading) struct LessonFacts {
    pub ticker: Ticker,
    pub sector: String,
    pub decided: Date,
    pub grade: Grade,
    pub confidence: Confidence,
    pub score: DecisionScore,
    pub verdict: LessonVerdict,
}

impl LessonFacts {
    pub(super) fn of(due: &DueDecision) -> Self {
        let DueDecision { rating, sector, score, .. } = due;
        Self {
            ticker: rating.ticker.clone(),
            sector: sector.clone(),
            decided: rating.date,
            grade: rating.grade,
            confidence: rating.confidence,
            score: score.clone(),
            verdict: LessonVerdict::of(rating.grade, &score.excess),
        }
    }
}
