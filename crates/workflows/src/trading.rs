//! Trading research: a pipeline that rates one stock, and a portfolio run that trades on ratings.
//!
//! - [`Desk`]: the portfolios
//! - [`Trading`]: plans both kinds of run
//! - [`rehearsal`]: the stand-in that plays all agents, and the rules it follows

mod desk;
pub mod facts;
pub mod pipeline;
mod portfolio_run;
mod prompts;
pub mod rehearsal;
pub mod tools;

use std::sync::Arc;

use engine::{Plan, Workflows};
use journal::Journal;
use llm::{ChatModel, Missing, ModelRegistry, Rehearsal};
use market::PriceVendor;
use protocol::{AccountId, Date, ModelChoice, RunId, RunRequest, Workflow};

pub use desk::{Desk, DeskError};
use pipeline::Subject;
pub use pipeline::read_rating;
use portfolio_run::Task;
pub use portfolio_run::read_decision;
use rehearsal::TradingRehearsal;
use tools::Sources;

/// Plans the trading workflows.
pub struct Trading {
    journal: Journal,
    desk: Arc<Desk>,
    sources: Sources,
    models: ModelRegistry,
    rehearsal_speed: Option<u32>,
}

impl Trading {
    /// The workflows with prices alone: no news and no fundamentals.
    ///
    /// Runs are answered by one of `models`, or by the rehearsal where there is none. It writes at
    /// `rehearsal_speed` characters a second, or at its own pace.
    pub fn new(
        journal: Journal,
        desk: Arc<Desk>,
        prices: Arc<dyn PriceVendor>,
        models: ModelRegistry,
        rehearsal_speed: Option<u32>,
    ) -> Self {
        let sources = Sources::of_prices(prices);
        Self { journal, desk, sources, models, rehearsal_speed }
    }

    /// The same with other sources of data.
    #[must_use]
    pub fn with_sources(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    fn answering(&self, choice: &ModelChoice) -> Arc<dyn ChatModel> {
        let speed = match choice {
            ModelChoice::Configured => match self.models.configured() {
                Some(model) => return model.clone(),
                None => self.rehearsal_speed,
            },
            ModelChoice::Profile { name } => {
                let known = self.models.named(name).cloned();
                return known.unwrap_or_else(|| Arc::new(Missing(name.clone())));
            }
            ModelChoice::Rehearsal { characters_per_second } => {
                characters_per_second.or(self.rehearsal_speed)
            }
        };
        Arc::new(Rehearsal::new(Arc::new(TradingRehearsal), speed))
    }

    fn check_date(&self, date: Date) -> Result<(), String> {
        let (first, last) = (self.sources.prices.first_date(), self.sources.prices.last_date());
        if (first..=last).contains(&date) {
            return Ok(());
        }
        Err(format!(
            "There are no prices as of {date}: they run from {first} to {last}. Choose a date between."
        ))
    }
}

impl Workflows for Trading {
    fn plan(&self, _: RunId, request: &RunRequest, owner: &AccountId) -> Result<Plan, String> {
        if let Some(date) = request.workflow.date() {
            self.check_date(date)?;
        }
        if let ModelChoice::Profile { name } = &request.model
            && self.models.named(name).is_none()
        {
            return Err(format!("The settings name no model {name}. Choose one that is listed."));
        }
        let graph = match &request.workflow {
            Workflow::Pipeline { ticker, date, analysts } => {
                if self.sources.prices.instrument(ticker).is_none() {
                    return Err(format!(
                        "There are no prices of {ticker}. Choose one of the instruments on offer."
                    ));
                }
                let subject = Subject { ticker: ticker.clone(), date: *date, sources: self.sources.clone() };
                pipeline::graph(&subject, analysts)?
            }
            Workflow::Portfolio { portfolio, date } => {
                let is_own = portfolio.owner().as_ref() == Some(owner);
                if !is_own || !self.desk.knows(portfolio) {
                    return Err(format!(
                        "There is no portfolio {portfolio}. Create it first, or check the id."
                    ));
                }
                portfolio_run::graph(&Task {
                    portfolio: portfolio.clone(),
                    date: *date,
                    flow: request.flow.clone(),
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                    sources: self.sources.clone(),
                })?
            }
            Workflow::Unknown(unknown) => {
                return Err(format!(
                    "This version of Pitwall knows no workflow of the kind {}.",
                    unknown.kind
                ));
            }
        };
        Ok(Plan { graph, model: self.answering(&request.model) })
    }

    fn model(&self, request: &RunRequest) -> Arc<dyn ChatModel> {
        self.answering(&request.model)
    }
}
