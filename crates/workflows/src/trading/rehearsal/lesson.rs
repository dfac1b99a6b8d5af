//! The author of lessons.

use protocol::{
    Decimal, percent, signed,
    trading::{Grade, LessonVerdict, Measured},
};
use serde_json::json;

use crate::trading::reflect::LessonFacts;

/// The least fall on the way, as a fraction, that a stop loss is advised for.
const DEEP: Decimal = Decimal::from_parts(10, 0, 0, true, 2);

/// A lesson, as JSON.
pub(super) fn lesson(facts: &LessonFacts) -> String {
    let LessonFacts { ticker, sector, grade, confidence, score, verdict, .. } = facts;
    let fraction = |value: Decimal| signed(percent(value, 2), value);
    let sector =
        if sector.is_empty() { "a fund or an index".to_owned() } else { format!("a stock of {sector}") };
    let situation =
        format!("{ticker}, {sector}, was rated {grade} with {confidence} confidence on its chart alone.");
    let against = match &score.excess {
        Measured::Known(excess) => format!("{} against the index", fraction(*excess)),
        Measured::Unknown(_) => format!("{}, with no index to compare it with", fraction(score.stock_return)),
    };
    let entry = match (verdict, grade) {
        (LessonVerdict::BorneOut, Grade::Buy | Grade::Overweight) => {
            "The trend carried on, so a purchase paid"
        }
        (LessonVerdict::BorneOut, _) => "Keeping away was right",
        (LessonVerdict::Refuted, Grade::Buy | Grade::Overweight) => {
            "The trend did not carry on: take a smaller position"
        }
        (LessonVerdict::Refuted, _) => {
            "Keeping away missed a recovery: wait for a confirmation before a sale"
        }
        (LessonVerdict::Open, _) => "The outcome speaks neither for nor against the rating",
    };
    let exit = if score.worst <= DEEP {
        format!("The close fell to {} on the way: a stop loss belongs to it.", fraction(score.worst))
    } else {
        format!(
            "The closes stayed between {} and {}: there was no reason for a hasty sale.",
            fraction(score.worst),
            fraction(score.best)
        )
    };
    json!({
        "situation": situation,
        "entry_advice": format!("{entry} ({against} in {} days). One outcome may be luck.", score.horizon_days),
        "exit_advice": exit,
    })
    .to_string()
}
