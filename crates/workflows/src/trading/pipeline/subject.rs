//! What a run is about, and what its agents are told of it.

use std::sync::Arc;

use engine::{NodeContext, NodeError, State};
use market::Market;
use protocol::{Date, trading::Ticker};

use super::state;
use crate::{
    prompt::Prompt,
    trading::{
        facts::{CaseFacts, LastPoint},
        prompts::prompt,
    },
};

/// The stock and the day of a run.
#[derive(Clone)]
pub(in crate::trading) struct Subject {
    pub ticker: Ticker,
    pub date: Date,
    pub market: Arc<Market>,
}

impl Subject {
    pub(super) fn header(&self) -> String {
        let instrument = self.market.instrument(&self.ticker);
        let name = instrument.map_or_else(String::new, |known| match known.sector.as_str() {
            "" => format!(" ({})", known.name),
            sector => format!(" ({}, {sector})", known.name),
        });
        format!("Stock: {}{name}. Day of the analysis: {}.", self.ticker, self.date)
    }

    /// What the state says about the case by now.
    pub(super) fn facts(
        &self,
        node: &NodeContext,
        last_point: Option<LastPoint>,
    ) -> Result<CaseFacts, NodeError> {
        let state = node.state();
        Ok(CaseFacts {
            ticker: self.ticker.clone(),
            date: self.date,
            round: node.visit(),
            market: state.get(state::MARKET_FIGURES)?,
            missing: state.get(state::MISSING)?.unwrap_or_default(),
            abort: state.get::<Option<String>>(state::ABORT)?.flatten(),
            last_point,
        })
    }

    /// A prompt with the analysts' reports in it.
    pub(super) fn prompt(&self, role: &'static str, state: &State) -> Prompt {
        prompt(role, self.header())
            .section("Market report", state.text(state::MARKET_REPORT))
            .section("Sentiment report", state.text(state::SENTIMENT_REPORT))
            .section("News report", state.text(state::NEWS_REPORT))
            .section("Fundamentals report", state.text(state::FUNDAMENTALS_REPORT))
    }
}
