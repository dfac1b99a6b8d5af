//! The server functions of trading's pages.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

use leptos::prelude::*;
use protocol::{
    Date, RunId,
    trading::{
        BacktestReport, CreatePortfolio, DecisionReport, ImportPortfolio, LessonFilter, LessonPage, PortfolioId,
        PortfolioSettings, PortfolioSummary, PortfolioView, PriceSpan, RiskReport, StartingCsv, StartingPreview,
        StockReport, TablePreview, Ticker, TransferMoney,
    },
};

#[cfg(feature = "ssr")]
use super::backend::SharedTrading;
use crate::api::{ApiError, Caller, JsonText};
#[cfg(feature = "ssr")]
use crate::api::{answer, provided};

#[cfg(feature = "ssr")]
fn backend() -> Result<SharedTrading, ApiError> {
    provided()
}

/// All portfolios.
#[server(name = PortfoliosCall, prefix = "/rpc", endpoint = "portfolios", input = JsonText, output = JsonText, client = Caller)]
pub async fn portfolios() -> Result<Vec<PortfolioSummary>, ApiError> {
    answer(backend()?.portfolios().await)
}

/// Opens a portfolio.
#[server(name = CreatePortfolioCall, prefix = "/rpc", endpoint = "create_portfolio", input = JsonText, output = JsonText, client = Caller)]
pub async fn create_portfolio(request: CreatePortfolio) -> Result<PortfolioId, ApiError> {
    answer(backend()?.create_portfolio(request).await.map(|portfolio| portfolio.id))
}

/// What a table says that a portfolio begins with, and what is wrong with it. Nothing is opened.
#[server(name = PreviewPortfolioCall, prefix = "/rpc", endpoint = "preview_portfolio", input = JsonText, output = JsonText, client = Caller)]
pub async fn preview_portfolio(table: StartingCsv) -> Result<StartingPreview, ApiError> {
    answer(backend()?.preview_portfolio(table).await)
}

/// Opens a portfolio that begins with what a table says.
#[server(name = ImportPortfolioCall, prefix = "/rpc", endpoint = "import_portfolio", input = JsonText, output = JsonText, client = Caller)]
pub async fn import_portfolio(request: ImportPortfolio) -> Result<PortfolioId, ApiError> {
    answer(backend()?.import_portfolio(request).await.map(|portfolio| portfolio.id))
}

/// A portfolio at the prices of `as_of`, or of the day of its last entry.
#[server(name = PortfolioCall, prefix = "/rpc", endpoint = "portfolio", input = JsonText, output = JsonText, client = Caller)]
pub async fn portfolio(id: PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, ApiError> {
    answer(backend()?.portfolio(id, as_of).await)
}

/// Lets a portfolio trade by other rules from now on.
#[server(name = ConfigurePortfolioCall, prefix = "/rpc", endpoint = "configure_portfolio", input = JsonText, output = JsonText, client = Caller)]
pub async fn configure_portfolio(
    id: PortfolioId,
    settings: PortfolioSettings,
) -> Result<PortfolioView, ApiError> {
    answer(backend()?.configure_portfolio(id, settings).await)
}

/// Pays money into a portfolio, or takes it out.
#[server(name = TransferMoneyCall, prefix = "/rpc", endpoint = "transfer_money", input = JsonText, output = JsonText, client = Caller)]
pub async fn transfer_money(id: PortfolioId, transfer: TransferMoney) -> Result<PortfolioView, ApiError> {
    answer(backend()?.transfer_money(id, transfer).await)
}

/// The risk figures of a portfolio over all its days.
#[server(name = RiskCall, prefix = "/rpc", endpoint = "portfolio_risk", input = JsonText, output = JsonText, client = Caller)]
pub async fn risk(id: PortfolioId) -> Result<RiskReport, ApiError> {
    answer(backend()?.risk(id).await)
}

/// What is known of a stock, with its prices over a span of time.
#[server(name = StockCall, prefix = "/rpc", endpoint = "stock", input = JsonText, output = JsonText, client = Caller)]
pub async fn stock(ticker: Ticker, span: PriceSpan) -> Result<StockReport, ApiError> {
    answer(backend()?.stock(ticker, span).await)
}

/// What a portfolio's run was told, decided and did, as far as it has come.
#[server(name = DecisionCall, prefix = "/rpc", endpoint = "decision", input = JsonText, output = JsonText, client = Caller)]
pub async fn decision(run: RunId) -> Result<DecisionReport, ApiError> {
    answer(backend()?.decision(run).await)
}

/// A backtest, as far as it has come.
#[server(name = BacktestCall, prefix = "/rpc", endpoint = "backtest", input = JsonText, output = JsonText, client = Caller)]
pub async fn backtest(run: RunId) -> Result<BacktestReport, ApiError> {
    answer(backend()?.backtest(run).await)
}

/// The account's lessons.
#[server(name = LessonsCall, prefix = "/rpc", endpoint = "lessons", input = JsonText, output = JsonText, client = Caller)]
pub async fn lessons(filter: LessonFilter) -> Result<LessonPage, ApiError> {
    answer(backend()?.lessons(filter).await)
}

/// What is in a table of own prices, and what is wrong with it. Nothing is kept.
#[server(name = PreviewPricesCall, prefix = "/rpc", endpoint = "preview_prices", input = JsonText, output = JsonText, client = Caller)]
pub async fn preview_prices(csv: String) -> Result<TablePreview, ApiError> {
    answer(backend()?.preview_prices(csv).await)
}
