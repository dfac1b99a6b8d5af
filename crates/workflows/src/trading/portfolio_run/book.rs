//! What a run is about, and all that it works with.

use std::sync::Arc;

use engine::NodeError;
use journal::Journal;
use market::MarketError;
use protocol::{
    Date, FlowId,
    trading::{PortfolioId, Ticker},
};

use crate::trading::{
    desk::{Desk, DeskError},
    facts::MarketFacts,
    tools::Sources,
};

/// The portfolio and the day of a run, and all that it works with.
#[derive(Clone)]
pub(in crate::trading) struct Book {
    pub portfolio: PortfolioId,
    pub date: Date,
    pub flow: FlowId,
    pub desk: Arc<Desk>,
    pub journal: Journal,
    pub sources: Sources,
}

impl Book {
    pub(super) fn header(&self) -> String {
        format!("Portfolio: {}. Day of the decision: {}.", self.portfolio, self.date)
    }

    /// The figures of an instrument; `None` if there are no prices of it.
    pub(super) async fn figures(&self, ticker: &Ticker) -> Result<Option<MarketFacts>, NodeError> {
        match MarketFacts::measure(self.sources.prices.as_ref(), ticker, self.date).await {
            Ok(facts) => Ok(Some(facts)),
            Err(MarketError::UnknownTicker { .. }) => Ok(None),
            Err(error) => Err(NodeError::failed(error.to_string())),
        }
    }
}

impl From<DeskError> for NodeError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Journal(error) => Self::Journal(error),
            error => Self::failed(error.to_string()),
        }
    }
}
