//! The research pipeline: analysts in parallel, a screen, two debates, a rating.

mod analysts;
mod debate;
mod graph;
mod plan;
mod rating;
mod screen;
pub mod state;
mod subject;
mod verify;

pub(super) use graph::graph;
pub use rating::{RatingAnswer, read_rating};
pub use screen::confidence_limit;
pub(super) use subject::Subject;
pub(super) use verify::verify;

/// Rounds of the research debate and of the risk debate.
pub const ROUNDS: u32 = 2;
