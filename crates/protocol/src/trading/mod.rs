//! The documents of the trading family, which general code has no need of: what is asked for, what is
//! brought forth, and what its pages and wires show.

mod documents;
pub(crate) mod earlier;
mod id;
mod products;
mod task;

pub use documents::*;
pub use id::*;
pub use task::*;
