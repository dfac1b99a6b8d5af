//! The documents of the trading family, which general code has no need of: what is asked for, what is
//! brought forth, and what its pages and wires show.

mod auto;
mod backtest;
mod booking;
mod decision;
mod decision_report;
pub(crate) mod earlier;
mod id;
mod instrument;
mod lesson;
mod measured;
mod portfolio;
mod prices;
mod products;
mod rating;
mod risk;
mod scan;
mod settings;
mod statistics;
mod stock;
mod task;
mod thinned;

pub use auto::*;
pub use backtest::*;
pub use booking::*;
pub use decision::*;
pub use decision_report::*;
pub use id::*;
pub use instrument::*;
pub use lesson::*;
pub use measured::*;
pub use portfolio::*;
pub use prices::*;
pub use rating::*;
pub use risk::*;
pub use scan::*;
pub use settings::*;
pub use statistics::*;
pub use stock::*;
pub use task::*;
pub use thinned::*;
