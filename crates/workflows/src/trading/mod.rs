//! Trading research: a scan that proposes stocks, a pipeline that rates one, a portfolio run that trades on ratings, and
//! a backtest that does so over a range of days.
//!
//! - [`Desk`]: the portfolios
//! - [`Trading`]: the family
//! - [`Lessons`]: what was learnt from earlier ratings
//! - [`StockPrices`]: what agents of other families may ask of the market
//! - [`rehearsal`]: the stand-in that plays all agents, and the rules it follows

mod auto;
mod backtest;
mod backtest_day;
mod backtest_form;
mod decision_report;
mod desk;
pub mod facts;
mod flow;
mod forms;
mod gaps;
mod holdings;
mod memory;
mod own_prices;
pub mod pipeline;
mod portfolio_run;
mod prices_tool;
mod prompts;
mod reflect;
pub mod rehearsal;
mod run_state;
pub mod scan;
mod seen;
mod starting_holdings;
mod stock_node;
mod stock_report;
mod ticker_check;
pub mod tools;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use journal::{Journal, JournalError};
use llm::Script;
use market::Market;
use protocol::{
    AccountId, Date, Decimal, FlowId, KindSpec, ParameterRemark, RunRequest, Workflow,
    document::{DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, DocumentReference},
    trading::{Analyst, BacktestDay, BacktestPlan, PortfolioId, PriceTable, Task, Ticker, TradingPrices},
};

use auto::Assignment;
use backtest::{Backtest, expected_decisions, most_decisions};
pub use decision_report::decision_report;
use desk::no_prices_as_of;
pub use desk::{Desk, DeskError};
use holdings::ChosenPortfolio;
pub use memory::{HORIZON_DAYS, Lessons, LessonsError, WrittenLesson};
use own_prices::Prices;
use pipeline::Subject;
pub use pipeline::read_rating;
use portfolio_run::Book;
pub use portfolio_run::read_decision;
pub use prices_tool::StockPrices;
use reflect::Hindsight;
pub use reflect::{LessonAnswer, read_lesson};
use rehearsal::TradingRehearsal;
use scan::MarketDay;
pub use stock_report::{StockReportError, StockReports};
use ticker_check::check_ticker;

use crate::{Check, Family, FamilyError, Form, Job, Owner, Recorded, Refusal, measured};

/// The most decisions of a backtest: five years, daily.
const MOST_DECISIONS: u32 = 1320;

/// The trading family: analyses of stocks, and portfolios that trade on them.
pub struct Trading {
    journal: Journal,
    desk: Arc<Desk>,
    market: Arc<Market>,
    lessons: Arc<Lessons>,
}

impl Trading {
    /// The family with the data of this market.
    pub fn new(journal: Journal, desk: Arc<Desk>, market: Arc<Market>) -> Self {
        let lessons = Arc::new(Lessons::new(journal.clone()));
        Self { journal, desk, market, lessons }
    }

    /// The same with lessons that others read as well, of the same journal.
    #[must_use]
    pub fn with_lessons(self, lessons: Arc<Lessons>) -> Self {
        Self { lessons, ..self }
    }

    /// What a run's prices come from.
    async fn prices(&self, task: &Task, request: &RunRequest, owner: &Owner) -> Result<Prices, Refusal> {
        let table = match task {
            Task::Pipeline { prices, .. } | Task::Scan { prices, .. } => *prices,
            Task::Backtest(plan) => plan.prices,
            Task::BacktestDay(day) => day.prices,
            Task::Reflect { .. } => None,
            Task::Auto { portfolio, prices, .. } => {
                self.trading_prices(*prices, portfolio, None, owner).await?
            }
            Task::Portfolio { portfolio, prices, .. } => {
                self.trading_prices(*prices, portfolio, Some(&request.flow), owner).await?
            }
        };
        Prices::open(&self.market, table, owner).await
    }

    /// The table that a run trades at: the one that it names, that of its flow's analyses, or that of its portfolio. A
    /// portfolio stays with its own: valued by one table today and by another tomorrow, its days would not add up.
    async fn trading_prices(
        &self,
        named: Option<TradingPrices>,
        portfolio: &PortfolioId,
        flow: Option<&FlowId>,
        owner: &Owner,
    ) -> Result<Option<DocumentReference>, Refusal> {
        let portfolio = self.portfolio(portfolio, owner.account())?;
        let own = self.desk.price_table(&portfolio).await.map_err(|error| match error {
            DeskError::Journal(error) => Refusal::Journal(error),
            error => Refusal::Unusable(error.to_string()),
        })?;
        let of_flow = match (named, flow) {
            (None, Some(flow)) => own_prices::of_flow(&self.journal, owner.account(), flow).await?,
            _ => None,
        };
        let newest = own.map(|own| DocumentReference { version: None, ..own });
        let of_flow = of_flow.filter(|of_flow| desk::keeps_to(own, of_flow.table()));
        let table = named.or(of_flow).map_or(newest, TradingPrices::table);
        match desk::keeps_to(own, table) {
            true => Ok(table),
            false => Err(Refusal::Unusable(desk::other_prices(&portfolio))),
        }
    }

