//! What the pages ask of the server. The server provides it through context; the pages
//! know nothing of databases or engines.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{
    Answer, Approval, CallId, CreatePortfolio, Date, Digest, Event, ForkRun, PortfolioId, PortfolioSummary,
    PortfolioView, Problem, RunAccepted, RunFilter, RunId, RunPage, RunView, StartOptions, StartRun,
};

/// The one service behind pages, REST and the other wires.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What the start form offers.
    async fn start_options(&self) -> Result<StartOptions, Problem>;
    /// Starts a run.
    async fn start_run(&self, request: StartRun) -> Result<RunAccepted, Problem>;
    /// Stops a run.
    async fn stop_run(&self, run: RunId, reason: Option<String>) -> Result<(), Problem>;
    /// Runs, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<RunPage, Problem>;
    /// The full present state of a run.
    async fn run(&self, run: RunId) -> Result<RunView, Problem>;
    /// Up to `limit` events after number `after`.
    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, Problem>;
    /// Answers a question of a run.
    async fn answer(&self, run: RunId, input: CallId, answer: Answer) -> Result<(), Problem>;
    /// Changes before which nodes a run pauses.
    async fn set_approval(&self, run: RunId, approval: Approval) -> Result<(), Problem>;
    /// Continues a run in a new one.
    async fn fork_run(&self, run: RunId, request: ForkRun) -> Result<RunAccepted, Problem>;
    /// Asks a question beside a run, and returns its number.
    async fn chat(&self, run: RunId, question: String) -> Result<u32, Problem>;
    /// A run as it was at event `seq`.
    async fn run_at(&self, run: RunId, seq: u64) -> Result<RunView, Problem>;
    /// A long text that the run's log shows a preview of.
    async fn text(&self, run: RunId, digest: Digest) -> Result<String, Problem>;
    /// All portfolios.
    async fn portfolios(&self) -> Result<Vec<PortfolioSummary>, Problem>;
    /// Opens a portfolio.
    async fn create_portfolio(&self, request: CreatePortfolio) -> Result<PortfolioView, Problem>;
    /// A portfolio at the prices of `as_of`, or of the day of its last entry.
    async fn portfolio(&self, id: PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, Problem>;
}

/// The service as it stands in the context.
pub type SharedBackend = Arc<dyn Backend>;
