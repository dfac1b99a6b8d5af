//! What is learnt from earlier ratings, and which of it an agent is told.
//!
//! A lesson is a product of a `reflect` run: the log is where it lives, and nothing else keeps it. [`Lessons`] reads the
//! logs of an account; [`choice`] picks what fits a case, among those alone whose outcome was known by the case's day,
//! so that a lesson that became known later changes nothing, not even the scores of the others.

pub(super) mod choice;
pub(super) mod due;
mod lessons;
mod outcome;
mod recall;
mod section;

pub(super) use choice::{Case, LessonsForCase};
pub use lessons::{Lessons, LessonsError, WrittenLesson};
pub use outcome::HORIZON_DAYS;
pub(super) use outcome::{NotScored, change, index_return, score_as_of};
pub(super) use recall::recall;
pub(super) use section::{LESSONS, lessons_section};
