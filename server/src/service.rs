//! The service that pages, REST and the routes of other systems share.

use std::{collections::BTreeSet, sync::Arc};

use accounts::Accounts;
use bytes::Bytes;
use engine::Engine;
use futures::Stream;
use journal::Journal;
use llm::ModelRegistry;
use market::PriceVendor;
use protocol::{
    AccountId, Analyst, Approval, CallId, CreatePortfolio, Date, Digest, FlowId, ForkRun, GivenAnswer,
    InputReceived, NodeAdded, PlannedNode, PortfolioId, PortfolioSummary, PortfolioView, Problem,
    RunAccepted, RunFilter, RunId, RunPage, RunRequest, RunStopped, RunSummary, RunView, ServerStatus,
    StartOptions, StartRun, Tier, Workflow,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use workflows::trading::{Desk, DeskError};

use crate::{
    peer::Sockets,
    problem::{from_accounts, from_engine, from_journal, no_run},
    transfer,
};

/// The most events of one request.
pub const MOST_EVENTS: u32 = 1000;
/// Bytes of a question beside a run.
const LONGEST_QUESTION: usize = 8 * 1024;

/// The state that all handlers share.
pub struct Service {
    /// The log.
    pub journal: Journal,
    /// Runs at work.
    pub engine: Engine,
    /// Portfolios.
    pub desk: Arc<Desk>,
    /// Prices.
    pub prices: Arc<dyn PriceVendor>,
    /// Accounts and credentials.
    pub accounts: Accounts,
    /// The models that can answer runs; without any, the rehearsal answers.
    pub models: ModelRegistry,
    /// Cancelled on shutdown; sockets close then.
    pub shutdown: CancellationToken,
    /// Open sockets and polls.
    pub sockets: Sockets,
}

impl Service {
    /// What this account can start runs with.
    pub fn start_options(&self, portfolios: Vec<PortfolioSummary>, account: &AccountId) -> StartOptions {
        StartOptions {
            instruments: self.prices.instruments().to_vec(),
            first_date: self.prices.first_date(),
            last_date: self.prices.last_date(),
            analysts: Analyst::all(),
            nodes: self.planned_nodes(&portfolios, account),
            portfolios,
            configured_model: self.models.configured().map(|model| model.model(Tier::Deep)),
            profiles: self.models.profiles().filter_map(|profile| profile.name.clone()).collect(),
        }
    }

    /// Why the server cannot work any more.
    pub fn death(&self) -> Option<String> {
        match self.journal.death() {
            Some(error) => Some(error.to_string()),
            None if !self.engine.is_open() => Some("The server ends and takes no more work.".to_owned()),
            None => None,
        }
    }

    /// The server's status.
    pub fn status(&self) -> ServerStatus {
        ServerStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            active_runs: self.engine.active_runs(),
            sockets: self.sockets.count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
            trouble: self.journal.trouble().borrow().as_ref().map(ToString::to_string),
        }
    }

    /// Starts a run in the request's flow, or in a new one.
    pub async fn start(&self, request: StartRun, owner: AccountId) -> Result<RunAccepted, Problem> {
        let request = request.in_flow(new_flow());
        let flow = request.flow.clone();
        let run = self.engine.start(request, owner).await.map_err(from_engine)?;
        Ok(RunAccepted { run, flow })
    }

    /// Stops a run on a person's behalf.
    pub async fn stop(&self, run: RunId, by: AccountId, reason: Option<&str>) -> Result<RunStopped, Problem> {
        let ended = self.engine.stop(run, by, reason).await.map_err(from_engine)?;
        Ok(RunStopped { ended })
    }

    /// Deletes a run that is over, with its shares.
    pub async fn delete_run(&self, run: RunId) -> Result<(), Problem> {
        self.journal.remove(vec![run]).await.map_err(from_journal)?;
        self.accounts.end_shares_of(run).await.map_err(from_accounts)
    }

    /// A run as JSON Lines, streamed.
    pub fn export_json_lines(&self, run: RunId) -> impl Stream<Item = Result<Bytes, Problem>> + Send + use<> {
        transfer::to_json_lines(self.journal.clone(), run)
    }

    /// A run as one HTML file.
    pub async fn export_html(&self, run: RunId) -> Result<String, Problem> {
        transfer::to_html(&self.journal, run).await
    }

    /// Imports a run that was exported as JSON Lines.
    pub async fn import(&self, file: &str, owner: AccountId) -> Result<RunAccepted, Problem> {
        let run = transfer::import(&self.journal, file, owner).await?;
        let summary = self.summary(run).await?.ok_or_else(|| no_run(run))?;
        Ok(RunAccepted { run, flow: summary.request.flow })
    }

    /// An account's runs, newest first.
    pub async fn runs(&self, filter: &RunFilter, owner: &AccountId) -> Result<RunPage, Problem> {
        self.journal.summaries(filter, Some(owner)).await.map_err(from_journal)
    }

    /// One run's summary.
    pub async fn summary(&self, run: RunId) -> Result<Option<RunSummary>, Problem> {
        self.journal.summary(run).await.map_err(from_journal)
    }

    /// The fold of a run's log up to event `seq`; the first event is always part of it.
    pub async fn fold(&self, run: RunId, seq: u64) -> Result<RunView, Problem> {
        self.journal.fold(run, seq).await.map_err(from_journal)?.ok_or_else(|| no_run(run))
    }

    /// Answers a question of a run.
    pub async fn answer(
        &self,
        run: RunId,
        input: CallId,
        answer: GivenAnswer,
        by: AccountId,
    ) -> Result<(), Problem> {
        let received = InputReceived { input, answer: answer.into(), by: Some(by) };
        self.engine.answer(run, received).await.map_err(from_engine)
    }

    /// Changes before which nodes a run pauses.
    pub async fn set_approval(&self, run: RunId, approval: Approval, by: AccountId) -> Result<(), Problem> {
        self.engine.set_approval(run, approval, by).await.map_err(from_engine)
    }

    /// Continues a run in a new one.
    pub async fn fork_run(
        &self,
        run: RunId,
        request: ForkRun,
        owner: AccountId,
    ) -> Result<RunAccepted, Problem> {
        let fork = self.engine.fork(run, request, owner).await.map_err(from_engine)?;
        let summary = self.summary(fork).await?.ok_or_else(|| no_run(fork))?;
        Ok(RunAccepted { run: fork, flow: summary.request.flow })
    }

    /// Asks a question beside a run, and returns its number.
    pub async fn chat(&self, run: RunId, question: &str, by: AccountId) -> Result<u32, Problem> {
        let question = question.trim();
        if question.is_empty() || question.len() > LONGEST_QUESTION {
            return Err(Problem::invalid("A question must have 1 to 8,192 bytes."));
        }
        self.engine.chat(run, question, by).await.map_err(from_engine)
    }

    /// A long text of a run.
    pub async fn text(&self, run: RunId, digest: Digest) -> Result<String, Problem> {
        let text = self.journal.text(run, &digest).await.map_err(from_journal)?;
        text.ok_or_else(|| Problem::not_found(format!("Run {run} has no text {digest}.")))
    }

    /// The portfolios that are an account's own.
    pub async fn portfolios(
        &self,
        is_own: impl Fn(&PortfolioId) -> bool,
    ) -> Result<Vec<PortfolioSummary>, Problem> {
        self.desk.list(is_own).await.map_err(from_desk)
    }

    /// Opens a portfolio.
    pub async fn create_portfolio(
        &self,
        id: PortfolioId,
        request: &CreatePortfolio,
    ) -> Result<PortfolioView, Problem> {
        self.desk.open(id.clone(), &request.name, request.cash).await.map_err(from_desk)?;
        self.portfolio_view(&id, None).await
    }

    /// A portfolio at the prices of `as_of`, or of the day of its last decision.
    pub async fn portfolio_view(
        &self,
        id: &PortfolioId,
        as_of: Option<Date>,
    ) -> Result<PortfolioView, Problem> {
        self.desk.view(id, as_of).await.map_err(from_desk)
    }

    /// The nodes of both kinds of run, for the start form. A kind that cannot be planned at present has none.
    fn planned_nodes(&self, portfolios: &[PortfolioSummary], account: &AccountId) -> Vec<PlannedNode> {
        let date = self.prices.last_date();
        let pipeline = self.prices.instruments().first().map(|instrument| Workflow::Pipeline {
            ticker: instrument.ticker.clone(),
            date,
            analysts: Analyst::all(),
        });
        let portfolio =
            portfolios.first().map(|portfolio| Workflow::Portfolio { portfolio: portfolio.id.clone(), date });
        let nodes_of = |workflow: Workflow| {
            let kind = workflow.kind();
            let request = RunRequest::new(workflow, new_flow());
            let nodes = self.engine.planned(&request, account).unwrap_or_default();
            nodes.into_iter().map(move |NodeAdded { id, label, phase, .. }| PlannedNode {
                kind,
                id,
                label,
                phase,
            })
        };
        [pipeline, portfolio].into_iter().flatten().flat_map(nodes_of).collect()
    }

    /// Number of a run's last event.
    pub async fn last_seq(&self, run: RunId) -> Result<u64, Problem> {
        self.journal.last_seq(run).await.map_err(from_journal)?.ok_or_else(|| no_run(run))
    }
}

