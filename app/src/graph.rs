//! Where the nodes of a run's graph stand.

pub mod layout;
