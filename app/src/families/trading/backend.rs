//! What trading's pages ask of the server.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{
    Date, Problem, RunId,
    trading::{
        BacktestReport, CreatePortfolio, DecisionReport, ImportPortfolio, LessonFilter, LessonPage, PortfolioId,
        PortfolioSettings, PortfolioSummary, PortfolioView, PriceSpan, RiskReport, StartingCsv, StartingPreview,
        StockReport, TablePreview, Ticker, TransferMoney,
    },
};

/// The portfolios, the stocks, the backtests and the lessons of whoever asks.
#[async_trait]
pub trait TradingBackend: Send + Sync {
    /// All portfolios.
    async fn portfolios(&self) -> Result<Vec<PortfolioSummary>, Problem>;
    /// Opens a portfolio.
    async fn create_portfolio(&self, request: CreatePortfolio) -> Result<PortfolioView, Problem>;
    /// What a table says that a portfolio begins with, and what is wrong with it. Nothing is opened.
    async fn preview_portfolio(&self, table: StartingCsv) -> Result<StartingPreview, Problem>;
    /// Opens a portfolio that begins with what a table says.
    async fn import_portfolio(&self, request: ImportPortfolio) -> Result<PortfolioView, Problem>;
    /// A portfolio at the prices of `as_of`, or of the day of its last entry.
    async fn portfolio(&self, id: PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, Problem>;
    /// Lets a portfolio trade by other rules from now on.
    async fn configure_portfolio(
        &self,
        id: PortfolioId,
        settings: PortfolioSettings,
    ) -> Result<PortfolioView, Problem>;
    /// Pays money into a portfolio, or takes it out.
    async fn transfer_money(&self, id: PortfolioId, transfer: TransferMoney)
    -> Result<PortfolioView, Problem>;
    /// The risk figures of a portfolio over all its days.
    async fn risk(&self, id: PortfolioId) -> Result<RiskReport, Problem>;
    /// What is known of a stock, with its prices over a span of time.
    async fn stock(&self, ticker: Ticker, span: PriceSpan) -> Result<StockReport, Problem>;
    /// What a portfolio's run was told, decided and did, as far as it has come.
    async fn decision(&self, run: RunId) -> Result<DecisionReport, Problem>;
    /// A backtest, as far as it has come.
    async fn backtest(&self, run: RunId) -> Result<BacktestReport, Problem>;
    /// The lessons that fit a filter.
    async fn lessons(&self, filter: LessonFilter) -> Result<LessonPage, Problem>;
    /// What is in a table of own prices, and what is wrong with it. Nothing is kept.
    async fn preview_prices(&self, csv: String) -> Result<TablePreview, Problem>;
}

/// It as it stands in the context.
pub type SharedTrading = Arc<dyn TradingBackend>;
