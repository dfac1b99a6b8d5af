//! What crosses the wire, and what server and browser must agree on: ids, events,
//! the views folded from them, and the documents of the REST interface.
//!
//! Everything a person sees of a run is [`RunView`], a fold of the run's numbered
//! [`Event`]s. The server and the page use this one implementation.

mod account;
mod api;
mod date;
mod event;
mod figures;
mod frame;
mod id;
mod model;
mod money;
mod run;
mod steering;
mod text;
mod time;
mod totals;
mod trading;
mod view;

pub use account::*;
pub use api::*;
pub use date::{month_name, parse_date};
pub use event::*;
pub use frame::*;
pub use id::*;
pub use jiff::civil::Date;
pub use model::*;
pub use money::*;
pub use run::*;
pub use rust_decimal::Decimal;
pub use steering::*;
pub use text::*;
pub use time::*;
pub use totals::*;
pub use trading::*;
pub use view::*;
