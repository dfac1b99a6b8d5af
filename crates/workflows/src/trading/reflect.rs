//! The reflection: the account's ratings whose outcome is known by a day, and a lesson from each.

mod answer;
mod conclude;
mod facts;
mod find;
mod graph;
mod hindsight;
mod state;
mod write;

pub use answer::{LessonAnswer, read_lesson};
pub(super) use facts::LessonFacts;
pub(super) use graph::graph;
pub(super) use hindsight::Hindsight;
pub(super) use write::AUTHOR;
