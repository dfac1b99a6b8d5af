//! Trading research: a pipeline that rates one stock, and a portfolio run that trades on ratings.
//!
//! - [`Desk`]: the portfolios
//! - [`Trading`]: the family
//! - [`rehearsal`]: the stand-in that plays all agents, and the rules it follows

mod desk;
pub mod facts;
mod forms;
pub mod pipeline;
mod portfolio_run;
mod prompts;
pub mod rehearsal;
pub mod tools;

use std::sync::Arc;

use async_trait::async_trait;
use journal::Journal;
use llm::Script;
use market::PriceVendor;
use protocol::{
    AccountId, Date, KindSpec, RunRequest,
    trading::{Analyst, Instrument, PortfolioId, Task, Ticker},
};

pub use desk::{Desk, DeskError};
use pipeline::Subject;
pub use pipeline::read_rating;
use portfolio_run::Book;
pub use portfolio_run::read_decision;
use rehearsal::TradingRehearsal;
use tools::Sources;

use crate::{Family, FamilyError, Form, Job, Owner, Refusal};

/// The trading family: analyses of stocks, and portfolios that trade on them.
pub struct Trading {
    journal: Journal,
    desk: Arc<Desk>,
    sources: Sources,
}

impl Trading {
    /// The family with prices alone: no news and no fundamentals.
    pub fn new(journal: Journal, desk: Arc<Desk>, prices: Arc<dyn PriceVendor>) -> Self {
        Self { journal, desk, sources: Sources::of_prices(prices) }
    }

    /// The same with other sources of data.
    #[must_use]
    pub fn with_sources(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    fn check_date(&self, date: Date) -> Result<(), Refusal> {
        let (first, last) = (self.sources.prices.first_date(), self.sources.prices.last_date());
        if (first..=last).contains(&date) {
            return Ok(());
        }
        Err(Refusal::Unusable(format!(
            "There are no prices as of {date}: they run from {first} to {last}. Choose a date between."
        )))
    }

    fn instrument(&self, ticker: &Ticker) -> Result<&Instrument, Refusal> {
        self.sources.prices.instrument(ticker).ok_or_else(|| {
            Refusal::Unusable(format!(
                "There are no prices of {ticker}. Choose one of the instruments on offer."
            ))
        })
    }

    /// The whole id of what the owner calls so.
    fn portfolio(&self, named: &PortfolioId, owner: &AccountId) -> Result<PortfolioId, Refusal> {
        named.of(owner).filter(|id| self.desk.knows(id)).ok_or_else(|| {
            Refusal::Unusable(format!("There is no portfolio {named}. Create it first, or check the id."))
        })
    }
}

#[async_trait]
impl Family for Trading {
    fn kinds(&self) -> Vec<KindSpec> {
        forms::kinds()
    }

    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError> {
        let portfolios = self.desk.list(|id| id.owner().as_ref() == Some(owner.account())).await?;
        forms::forms(self.sources.prices.as_ref(), &portfolios)
    }

    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal> {
        let kind = request.workflow.kind();
        let task = match Task::read(&request.workflow) {
            Some(Ok(task)) => task,
            Some(Err(error)) => {
                return Err(Refusal::Parameters { kind: kind.clone(), why: error.to_string() });
            }
            None => return Err(Refusal::UnknownKind(kind.clone())),
        };
        self.check_date(task.date())?;
        let (task, graph) = match task {
            Task::Pipeline { ticker, date, analysts } => {
                self.instrument(&ticker)?;
                let subject = Subject { ticker: ticker.clone(), date, sources: self.sources.clone() };
                let graph = pipeline::graph(&subject, &analysts);
                (Task::Pipeline { ticker, date, analysts }, graph)
            }
            Task::Portfolio { portfolio, date } => {
                let portfolio = self.portfolio(&portfolio, owner.account())?;
                let graph = portfolio_run::graph(&Book {
                    portfolio: portfolio.clone(),
                    date,
                    flow: request.flow.clone(),
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                    sources: self.sources.clone(),
                });
                (Task::Portfolio { portfolio, date }, graph)
            }
        };
        let graph = graph.map_err(Refusal::Unusable)?;
        Ok(Job { heading: task.heading(), workflow: task.into(), graph })
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(TradingRehearsal)
    }
}

impl From<DeskError> for FamilyError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Journal(error) => Self::Journal(error),
            error => Self::Defect(error.to_string()),
        }
    }
}

/// The analysts' own words for what they study.
fn studies(analyst: Analyst) -> &'static str {
    match analyst {
        Analyst::Market => "prices and indicators",
        Analyst::Social => "what people say",
        Analyst::News => "company and world",
        Analyst::Fundamentals => "statements and ratios",
    }
}
