//! Runs of sessions.

use axum::Json;
use backend::Backend;
use protocol::{Problem, RunFilter, RunId, RunSummary, Timestamp, team::KIND};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::autogen::{GivenRun, RunRow, Stream, UNEXPLAINED_STOP};

use super::{Answer, log, owner, sessions::Session, stop};
use crate::{
    rest::{JsonBody, Path},
    scope::{NumberedRun, ReservedRun, Scoped},
};

/// The most runs of a session that are told with all their messages, and events that are read for it: the newest.
const MOST_RUNS: u32 = 100;
const MOST_EVENTS: u64 = 100_000;

/// Why a run is to be stopped.
#[derive(Deserialize)]
pub(super) struct GivenStop {
    reason: Option<String>,
}

pub(super) async fn create(service: Scoped, JsonBody(given): JsonBody<GivenRun>) -> Answer {
    let session = Session::numbered(&service, given.session_id).await?;
    let number = service.reserve_run(session.summary.id).await?;
    Ok(Json(json!({ "status": true, "data": { "run_id": number } })))
}

pub(super) async fn read(service: Scoped, Path(number): Path<u64>) -> Answer {
    let row = match service.numbered_run(number).await? {
        NumberedRun::Reserved(ReservedRun { run, within, .. }) => {
            let session = Session::read(&service, within).await?.number(&service).await?;
            RunRow::created(number, session, made_at(run).unwrap_or_default(), owner(&service)?.as_str())
        }
        NumberedRun::Begun(run) => {
            let (summary, stream) = begun(&service, run).await?;
            RunRow::begun(number, session_of(&service, &summary).await, &summary, &stream)
        }
    };
    Ok(Json(json!({ "status": true, "data": row })))
}

pub(super) async fn messages(service: Scoped, Path(number): Path<u64>) -> Answer {
    let rows = match service.numbered_run(number).await? {
        NumberedRun::Reserved(_) => Vec::new(),
        NumberedRun::Begun(run) => {
            let (summary, stream) = begun(&service, run).await?;
            wire::autogen::messages(number, session_of(&service, &summary).await, &stream)
        }
    };
    Ok(Json(json!({ "status": true, "data": rows })))
}

/// The original has no such route: there, only a run's own socket can stop it.
pub(super) async fn stop(
    service: Scoped,
    Path(number): Path<u64>,
    JsonBody(given): JsonBody<GivenStop>,
) -> Answer {
    let NumberedRun::Begun(run) = service.numbered_run(number).await? else {
        return Err(Problem::conflict("The run has not begun, so it cannot be stopped.").into());
    };
    service.readable(run).await.map_err(|_| not_found())?;
    let reason = given.reason.filter(|reason| !reason.trim().is_empty());
    stop::stop(&service, run, reason.unwrap_or_else(|| UNEXPLAINED_STOP.to_owned())).await?;
    Ok(Json(json!({ "status": true, "message": "Run stopped successfully" })))
}

/// The newest runs of a session, in the order in which they were made, with all that was said. Those that have not
/// begun are among them.
pub(super) async fn of_session(service: Scoped, Path(session): Path<u64>) -> Answer {
    let session = Session::numbered(&service, session).await?;
    let number = session.number(&service).await?;
    let filter = RunFilter {
        kind: KIND.parse().ok(),
        flow: Some(session.flow()?),
        limit: Some(MOST_RUNS),
        ..RunFilter::default()
    };
    let mut events = 0_u64;
    let fits = |summary: &RunSummary| {
        events = events.saturating_add(summary.seq);
        events <= MOST_EVENTS
    };
    let summaries: Vec<RunSummary> = service.runs(filter).await?.runs.into_iter().take_while(fits).collect();
    let owner = owner(&service)?;
    let ids = summaries.iter().map(|summary| summary.run.0).collect();
    let numbers = service.numbers_of(&owner, ids).await?;
    let mut rows = Vec::with_capacity(summaries.len());
    for (summary, run) in summaries.iter().zip(numbers) {
        let (summary, stream) = begun(&service, summary.run).await?;
        let made = made_at(summary.run).unwrap_or(summary.created_at);
        rows.push((made, RunRow::begun(run, number, &summary, &stream).with_messages(&stream)));
    }
    let reserved = service.reserved_runs(session.summary.id).await?;
    rows.extend(reserved.into_iter().map(|(reserved, run)| {
        let made = made_at(run).unwrap_or_default();
        (made, RunRow::created(reserved, number, made, owner.as_str()))
    }));
    rows.sort_by_key(|(made, row)| (*made, row.row.id()));
    let older = rows.len().saturating_sub(MOST_RUNS as usize);
    let rows = rows.into_iter().skip(older).map(|(_, row)| {
        let id = row.row.id().to_string();
        let mut row = serde_json::to_value(row).map_err(|error| Problem::internal(error.to_string()))?;
        // A text here, and here alone.
        row["id"] = Value::String(id);
        Ok(row)
    });
    let rows: Vec<Value> = rows.collect::<Result<_, Problem>>()?;
    Ok(Json(json!({ "status": true, "data": { "runs": rows } })))
}

async fn begun(service: &Scoped, run: RunId) -> Result<(RunSummary, Stream), Problem> {
    let readable = service.readable(run).await.map_err(|_| not_found())?;
    let stream = log::whole(&readable, &service.texts()).await?;
    Ok((RunSummary::clone(&readable), stream))
}

/// The number of the session that a run belongs to, if it belongs to one that the caller has.
async fn session_of(service: &Scoped, summary: &RunSummary) -> Option<u64> {
    let id = summary.request.flow.as_str().parse().ok()?;
    Session::read(service, id).await.ok()?.number(service).await.ok()?
}

/// When a run was made, where its id says it. A run that was reserved begins later.
fn made_at(run: RunId) -> Option<Timestamp> {
    let (seconds, nanoseconds) = run.0.get_timestamp()?.to_unix();
    let milliseconds = seconds.saturating_mul(1_000).saturating_add(u64::from(nanoseconds / 1_000_000));
    Some(Timestamp(i64::try_from(milliseconds).unwrap_or(i64::MAX)))
}

fn not_found() -> Problem {
    Problem::not_found("Run not found")
}
