//! What an account knows of a stock, by REST and for its page.

use app::families::trading::backend::TradingBackend;
use axum::Json;
use protocol::{
    Problem,
    trading::{PriceSpan, StockReport, Ticker},
};
use serde::Deserialize;
use utoipa::IntoParams;
use workflows::trading::{StockReportError, StockReports};

use super::from_desk;
use crate::{
    problem::{from_journal, no_such},
    rest::{Path, Query, Reply},
    scope::Scoped,
};

/// Reads what the caller's account knows.
///
/// # Errors
/// 403: the caller owns nothing, and could only make the server ask its vendors. 404: nothing is known of such a stock.
pub(super) async fn read(service: &Scoped, ticker: &Ticker, span: PriceSpan) -> Result<StockReport, Problem> {
    let Some(owner) = service.caller().owner() else {
        return Err(Problem {
            status: 403,
            detail: "A stock is shown with an account's own analyses. Sign in with an account that has some."
                .to_owned(),
        });
    };
    let own = &service.service().own.trading;
    let reports = StockReports {
        journal: &service.service().journal,
        desk: &own.desk,
        market: &own.market,
        lessons: &own.lessons,
    };
    reports.of(owner, ticker, span).await.map_err(|error| match error {
        StockReportError::Unknown { .. } => Problem::not_found(error.to_string()),
        StockReportError::Journal(error) => from_journal(error),
        StockReportError::Desk(error) => from_desk(error),
    })
}

/// What is known of a stock
///
/// Its prices up to the newest day, the newest analyses with what they saw and what became of the stock afterwards, what
/// each portfolio has of it and ordered, and the lessons on it. Analyses that a backtest has made stand in its report.
#[utoipa::path(get, path = "/api/v1/stocks/{ticker}", params(("ticker" = Ticker, Path, description = "Symbol of the stock"), StockQuery), responses((status = 200, body = StockReport)))]
pub(super) async fn stock(
    service: Scoped,
    Path(ticker): Path<String>,
    Query(query): Query<StockQuery>,
) -> Reply<StockReport> {
    let ticker: Ticker = ticker.parse().map_err(no_such)?;
    Ok(Json(service.stock(ticker, query.span).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StockQuery {
    /// How far back the prices go; a year if absent
    #[serde(default)]
    #[param(required = false)]
    span: PriceSpan,
}
