//! The routes of an open poll: `GET /ws/v1/polls/{poll}?after=N` continues it, `DELETE` closes it.

use axum::{
    extract::{Path, Query},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;

use crate::{problem::ProblemResponse, scope::Scoped};

/// The parameters of a client's request.
#[derive(Debug, Deserialize)]
pub struct PollQuery {
    /// The number of the last response that the client has; 0 for none.
    #[serde(default)]
    after: u64,
    /// Whether to wait for a message if there is none.
    #[serde(default = "yes")]
    hold: bool,
}

fn yes() -> bool {
    true
}

/// `GET /ws/v1/polls/{poll}?after=N`: the messages of the response after number N.
pub async fn ask(
    service: Scoped,
    Path(name): Path<String>,
    Query(PollQuery { after, hold }): Query<PollQuery>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let lines = service.polls().answer(&name, service.caller().name(), after, hold).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")], lines))
}

/// `DELETE /ws/v1/polls/{poll}`: the client closes the poll.
pub async fn end(service: Scoped, Path(name): Path<String>) -> Result<StatusCode, ProblemResponse> {
    service.polls().end(&name, service.caller().name())?;
    Ok(StatusCode::NO_CONTENT)
}
