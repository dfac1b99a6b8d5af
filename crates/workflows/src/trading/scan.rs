//! The scan of the market: three scanners side by side, smart money after the sectors, one deep dive into industries
//! once all of them have reported, and a synthesis that proposes stocks.

mod answer;
mod deep_dive;
pub(super) mod facts;
mod figures;
mod geopolitics;
mod graph;
mod market_day;
mod movers;
mod regime;
mod report;
mod sectors;
mod smart_money;
mod state;
mod synthesis;

pub use answer::{Choice, ScanAnswer, read_scan};
pub(super) use geopolitics::shown;
pub(super) use graph::graph;
pub(super) use market_day::MarketDay;
pub use regime::{Series, judge};
