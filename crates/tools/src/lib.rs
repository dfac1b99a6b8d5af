//! What agents may call, by name.
//!
//! - [`Tool`]: something that an agent may call, with a name, a description and a JSON schema of its arguments
//! - [`Registry`]: all tools of a server; [`Offer`]: those that one agent is offered, and the only way to call one
//! - [`mcp`]: tools of servers that speak the Model Context Protocol
//!
//! A model may ask for anything, and a foreign server may answer anything: names, schemas, arguments, results and
//! times are bounded here, whatever a tool does.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod bounds;
mod definition;
pub mod mcp;
mod offer;
mod registry;
mod schema;
mod tool;

pub use bounds::Bounds;
pub use definition::Definition;
pub use offer::Offer;
pub use registry::{NameTaken, Registry, Wanted};
pub use schema::{ArgumentSchema, SchemaError};
pub use tool::{Outcome, Tool};
