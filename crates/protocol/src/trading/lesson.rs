//! Lessons: what became of a decision, and what there is to learn from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Confidence, Grade, Measured, Ticker};
use crate::{Date, Decimal, RunId};

/// How a stock did after a rating, over the whole horizon, beside the index over the same days. Nothing in it depends
/// on what came after [`DecisionScore::until`]. Returns are fractions (0.05 is 5 %), losses are negative, rounded to 6
/// decimals, halves away from zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionScore {
    /// Calendar days that the horizon has.
    pub horizon_days: u32,
    /// The day of the first close after the decision.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub from: Date,
    /// That close, in the currency of the prices, a share as it was on [`DecisionScore::until`].
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub from_close: Decimal,
    /// The day of the first close on which the whole horizon had passed: the outcome became known on it.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub until: Date,
    /// That close.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub until_close: Decimal,
    /// The stock's return between the two closes.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub stock_return: Decimal,
    /// The index's return over the same days.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub index_return: Measured<Decimal>,
    /// The stock's return less the index's.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub excess: Measured<Decimal>,
    /// The highest close on the way, against the first; never below zero.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub best: Decimal,
    /// The lowest close on the way, against the first; never above zero.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub worst: Decimal,
    /// Trading days from the first close to the highest.
    pub days_to_peak: u32,
    /// The largest changes from one close to the next, at most three, the largest first.
    pub largest_moves: Vec<DayMove>,
    /// Whose prices they are, and what these are adjusted for.
    pub source: String,
}

/// A change from one close to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayMove {
    /// The day of the later close.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The change, a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub change: Decimal,
}

/// What the outcome says of a rating. The index decides, not the stock alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LessonVerdict {
    /// Buy or Overweight, and the stock did better than the index; Sell or Underweight, and it did worse.
    BorneOut,
    /// The other way round.
    Refuted,
    /// The rating named no direction, the stock did as the index, or the index's return is not known.
    Open,
}

impl LessonVerdict {
    /// What an outcome says of a grade.
    pub fn of(grade: Grade, excess: &Measured<Decimal>) -> Self {
        let Some(excess) = excess.known().filter(|excess| !excess.is_zero()) else { return Self::Open };
        let rose = excess.is_sign_positive();
        match grade {
            Grade::Buy | Grade::Overweight if rose => Self::BorneOut,
            Grade::Sell | Grade::Underweight if !rose => Self::BorneOut,
            Grade::Buy | Grade::Overweight | Grade::Sell | Grade::Underweight => Self::Refuted,
            Grade::Hold | Grade::Review => Self::Open,
        }
    }
}

impl fmt::Display for LessonVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BorneOut => "borne out",
            Self::Refuted => "refuted",
            Self::Open => "neither",
        })
    }
}

/// What there is to learn from one decision. Of each stock and day there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lesson {
    /// The stock.
    pub ticker: Ticker,
    /// Its sector; empty if it is not known.
    pub sector: String,
    /// The day that the rating was as of.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub decided: Date,
    /// The grade that was given.
    pub grade: Grade,
    /// How sure the rating was.
    pub confidence: Confidence,
    /// The run that gave it.
    pub decided_by: RunId,
    /// What the rating said, in short.
    pub summary: String,
    /// What became of it.
    pub score: DecisionScore,
    /// What that says of the rating.
    pub verdict: LessonVerdict,
    /// When the lesson applies, in the model's words.
    pub situation: String,
    /// What to heed before a purchase, in the model's words.
    pub entry_advice: String,
    /// What to heed about what is held, in the model's words.
    pub exit_advice: String,
}

impl Lesson {
    /// The day on which the outcome became known. Runs as of earlier days are not told of the lesson.
    pub fn known(&self) -> Date {
        self.score.until
    }
}

/// What a reflection came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reflection {
    /// The day as of which it looked back.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// Calendar days that a decision is given.
    pub horizon_days: u32,
    /// What became of each decision that it took up, in order.
    pub decisions: Vec<ReflectedDecision>,
    /// Decisions whose horizon has passed by the calendar, and that cannot be scored.
    pub unscored: Vec<UnscoredDecision>,
    /// Decisions that are left for a later reflection.
    pub left: u32,
}

/// A decision that a reflection took up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReflectedDecision {
    /// The stock.
    pub ticker: Ticker,
    /// The day of the rating.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub decided: Date,
    /// The run that gave the rating.
    pub decided_by: RunId,
    /// How it ended.
    pub end: ReflectionEnd,
}

/// How the work on one decision ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReflectionEnd {
    /// There is a lesson now.
    Written {
        /// What the outcome says of the rating.
        verdict: LessonVerdict,
    },
    /// Another run has written it in the meantime.
    Known,
    /// There is none; the next reflection takes the decision up again.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A decision that cannot be scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnscoredDecision {
    /// The stock.
    pub ticker: Ticker,
    /// The day of the rating.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub decided: Date,
    /// Why there is no score.
    pub reason: String,
}

/// A lesson in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedLesson {
    /// The lesson.
    pub lesson: Lesson,
    /// The run that wrote it.
    pub written_by: RunId,
    /// How well it fits the words that were searched for: 0 or above, 3 decimals; `None` without a search. The
    /// documentation of the list says what it means.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub relevance: Option<Decimal>,
}

/// The lessons of an account: those that became known last first, or, where words are searched for, those that fit
/// best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonPage {
    /// The lessons.
    pub lessons: Vec<ListedLesson>,
    /// How many there are, or fit.
    pub total: u32,
}

/// Which lessons are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LessonFilter {
    /// Words, any of which may stand in the lesson; all lessons if empty.
    pub search: String,
    /// Only lessons that were known by this day.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize_option")]
    pub known_by: Option<Date>,
    /// At most this many; 100 if absent, 500 at most.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_from_the_direction_and_the_excess() {
        let excess = |text: &str| Measured::Known(text.parse().unwrap());
        for (grade, text, verdict) in [
            (Grade::Buy, "0.01", LessonVerdict::BorneOut),
            (Grade::Overweight, "-0.01", LessonVerdict::Refuted),
            (Grade::Sell, "-0.000001", LessonVerdict::BorneOut),
            (Grade::Underweight, "0.000001", LessonVerdict::Refuted),
            (Grade::Hold, "0.2", LessonVerdict::Open),
            (Grade::Buy, "0", LessonVerdict::Open),
        ] {
            assert_eq!(LessonVerdict::of(grade, &excess(text)), verdict, "{grade} {text}");
        }
        assert_eq!(
            LessonVerdict::of(Grade::Buy, &Measured::Unknown("no index".to_owned())),
            LessonVerdict::Open
        );
    }
}
