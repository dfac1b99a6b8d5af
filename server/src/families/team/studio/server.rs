//! What clients ask of the server itself.

use axum::Json;
use protocol::Problem;
use serde_json::{Value, json};

use super::Answer;
use crate::scope::Scoped;

/// The version of the original whose interface this is. Clients compare it with the newest one there is.
const VERSION: &str = "0.4.2.2";

pub(super) async fn version() -> Json<Value> {
    Json(
        json!({ "status": true, "message": "Version retrieved successfully", "data": { "version": VERSION } }),
    )
}

pub(super) async fn health(service: Scoped) -> Answer {
    match service.death() {
        None => Ok(Json(json!({ "status": true, "message": "Service is healthy" }))),
        Some(why) => Err(Problem { status: 503, detail: why }.into()),
    }
}

/// Signing in is Pitwall's own: who gets as far as this has done it.
pub(super) async fn access() -> Json<Value> {
    Json(json!({ "type": "none", "exclude_paths": [] }))
}

pub(super) async fn caller(service: Scoped) -> Answer {
    let name = super::owner(&service)?;
    Ok(Json(json!({ "id": name, "name": name, "email": null, "provider": "none", "roles": ["user"] })))
}
