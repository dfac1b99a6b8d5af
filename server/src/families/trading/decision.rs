//! A decision of a portfolio's run as a whole, by REST and for its page.

use app::families::trading::backend::TradingBackend;
use axum::Json;
use backend::Backend;
use protocol::{
    Problem, RunId,
    trading::{DecisionReport, PortfolioId},
};
use workflows::trading::decision_report;

use super::from_desk;
use crate::{
    problem::{from_journal, no_such},
    rest::{Path, Reply},
    scope::Scoped,
};

/// Reads the decision of a run that the caller may read.
///
/// # Errors
/// 404 for any other run, and for one that decides nothing for a portfolio; the log cannot be read.
pub(super) async fn read(service: &Scoped, run: RunId) -> Result<DecisionReport, Problem> {
    let view = service.run(run).await?;
    let named = view.summary.request.workflow.text("portfolio");
    let portfolio = named.and_then(|named| named.parse::<PortfolioId>().ok());
    // Whoever was shown the run alone sees nothing that its portfolio did afterwards. A file's run is nobody's trade.
    let is_own = view.summary.imported_from.is_none();
    let portfolio = portfolio.filter(|id| is_own && service.caller().owns_portfolio(id));
    let desk = &service.service().own.trading.desk;
    let ledger = match portfolio.filter(|id| desk.knows(id)) {
        Some(id) => desk.orders(&id).await.map_err(from_desk)?,
        None => Vec::new(),
    };
    let report = decision_report(&service.service().journal, view, &ledger).await.map_err(from_journal)?;
    report.ok_or_else(|| Problem::not_found("This run decides nothing for a portfolio."))
}

/// What a portfolio's run was told, decided and did
#[utoipa::path(get, path = "/api/v1/decisions/{decision}", params(("decision" = RunId, Path, description = "Run id of the portfolio run")), responses((status = 200, body = DecisionReport)))]
pub(super) async fn decision(service: Scoped, Path(run): Path<String>) -> Reply<DecisionReport> {
    Ok(Json(service.decision(run.parse().map_err(no_such)?).await?))
}
