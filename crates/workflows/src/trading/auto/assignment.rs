//! What a run is to do, and all that it works with.

use std::sync::Arc;

use journal::Journal;
use protocol::{
    Date, FlowId,
    trading::{Analyst, PortfolioId},
};

use crate::trading::{desk::Desk, own_prices::Prices};

/// The portfolio and the day of a run, and all that it works with.
#[derive(Clone)]
pub(in crate::trading) struct Assignment {
    pub portfolio: PortfolioId,
    pub date: Date,
    pub max_tickers: u32,
    pub max_concurrent_pipelines: u32,
    pub analysts: Vec<Analyst>,
    /// Whether scan and analyses are made again that the flow has already.
    pub force: bool,
    pub flow: FlowId,
    pub prices: Prices,
    pub desk: Arc<Desk>,
    pub journal: Journal,
}
