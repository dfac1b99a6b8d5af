//! What a backtest has come to, read from its run: for its page, by REST, and as tables.

use std::{collections::BTreeMap, fmt::Write};

use app::families::trading::backend::TradingBackend;
use axum::{Json, response::IntoResponse};
use backend::Backend;
use protocol::{
    Approval, Date, Decimal, Problem, ProductData, RunId, RunView,
    trading::{BacktestReport, BacktestResult, BacktestSchedule, BacktestStep, ReferenceKind, Task},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    problem::{ProblemResponse, no_such},
    rest::{Path, Reply, download},
    scope::{Gateway, Scoped},
};

/// The media type of the tables.
const CSV: &str = "text/csv; charset=utf-8";

/// Reads a backtest that the caller may read.
///
/// # Errors
/// 404 for any other run; the log cannot be read.
pub(super) async fn read(service: &Scoped, run: RunId) -> Result<BacktestReport, Problem> {
    let view = service.run(run).await?;
    if view.summary.request.workflow.kind().as_str() != Task::BACKTEST {
        return Err(Problem::not_found("This run is no backtest.".to_owned()));
    }
    let schedule: Vec<BacktestSchedule> = documents(service, run, &view).await?;
    let steps = documents(service, run, &view).await?;
    let results: Vec<BacktestResult> = documents(service, run, &view).await?;
    Ok(BacktestReport {
        schedule: schedule.into_iter().next_back(),
        steps: newest(steps),
        result: results.into_iter().next_back(),
        is_paused: view.approval != Approval::Off,
        run: view.summary,
    })
}

/// What a run has brought forth of a kind, whole, in order.
async fn documents<D: ProductData>(service: &Scoped, run: RunId, view: &RunView) -> Result<Vec<D>, Problem> {
    let mut documents = Vec::new();
    for product in view.products.iter().filter(|product| product.holds::<D>()) {
        let read = match product.data.stored() {
            Some(digest) => serde_json::from_str(&service.text(run, digest.clone()).await?),
            None => serde_json::from_str(product.data.shown()),
        };
        // Whatever an imported file has that is none is left out.
        documents.extend(read.ok());
    }
    Ok(documents)
}

/// Of each decision the last that was taken: one that a person had taken again stands there twice.
fn newest(steps: Vec<BacktestStep>) -> Vec<BacktestStep> {
    let by_number: BTreeMap<u32, BacktestStep> = steps.into_iter().map(|step| (step.number, step)).collect();
    by_number.into_values().collect()
}

/// The routes of the REST interface.
pub(super) fn rest() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(backtest))
        .routes(routes!(trades))
        .routes(routes!(equity))
        .routes(routes!(tear_sheet))
}

/// A backtest, as far as it has come
#[utoipa::path(get, path = "/api/v1/backtests/{backtest}", params(("backtest" = RunId, Path, description = "Run id of the backtest")), responses((status = 200, body = BacktestReport)))]
async fn backtest(service: Scoped, Path(run): Path<String>) -> Reply<BacktestReport> {
    Ok(Json(service.backtest(run.parse().map_err(no_such)?).await?))
}

/// The trades of a backtest as a table
#[utoipa::path(get, path = "/api/v1/backtests/{backtest}/trades.csv", params(("backtest" = RunId, Path, description = "Run id of the backtest")), responses((status = 200, body = String, content_type = "text/csv")))]
async fn trades(service: Scoped, Path(run): Path<String>) -> Result<impl IntoResponse, ProblemResponse> {
    let run = run.parse().map_err(no_such)?;
    let result = ended(&service, run).await?;
    Ok(download(CSV, format!("{run}-trades.csv"), table_of_trades(&result)))
}

/// The value of a backtest and of all that it is compared with, day by day, as a table
#[utoipa::path(get, path = "/api/v1/backtests/{backtest}/equity.csv", params(("backtest" = RunId, Path, description = "Run id of the backtest")), responses((status = 200, body = String, content_type = "text/csv")))]
async fn equity(service: Scoped, Path(run): Path<String>) -> Result<impl IntoResponse, ProblemResponse> {
    let run = run.parse().map_err(no_such)?;
    let result = ended(&service, run).await?;
    Ok(download(CSV, format!("{run}-equity.csv"), table_of_values(&result)))
}

/// A backtest's verdict, chart, figures, months and trades as one HTML file that opens offline
#[utoipa::path(get, path = "/api/v1/backtests/{backtest}/tear-sheet.html", params(("backtest" = RunId, Path, description = "Run id of the backtest")), responses((status = 200, body = String, content_type = "text/html")))]
async fn tear_sheet(service: Scoped, Path(run): Path<String>) -> Result<impl IntoResponse, ProblemResponse> {
    let run: RunId = run.parse().map_err(no_such)?;
    let report = service.backtest(run).await?;
    let sheet = app::families::trading::tear_sheet(&report).ok_or_else(no_result)?;
    Ok(download("text/html; charset=utf-8", format!("{run}-tear-sheet.html"), sheet))
}

async fn ended(service: &Scoped, run: RunId) -> Result<BacktestResult, Problem> {
    let result = service.backtest(run).await?.result;
    result.ok_or_else(no_result)
}

fn no_result() -> Problem {
    Problem::not_found("This backtest has no result yet.")
}

/// A line a trade. Reasons are left out: they are texts of a model, and stand in the run.
fn table_of_trades(result: &BacktestResult) -> String {
    let mut table = "day,side,ticker,quantity,price,quoted,commission,realised_profit,cause\n".to_owned();
    for trade in &result.trades {
        let cause = serde_json::to_value(trade.cause).ok();
        let cause = cause.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        let _ = writeln!(
            table,
            "{},{},{},{},{},{},{},{},{cause}",
            trade.date,
            trade.side,
            trade.ticker,
            trade.quantity.normalize(),
            trade.price.normalize(),
            trade.quoted.unwrap_or(trade.price).normalize(),
            trade.commission.normalize(),
            cell(trade.realised_profit),
        );
    }
    table
}

/// A line a day; a cell is empty where there is no value.
fn table_of_values(result: &BacktestResult) -> String {
    const KINDS: [ReferenceKind; 4] = [
        ReferenceKind::BuyAndHold,
        ReferenceKind::EqualWeight,
        ReferenceKind::Index,
        ReferenceKind::AverageCross,
    ];
    let curve_of = |kind| {
        let reference = result.references.iter().find(|reference| reference.kind == kind);
        let points = reference.into_iter().flat_map(|reference| &reference.curve);
        points.map(|point| (point.date, point.value)).collect::<BTreeMap<Date, Decimal>>()
    };
    let curves = KINDS.map(curve_of);
    let band: BTreeMap<Date, _> =
        result.random.iter().flat_map(|band| &band.points).map(|point| (point.date, point)).collect();
    let mut table =
        "day,value,invested,buy_and_hold,equal_weight,index,average_cross,random_5,random_50,random_95\n"
            .to_owned();
    for point in &result.curve {
        let random = band.get(&point.date);
        let cells = [Some(point.total), point.invested]
            .into_iter()
            .chain(curves.iter().map(|curve| curve.get(&point.date).copied()))
            .chain([random.map(|it| it.low), random.map(|it| it.middle), random.map(|it| it.high)]);
        let cells: Vec<String> = cells.map(cell).collect();
        let _ = writeln!(table, "{},{}", point.date, cells.join(","));
    }
    table
}

fn cell(amount: Option<Decimal>) -> String {
    amount.map(|amount| amount.normalize().to_string()).unwrap_or_default()
}
