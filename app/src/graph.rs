//! The picture of a run's graph, apart from what draws it.

pub mod camera;
pub mod layout;
pub mod tree;
mod wire;
