//! Trading research: a scan that proposes stocks, a pipeline that rates one, and a portfolio run that trades on
//! ratings.
//!
//! - [`Desk`]: the portfolios
//! - [`Trading`]: the family
//! - [`StockPrices`]: what agents of other families may ask of the market
//! - [`rehearsal`]: the stand-in that plays all agents, and the rules it follows

mod auto;
mod desk;
pub mod facts;
mod flow;
mod forms;
mod gaps;
pub mod pipeline;
mod portfolio_run;
mod prices_tool;
mod prompts;
pub mod rehearsal;
pub mod scan;
mod seen;
pub mod tools;

use std::sync::Arc;

use async_trait::async_trait;
use journal::Journal;
use llm::Script;
use market::{Market, Why};
use protocol::{
    AccountId, Date, KindSpec, RunRequest,
    trading::{Analyst, PortfolioId, Task, Ticker},
};

use auto::Assignment;
use desk::no_prices_as_of;
pub use desk::{Desk, DeskError};
use pipeline::Subject;
pub use pipeline::read_rating;
use portfolio_run::Book;
pub use portfolio_run::read_decision;
pub use prices_tool::StockPrices;
use rehearsal::TradingRehearsal;
use scan::MarketDay;

use crate::{Family, FamilyError, Form, Job, Owner, Refusal, measured};

/// The trading family: analyses of stocks, and portfolios that trade on them.
pub struct Trading {
    journal: Journal,
    desk: Arc<Desk>,
    market: Arc<Market>,
}

impl Trading {
    /// The family with the data of this market.
    pub fn new(journal: Journal, desk: Arc<Desk>, market: Arc<Market>) -> Self {
        Self { journal, desk, market }
    }

    fn check_date(&self, date: Date) -> Result<(), Refusal> {
        let (first, last) = (self.market.first_date(), self.market.last_date());
        if (first..=last).contains(&date) {
            return Ok(());
        }
        Err(Refusal::Unusable(no_prices_as_of(date, first, last)))
    }

    /// Refuses a ticker without prices. What may have some, and cannot be asked at the moment, is no reason to refuse:
    /// a run that is taken up again has its prices in its log.
    async fn check_ticker(&self, ticker: &Ticker, date: Date) -> Result<(), Refusal> {
        if self.market.instrument(ticker).is_some() && !self.market.is_open() {
            return Ok(());
        }
        match self.market.prices(ticker, date).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.may_pass() => Ok(()),
            Err(refusal) => {
                let advice = match refusal.why {
                    Why::Empty => "Choose a later day, or another ticker.",
                    Why::Denied => "Choose another ticker, or look at the settings of the vendors.",
                    Why::Unknown | Why::Later(_) => "Check how it is spelt, or choose another.",
                };
                Err(Refusal::Unusable(format!(
                    "There are no prices of {ticker} as of {date}. {refusal} {advice}"
                )))
            }
        }
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
        forms::forms(&self.market, &portfolios)
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
                self.check_ticker(&ticker, date).await?;
                let subject = Subject { ticker: ticker.clone(), date, market: self.market.clone() };
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
                    market: self.market.clone(),
                });
                (Task::Portfolio { portfolio, date }, graph)
            }
            Task::Scan { date, max_tickers } => {
                check_count("stocks that a scan proposes", max_tickers, Task::MOST_TICKERS)?;
                let graph = scan::graph(&MarketDay { date, max_tickers, market: self.market.clone() });
                (Task::Scan { date, max_tickers }, graph)
            }
            Task::Auto { portfolio, date, max_tickers, max_concurrent_pipelines, analysts, force } => {
                check_count("stocks that a scan proposes", max_tickers, Task::MOST_TICKERS)?;
                check_count("analyses at the same time", max_concurrent_pipelines, Task::MOST_PIPELINES)?;
                let portfolio = self.portfolio(&portfolio, owner.account())?;
                let graph = auto::graph(&Assignment {
                    portfolio: portfolio.clone(),
                    date,
                    max_tickers,
                    max_concurrent_pipelines,
                    analysts: analysts.clone(),
                    force,
                    flow: request.flow.clone(),
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                });
                let task =
                    Task::Auto { portfolio, date, max_tickers, max_concurrent_pipelines, analysts, force };
                (task, graph)
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

/// Refuses a number that lies outside of what a run can do.
fn check_count(what: &str, count: u32, most: u32) -> Result<(), Refusal> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(Refusal::Unusable(format!("The number of {what} must be 1 to {most}; {count} was asked for.")))
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
