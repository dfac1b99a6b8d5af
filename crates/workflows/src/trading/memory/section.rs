//! The lessons as an agent reads them.

use std::fmt::Write;

use protocol::{
    Date, percent, signed,
    trading::{Lesson, Measured},
};

use super::choice::{ChosenLesson, Fit, LessonsForCase};

/// The title of their section in a prompt.
pub(in crate::trading) const LESSONS: &str = "Lessons of earlier decisions";
/// Characters of each text of a lesson that are shown.
const LONGEST_TEXT: usize = 300;

/// The section's text for an agent that decides as of `day`: each lesson with its day and its outcome. `None`: an
/// earlier version of the run did not look for any.
pub(in crate::trading) fn lessons_section(lessons: Option<&LessonsForCase>, day: Date) -> String {
    let Some(lessons) = lessons else {
        return "They were not looked for in this run.".to_owned();
    };
    // A run that is continued as of an earlier day is not told what became known after it.
    let told: Vec<&ChosenLesson> =
        lessons.chosen.iter().filter(|chosen| chosen.lesson.known() <= day).collect();
    if told.is_empty() {
        return match lessons.known {
            0 => format!("None: by {day} the outcome of no earlier decision was known."),
            known => format!("None of the {known} that were known by {} fits this case.", lessons.day),
        };
    }
    let mut text =
        "Judge for yourself what they are worth here: they are hints, and no figures of this case.\n"
            .to_owned();
    for ChosenLesson { lesson, fit, .. } in told {
        let why = match fit {
            Fit::SameStock => "",
            Fit::Similar { .. } => " (another stock, a similar situation)",
        };
        let _ = writeln!(text, "- {}{why}", line(lesson));
    }
    text
}

fn line(lesson: &Lesson) -> String {
    let Lesson { ticker, decided, grade, confidence, score, verdict, .. } = lesson;
    let fraction = |value: &protocol::Decimal| signed(percent(*value, 2), *value);
    let against = match (&score.index_return, &score.excess) {
        (Measured::Known(index), Measured::Known(excess)) => {
            format!("the index {}, {} against it: {verdict}", fraction(index), fraction(excess))
        }
        (Measured::Unknown(reason), _) | (_, Measured::Unknown(reason)) => {
            format!("the index is not known ({})", in_a_line(reason))
        }
    };
    format!(
        "**{ticker}, {grade} of {decided} ({confidence} confidence), outcome known on {}**: {} from {} on, {against}. \
         When: {} Before a purchase: {} What is held: {}",
        score.until,
        fraction(&score.stock_return),
        score.from,
        in_a_line(&lesson.situation),
        in_a_line(&lesson.entry_advice),
        in_a_line(&lesson.exit_advice),
    )
}

/// A model's words in one line, so that they cannot pass for a section of the prompt.
fn in_a_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{} …", words[..end].trim_end()),
        None => words,
    }
}
