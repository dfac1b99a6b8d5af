//! What a backtest is to do, and all that it works with.

use std::{collections::BTreeMap, sync::Arc};

use market::Market;
use protocol::trading::{BacktestPlan, Constraints, Ticker};

use crate::trading::desk::BENCHMARK;

/// What is asked of a backtest, with the market that it happens in.
#[derive(Clone)]
pub(in crate::trading) struct Backtest {
    pub plan: BacktestPlan,
    pub market: Arc<Market>,
    /// The limits that purchases respect.
    pub constraints: Constraints,
}

impl Backtest {
    /// The stocks, and the index.
    pub(super) fn instruments(&self) -> Vec<Ticker> {
        let mut all = self.plan.tickers.clone();
        all.extend(benchmark().filter(|index| !self.plan.tickers.contains(index)));
        all
    }

    /// The sector of everything that is listed.
    pub(super) fn sectors(&self) -> BTreeMap<Ticker, String> {
        let listed = self.market.instruments().iter();
        listed.map(|instrument| (instrument.ticker.clone(), instrument.sector.clone())).collect()
    }
}

/// What portfolios are compared with.
pub(super) fn benchmark() -> Option<Ticker> {
    BENCHMARK.parse().ok()
}
