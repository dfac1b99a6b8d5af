//! The routes of AutoGen Studio: its clients speak with Pitwall as if it were theirs.
//!
//! Teams, sessions, galleries and settings are documents; a session's runs have its document's id as their flow. Whole
//! numbers stand for all of them ([`crate::scope::NumberedRun`]). Whose something is follows from the caller alone: the
//! `user_id` of a request says nothing.

mod component;
mod configs;
mod log;
mod runs;
mod server;
mod sessions;
mod socket;
mod stop;
mod teams;
mod validation;

use axum::{
    Json, Router,
    routing::{get, post},
};
use backend::DocumentBackend;
use protocol::{
    AccountId, Problem,
    document::{Document, DocumentFilter, DocumentKind, DocumentSummary},
};
use wire::autogen::Row;

use crate::{
    problem::Detail,
    scope::{Gateway, Scoped},
};

/// Documents of a kind that a list has at most, and bytes of them: those that were changed last.
const MOST_LISTED: u32 = 200;
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// An answer in the original's form.
type Answer = Result<Json<serde_json::Value>, Detail>;

/// The routes, at the addresses that the clients use.
pub fn router() -> Router<Gateway> {
    Router::new()
        .route("/api/ws/runs/{run}", get(socket::connect))
        .route("/api/sessions/", get(sessions::list).post(sessions::create))
        .route("/api/sessions/{session}", get(sessions::read).put(sessions::change).delete(sessions::delete))
        .route("/api/sessions/{session}/runs", get(runs::of_session))
        .route("/api/runs/", post(runs::create))
        .route("/api/runs/{run}", get(runs::read))
        .route("/api/runs/{run}/messages", get(runs::messages))
        .route("/api/runs/{run}/stop", post(runs::stop))
        .route("/api/teams/", get(teams::list).post(teams::save))
        .route("/api/teams/{team}", get(teams::read).delete(teams::delete))
        .route("/api/gallery/", get(configs::galleries).post(configs::create_gallery))
        .route(
            "/api/gallery/{gallery}",
            get(configs::gallery).put(configs::save_gallery).delete(configs::delete_gallery),
        )
        .route("/api/settings/", get(configs::settings).put(configs::save_settings))
        .route("/api/validate/", post(validation::validate))
        .route("/api/validate/test", post(validation::test))
        .route("/api/version", get(server::version))
        .route("/api/health", get(server::health))
        .route("/api/auth/type", get(server::access))
        .route("/api/auth/me", get(server::caller))
}

/// A kind of document.
fn kind(name: &str) -> Result<DocumentKind, Problem> {
    name.parse().map_err(|_| Problem::internal("There is no such kind of document."))
}

/// The account whose things are asked for.
fn owner(service: &Scoped) -> Result<AccountId, Problem> {
    let owner = service.caller().owner().cloned();
    owner.ok_or_else(|| Problem {
        status: 403,
        detail: "Only those who own something see it here.".to_owned(),
    })
}

/// The document of this kind that the caller has under this number.
async fn numbered(
    service: &Scoped,
    number: u64,
    wanted: &str,
    not_found: &'static str,
) -> Result<Document, Problem> {
    let not_found = |problem: Problem| match problem.status {
        404 => Problem::not_found(not_found),
        _ => problem,
    };
    let id = service.numbered_document(number).await.map_err(not_found)?;
    let document = service.document(id, None).await.map_err(not_found)?;
    if document.summary.kind.as_str() == wanted {
        return Ok(document);
    }
    Err(not_found(Problem::not_found("")))
}

/// The caller's documents of a kind, those first that were changed last.
async fn listed(service: &Scoped, wanted: &str) -> Result<Vec<DocumentSummary>, Problem> {
    let filter = DocumentFilter { kind: Some(kind(wanted)?), limit: Some(MOST_LISTED), ..Default::default() };
    let mut bytes = 0_u64;
    let fits = |summary: &DocumentSummary| {
        bytes = bytes.saturating_add(summary.bytes);
        bytes <= MOST_BYTES
    };
    Ok(service.documents(filter).await?.documents.into_iter().take_while(fits).collect())
}

/// What all rows of documents have.
async fn row(service: &Scoped, summary: &DocumentSummary) -> Result<Row, Problem> {
    let owner = owner(service)?;
    let numbers = service.numbers_of(&owner, vec![summary.id.0]).await?;
    let number = numbers.first().copied().ok_or_else(|| Problem::internal("A document has no number."))?;
    Ok(Row::new(number, summary.created_at, summary.changed_at, owner.as_str()))
}
