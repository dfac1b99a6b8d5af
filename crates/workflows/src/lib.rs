//! The workflows, one folder a family: graphs, prompts, tools and rehearsal. Nothing here knows HTTP.
//!
//! - [`Family`], [`Families`]: what a family is, and all of them as the engine asks for them; [`Owner`]: whose
//!   runs they are
//! - [`agent`], [`node`], [`prompt`]: what agents and nodes of all families are made of
//! - [`Rehearsed`]: what all rehearsals have in common
//! - [`verify`]: what a run decided and booked, derived again from its log; [`Recorded`] is what families derive it from
//! - [`resolver`]: tasks that are planned, carried out step by step, and reported
//! - [`team`]: agent teams that people make or bring along
//! - [`trading`]: research on one stock, and the portfolio that trades on it
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod agent;
mod family;
mod measured;
pub mod node;
mod offered;
mod owner;
pub mod prompt;
mod recorded;
mod rehearsal;
mod trial;
mod verification;

pub mod resolver;
pub mod team;
pub mod trading;

pub use family::{Families, FamiliesError, Family, FamilyError, Form, Job, Refusal};
pub use owner::Owner;
pub use recorded::Recorded;
pub use rehearsal::Rehearsed;
pub use verification::{Check, Difference, Outcome, VerifiedRun, verify};
