//! What a run is about, and all that it works with.

use std::sync::Arc;

use engine::{NodeError, State};
use journal::Journal;
use market::{NoData, Why};
use protocol::{
    Date, FlowId,
    trading::{PortfolioId, Ticker},
};

use super::state;
use crate::trading::{
    desk::{Desk, DeskError},
    facts::MarketFacts,
    memory::{Lessons, LessonsForCase, lessons_section},
    own_prices::Prices,
    seen::{Seen, Served},
};

/// The portfolio and the day of a run, and all that it works with.
#[derive(Clone)]
pub(in crate::trading) struct Book {
    pub portfolio: PortfolioId,
    pub date: Date,
    pub flow: FlowId,
    pub desk: Arc<Desk>,
    pub journal: Journal,
    pub prices: Prices,
    pub lessons: Arc<Lessons>,
}

impl Book {
    pub(super) fn header(&self) -> String {
        format!("Portfolio: {}. Day of the decision: {}.", self.portfolio, self.date)
    }

    /// The lessons of earlier decisions as agents read them.
    pub(super) fn lessons(&self, state: &State) -> Result<String, NodeError> {
        let lessons: Option<LessonsForCase> = state.get(state::LESSONS)?;
        Ok(lessons_section(lessons.as_ref(), self.date))
    }

    /// The prices that the desk values an instrument at, for the data section of a report.
    pub(super) async fn seen(&self, agent: &str, ticker: &Ticker) -> Seen {
        match self.prices.market.prices(ticker, self.date).await {
            Ok(answer) => {
                let days = answer.data.days.iter().map(|price| price.date);
                Seen::of_prices(agent, ticker, Served::of_days(answer.source, days))
            }
            Err(refusal) => Seen::without(agent, &format!("prices {ticker}"), &refusal.to_string()),
        }
    }

    /// The figures of an instrument; `None` if there are no prices of it.
    pub(super) async fn figures(&self, ticker: &Ticker) -> Result<Option<MarketFacts>, NodeError> {
        match MarketFacts::measure(&self.prices.market, ticker, self.date).await {
            Ok(facts) => Ok(Some(facts)),
            Err(NoData { why: Why::Empty | Why::Unknown | Why::Denied, .. }) => Ok(None),
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
