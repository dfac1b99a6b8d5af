//! What a run is about, and what its agents are told of it.

use std::sync::Arc;

use engine::{NodeContext, NodeError, State};
use market::Market;
use protocol::{Date, trading::Ticker};
use serde_json::json;

use super::{debate::headline, state};
use crate::{
    prompt::Prompt,
    trading::{
        facts::{CaseFacts, LastPoint},
        holdings::{ChosenPortfolio, PortfolioBrief, portfolio_section},
        memory::{Case, Lessons, LessonsForCase, lessons_section, recall},
        prompts::prompt,
    },
};

/// The stock and the day of a run.
#[derive(Clone)]
pub(in crate::trading) struct Subject {
    pub ticker: Ticker,
    pub date: Date,
    pub market: Arc<Market>,
    pub lessons: Arc<Lessons>,
    /// The portfolio that the analysis is made for.
    pub portfolio: Option<ChosenPortfolio>,
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

    /// Looks for the lessons of earlier decisions that fit what the analysts found.
    pub(super) async fn recall(&self, node: &NodeContext) -> Result<LessonsForCase, NodeError> {
        let (ticker, day) = (&self.ticker, self.date);
        let sector = self.market.instrument(ticker).map_or("", |known| known.sector.as_str());
        let reports =
            [state::MARKET_REPORT, state::SENTIMENT_REPORT, state::NEWS_REPORT, state::FUNDAMENTALS_REPORT];
        // What the reports begin with; with all of their words every lesson would be like every case.
        let reports = reports.map(|report| headline(node.state().text(report)));
        let situation = format!("{sector}\n{}", reports.join("\n"));
        let case = Case { day, tickers: std::slice::from_ref(ticker), situation: &situation };
        recall(node, &self.lessons, &json!({ "ticker": ticker, "date": day }), &case).await
    }

    /// The lessons as agents read them.
    pub(super) fn lessons(&self, state: &State) -> Result<String, NodeError> {
        let lessons: Option<LessonsForCase> = state.get(state::LESSONS)?;
        Ok(lessons_section(lessons.as_ref(), self.date))
    }

    /// Reads the portfolio, if one was chosen.
    pub(super) async fn read_portfolio(
        &self,
        node: &NodeContext,
    ) -> Result<Option<PortfolioBrief>, NodeError> {
        match &self.portfolio {
            Some(portfolio) => portfolio.read(node, self.date).await.map(Some),
            None => Ok(None),
        }
    }

    /// The portfolio as agents read it.
    pub(super) fn holdings(&self, state: &State) -> Result<String, NodeError> {
        // Where nothing stands, nobody looked; where null stands, none was chosen.
        let portfolio: Option<Option<PortfolioBrief>> = state.get(state::PORTFOLIO)?;
        Ok(portfolio_section(portfolio.as_ref(), Some(&self.ticker)))
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
