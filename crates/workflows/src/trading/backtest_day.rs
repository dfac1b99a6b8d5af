//! One day of a backtest, as a run that the backtest starts: the analyses of its stocks, each a run of its own, and the
//! decision on the portfolio as the backtest has it. It trades nothing: the backtest books what was decided.

mod analyse;
mod collect;
mod graph;
mod state;
mod verify;

pub(super) use graph::graph;
pub(super) use verify::verify;