/// A new random flow id.
fn new_flow() -> FlowId {
    let random = Uuid::now_v7().simple().to_string();
    // The last 8 of the 32 hexadecimal digits are random; they are always a valid id.
    random[24..].parse().unwrap_or_else(|_| unreachable!("hexadecimal digits make a flow id"))
}

/// An id made from a name: `Growth & income` becomes `growth_income`, then `growth_income_2`.
///
/// `full` makes the complete id of one that an account names.
pub fn portfolio_id(
    name: &str,
    taken: &BTreeSet<PortfolioId>,
    full: impl Fn(&PortfolioId) -> Option<PortfolioId>,
) -> Result<PortfolioId, Problem> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("_").to_ascii_lowercase().chars().take(24).collect();
    let candidates = (1..1000).filter_map(|number| match number {
        1 => full(&slug.parse().ok()?),
        number => full(&format!("{slug}_{number}").parse().ok()?),
    });
    candidates.into_iter().find(|id| !taken.contains(id)).ok_or_else(|| {
        Problem::invalid("The portfolio's name needs at least one letter or digit of a-z, 0-9.")
    })
}

fn from_desk(error: DeskError) -> Problem {
    let detail = error.to_string();
    match error {
        DeskError::NotFound(_) => Problem::not_found(detail),
        DeskError::Exists(_) => Problem::conflict(detail),
        DeskError::Invalid(_) => Problem::invalid(detail),
        DeskError::Journal(error) => from_journal(error),
        _ => Problem::internal(detail),
    }
}
