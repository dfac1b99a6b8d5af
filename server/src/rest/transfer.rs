//! Runs as files.

use axum::{
    Json,
    body::Body,
    extract::{DefaultBodyLimit, rejection::StringRejection},
    http::{StatusCode, header},
    response::IntoResponse,
};
use futures::TryStreamExt;
use protocol::{Problem, RunAccepted, RunId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Path, run_id};
use crate::{
    limits::LARGEST_IMPORT,
    problem::ProblemResponse,
    scope::{Gateway, Scoped},
};

/// The routes.
pub fn router() -> OpenApiRouter<Gateway> {
    let imports = OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(LARGEST_IMPORT));
    OpenApiRouter::new().routes(routes!(export_json_lines)).routes(routes!(export_html)).merge(imports)
}

/// A run as JSON Lines, to keep or to import elsewhere
#[utoipa::path(get, path = "/api/v1/runs/{run}/export.jsonl", params(("run" = RunId, Path, description = "Run id")), responses((status = 200, body = String, content_type = "application/x-ndjson")))]
async fn export_json_lines(
    service: Scoped,
    Path(run): Path<String>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let run = run_id(&run)?;
    let lines = service.readable(run).await?.export_json_lines().map_err(std::io::Error::other);
    Ok(download("application/x-ndjson", format!("{run}.jsonl"), Body::from_stream(lines)))
}

/// A run as one HTML file that opens offline
#[utoipa::path(get, path = "/api/v1/runs/{run}/export.html", params(("run" = RunId, Path, description = "Run id")), responses((status = 200, body = String, content_type = "text/html")))]
async fn export_html(service: Scoped, Path(run): Path<String>) -> Result<impl IntoResponse, ProblemResponse> {
    let run = run_id(&run)?;
    Ok(download(
        "text/html; charset=utf-8",
        format!("{run}.html"),
        service.readable(run).await?.export_html().await?,
    ))
}

/// A file that the browser saves.
pub(crate) fn download(
    content_type: &'static str,
    name: String,
    content: impl Into<Body>,
) -> impl IntoResponse {
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)],
        content.into(),
    )
}

/// Takes in a run that was exported as JSON Lines; it is only looked at
#[utoipa::path(post, path = "/api/v1/runs/import", request_body(content = String, content_type = "application/x-ndjson"), responses((status = 201, body = RunAccepted)))]
async fn import(
    service: Scoped,
    file: Result<String, StringRejection>,
) -> Result<(StatusCode, Json<RunAccepted>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.import(text_of(file)?).await?)))
}

/// The text of a file that was sent as it is.
pub(super) fn text_of(file: Result<String, StringRejection>) -> Result<String, Problem> {
    file.map_err(|rejection| Problem {
        status: rejection.status().as_u16(),
        detail: format!("The file cannot be read: {}.", rejection.body_text()),
    })
}
