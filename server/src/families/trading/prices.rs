//! What is in a table of own prices, before it is kept as a document.

use app::families::trading::backend::TradingBackend;
use axum::Json;
use market::OwnData;
use protocol::trading::{OwnAdjustment, PriceTable, TablePreview};

use crate::{
    rest::{JsonBody, Reply},
    scope::Scoped,
};

/// What the table holds, or what is wrong with it: neither depends on what its prices are adjusted for.
pub(super) fn preview(csv: &str) -> TablePreview {
    OwnData::read(csv, OwnAdjustment::default()).0
}

/// Looks at a table of own prices, and keeps nothing
///
/// A table is kept as a document of the kind `prices`, and runs name that as `prices`. Errors are told by line, and a
/// table with errors is not kept.
#[utoipa::path(post, path = "/api/v1/prices/preview", request_body = PriceTable, responses((status = 200, body = TablePreview)))]
pub(super) async fn preview_prices(
    service: Scoped,
    JsonBody(table): JsonBody<PriceTable>,
) -> Reply<TablePreview> {
    Ok(Json(service.preview_prices(table.csv).await?))
}