    fn check_day(&self, day: &BacktestDay) -> Result<(), Refusal> {
        check_tickers(&day.tickers)?;
        check_count("analyses at the same time", day.max_concurrent_pipelines, Task::MOST_PIPELINES)
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
        let tables = match PriceTable::kind() {
            Some(kind) => owner.documents(&kind).await?,
            None => Vec::new(),
        };
        forms::forms(&self.market, &portfolios, &tables)
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
        let prices = self.prices(&task, request, owner).await?;
        let (market, table) = (prices.market.clone(), prices.table);
        check_date(&market, task.date())?;
        let (task, graph) = match task {
            Task::Pipeline { ticker, date, analysts, portfolio, .. } => {
                check_ticker(&market, &ticker, date).await?;
                let portfolio = portfolio.map(|named| self.portfolio(&named, owner.account())).transpose()?;
                let subject = Subject {
                    ticker: ticker.clone(),
                    date,
                    market,
                    lessons: self.lessons.clone(),
                    portfolio: portfolio.clone().map(|id| ChosenPortfolio {
                        id,
                        desk: self.desk.clone(),
                        prices,
                    }),
                };
                let graph = pipeline::graph(&subject, &analysts);
                (Task::Pipeline { ticker, date, analysts, portfolio, prices: table }, graph)
            }
            Task::Portfolio { portfolio, date, .. } => {
                let portfolio = self.portfolio(&portfolio, owner.account())?;
                let graph = portfolio_run::graph(&Book {
                    portfolio: portfolio.clone(),
                    date,
                    flow: request.flow.clone(),
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                    prices,
                    lessons: self.lessons.clone(),
                });
                (Task::Portfolio { portfolio, date, prices: Some(table.into()) }, graph)
            }
            Task::Scan { date, max_tickers, .. } => {
                check_count("stocks that a scan proposes", max_tickers, Task::MOST_TICKERS)?;
                let graph = scan::graph(&MarketDay { date, max_tickers, market });
                (Task::Scan { date, max_tickers, prices: table }, graph)
            }
            Task::Reflect { date, max_lessons } => {
                check_count("lessons that a reflection writes", max_lessons, Task::MOST_LESSONS)?;
                let graph = reflect::graph(&Hindsight {
                    date,
                    max_lessons,
                    journal: self.journal.clone(),
                    lessons: self.lessons.clone(),
                    market: self.market.clone(),
                });
                (Task::Reflect { date, max_lessons }, graph)
            }
            Task::Auto {
                portfolio, date, max_tickers, max_concurrent_pipelines, analysts, force, ..
            } => {
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
                    prices,
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                });
                let task = Task::Auto {
                    portfolio,
                    date,
                    max_tickers,
                    max_concurrent_pipelines,
                    analysts,
                    force,
                    prices: Some(table.into()),
                };
                (task, graph)
            }
            Task::Backtest(plan) => {
                check_backtest(&market, &plan).await?;
                let plan = BacktestPlan { prices: table, ..*plan };
                let constraints = plan.settings().limits;
                let expected = expected_decisions(&market, &plan).await;
                let graph = backtest::graph(&Backtest { plan: plan.clone(), market, constraints }, expected);
                (Task::Backtest(Box::new(plan)), graph)
            }
            Task::BacktestDay(day) => {
                self.check_day(&day)?;
                let book = Book {
                    portfolio: day.portfolio.id.clone(),
                    date: day.date,
                    flow: request.flow.clone(),
                    desk: self.desk.clone(),
                    journal: self.journal.clone(),
                    prices,
                    lessons: self.lessons.clone(),
                };
                let graph = backtest_day::graph(&day, &book);
                (Task::BacktestDay(day), graph)
            }
        };
        let graph = graph.map_err(Refusal::Unusable)?;
        Ok(Job {
            heading: task.heading(),
            workflow: task.into(),
            graph,
            profiles: std::collections::BTreeSet::new(),
        })
    }

    async fn remarks(&self, workflow: &Workflow, owner: &Owner) -> Result<Vec<ParameterRemark>, Refusal> {
        let table = workflow.text(own_prices::PARAMETER).filter(|named| !named.is_empty());
        let table = table.and_then(|named| named.parse().ok());
        let prices = Prices::open(&self.market, table, owner).await?;
        Ok(ticker_check::remarks(&prices.market, workflow).await)
    }

    async fn verify(&self, run: &Recorded, owner: &Owner) -> Result<Option<Vec<Check>>, JournalError> {
        let workflow = &run.summary().request.workflow;
        let task = match Task::read(workflow) {
            Some(Ok(task)) => task,
            Some(Err(error)) => {
                let why = format!("The run's parameters cannot be read: {error}.");
                return Ok(Some(vec![Check::unknown("what the run came to", why)]));
            }
            None => return Ok(None),
        };
        let checks = match task {
            Task::Pipeline { ticker, date, analysts, .. } => pipeline::verify(run, &ticker, date, &analysts),
            Task::Portfolio { portfolio, date, .. } => {
                portfolio_run::verify(run, &self.desk, &portfolio, date).await?
            }
            Task::Auto { .. } => auto::verify(run, &self.journal).await?,
            Task::Backtest(plan) => {
                let market = match Prices::open(&self.market, plan.prices, owner).await {
                    Ok(prices) => prices.market,
                    Err(refusal) => {
                        return Ok(Some(vec![Check::unknown("the backtest", refusal.to_string())]));
                    }
                };
                let constraints = plan.settings().limits;
                backtest::verify(run, &Backtest { plan: *plan, market, constraints }, &self.journal).await?
            }
            Task::BacktestDay(day) => backtest_day::verify(run, &day, &self.journal).await?,
            // What they come to is what models wrote.
            Task::Scan { .. } | Task::Reflect { .. } => return Ok(None),
        };
        Ok(Some(checks))
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(TradingRehearsal)
    }

    fn documents(&self) -> Vec<DocumentKindSpec> {
        own_prices::kinds()
    }

    fn check_document(&self, _kind: &DocumentKind, content: &DocumentContent) -> Vec<DocumentFinding> {
        own_prices::check(content)
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

/// Refuses a day that there are no prices as of.
fn check_date(market: &Market, date: Date) -> Result<(), Refusal> {
    let (first, last) = (market.first_date(), market.last_date());
    if (first..=last).contains(&date) {
        return Ok(());
    }
    Err(Refusal::Unusable(no_prices_as_of(date, first, last)))
}

/// Refuses a backtest that cannot be run: a range, stocks, money or rules that cannot be.
async fn check_backtest(market: &Market, plan: &BacktestPlan) -> Result<(), Refusal> {
    let BacktestPlan { tickers, from, to, rhythm, cash, analysts, .. } = plan;
    let refuse = |reason: String| Err(Refusal::Unusable(reason));
    check_date(market, *from)?;
    if from >= to {
        return refuse(format!(
            "A backtest from {from} to {to} has no days. Choose a last day after the first."
        ));
    }
    let decisions = most_decisions(*from, *to, *rhythm);
    if decisions > MOST_DECISIONS {
        return refuse(format!(
            "A {rhythm} backtest from {from} to {to} may have {decisions} decisions, more than {MOST_DECISIONS}. \
                 Choose a shorter range, or decide less often."
        ));
    }
    check_tickers(tickers)?;
    check_count("analyses at the same time", plan.max_concurrent_pipelines, Task::MOST_PIPELINES)?;
    if analysts.is_empty() {
        return refuse("No analyst is selected. Select at least one.".to_owned());
    }
    if *cash <= Decimal::ZERO || *cash > portfolio::MAX_AMOUNT || cash.normalize().scale() > 2 {
        return refuse(portfolio::PortfolioError::InvalidCash(*cash).to_string());
    }
    if let Err(error) = portfolio::check_settings(&plan.settings()) {
        return refuse(error.to_string());
    }
    for ticker in tickers {
        check_ticker(market, ticker, *to).await?;
    }
    Ok(())
}

/// Refuses stocks that a backtest cannot have.
fn check_tickers(tickers: &[Ticker]) -> Result<(), Refusal> {
    if tickers.is_empty() || tickers.len() > BacktestPlan::MOST_TICKERS {
        let (most, there) = (BacktestPlan::MOST_TICKERS, tickers.len());
        return Err(Refusal::Unusable(format!("A backtest has 1 to {most} stocks; {there} were asked for.")));
    }
    let mut known = BTreeSet::new();
    if let Some(twice) = tickers.iter().find(|ticker| !known.insert(*ticker)) {
        return Err(Refusal::Unusable(format!("{twice} is there twice. Name each stock once.")));
    }
    if let Some(index) = tickers.iter().find(|ticker| ticker.as_str().starts_with('^')) {
        return Err(Refusal::Unusable(format!(
            "{index} is an index, which cannot be bought. Choose stocks."
        )));
    }
    Ok(())
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
