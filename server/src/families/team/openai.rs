//! The chat completions of OpenAI's interface: its clients talk with a team as with a model.
//!
//! A request starts a run like any other, and waits for its end. The run does not end with its client: it is listed,
//! steered and answered as all runs are.

mod answer;
mod models;

use axum::{
    Json, Router,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use protocol::Problem;
use wire::openai::Error;

use crate::scope::Gateway;

/// Tells the clients of OpenAI, which repeat what has failed, not to.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The routes, at the addresses that the clients use.
pub fn router() -> Router<Gateway> {
    Router::new()
        .route("/v1/chat/completions", post(answer::complete))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{model}", get(models::read))
}

/// Whether programs alone ask for this address.
pub fn is_for_programs(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// An error in the form of this interface.
struct Refused(Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = (status, Json(error.body()));
        // The same request again would start a second run.
        if error.is_of_a_run() {
            ([(SHOULD_RETRY, "false")], answer).into_response()
        } else {
            answer.into_response()
        }
    }
}

/// Teams have a kind of document and of workflow: that they have none is a defect.
fn no_kind() -> Problem {
    Problem::internal("Teams have no kind.")
}
