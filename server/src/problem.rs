//! Errors as HTTP responses.

use std::any::Any;

use accounts::{AccountsError, SignInError};
use axum::{
    Json,
    extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{EngineError, ForkError, InputError};
use journal::{DocumentError, ImportError, JournalError};
use protocol::{InvalidId, Problem, RunId, document::DocumentId};
use serde_json::json;

use crate::limits::LARGEST_BODY;

/// A [`Problem`] that can be returned from a handler.
#[derive(Debug)]
pub struct ProblemResponse(pub Problem);

impl<T: Into<Problem>> From<T> for ProblemResponse {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}

/// An error as the clients of other systems read it: `{"detail": "…"}`.
pub struct Detail(pub Problem);

impl<T: Into<Problem>> From<T> for Detail {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Detail {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "detail": self.0.detail }))).into_response()
    }
}

/// Extractor failures, as sentences.
#[derive(Debug)]
pub struct BadRequest(Problem);

impl BadRequest {
    fn body(status: StatusCode, detail: String) -> Self {
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Self(too_large(LARGEST_BODY));
        }
        Self(Problem { status: status.as_u16(), detail })
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        ProblemResponse(self.0).into_response()
    }
}

impl From<JsonRejection> for BadRequest {
    fn from(rejection: JsonRejection) -> Self {
        Self::body(rejection.status(), rejection.body_text())
    }
}

impl From<FormRejection> for BadRequest {
    fn from(rejection: FormRejection) -> Self {
        Self::body(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for BadRequest {
    fn from(rejection: QueryRejection) -> Self {
        Self(Problem::invalid(rejection.body_text()))
    }
}

impl From<PathRejection> for BadRequest {
    fn from(rejection: PathRejection) -> Self {
        Self(Problem::not_found(rejection.body_text()))
    }
}

/// The response to a request whose handler panicked.
pub fn defect(_: Box<dyn Any + Send>) -> Response {
    let detail = "The request met a defect of Pitwall; the server's log says more. Nothing else has ended.";
    ProblemResponse(Problem::internal(detail)).into_response()
}

/// The body exceeds the limit.
pub fn too_large(most: usize) -> Problem {
    let detail = format!("The body is larger than {most} bytes, the most that is taken. Send less.");
    Problem { status: 413, detail }
}

/// An invalid id in a URL, answered as one that does not exist.
pub fn no_such(invalid: InvalidId) -> Problem {
    Problem::not_found(format!("{invalid}."))
}

/// The response for a run that does not exist, or that the caller may not know of.
pub fn no_run(run: RunId) -> Problem {
    Problem::not_found(format!("There is no run {run}."))
}

/// The response for a document that does not exist, or that is another's.
pub fn no_document(id: DocumentId) -> Problem {
    from_documents(DocumentError::NoSuchDocument(id))
}

/// Maps an error of the documents to its status.
pub fn from_documents(error: DocumentError) -> Problem {
    match error {
        DocumentError::NoSuchDocument(_) => Problem::not_found(error.to_string()),
        DocumentError::Conflict { .. } | DocumentError::TooMany { .. } | DocumentError::NoRoom { .. } => {
            Problem::conflict(error.to_string())
        }
        DocumentError::Journal(error) => from_journal(error),
    }
}

/// Maps an error of an import to its status.
pub fn from_import(error: ImportError) -> Problem {
    match error {
        ImportError::Line { .. } => Problem::invalid(error.to_string()),
        ImportError::Journal(error) => from_journal(error),
    }
}

/// Maps an error of the journal to its status: the client's fault, or a failure of the server.
pub fn from_journal(error: JournalError) -> Problem {
    let detail = error.to_string();
    let status = match error {
        JournalError::NoSuchRun(_) => return Problem::not_found(detail),
        JournalError::Fenced(_) | JournalError::Finished(_) | JournalError::AtWork(_) => {
            return Problem::conflict(detail);
        }
        JournalError::NoSuchText(_) | JournalError::OutOfOrder(_) => return Problem::invalid(detail),
        JournalError::TooLarge { .. } => return Problem { status: 413, detail },
        // SQLite reports one or the other, depending on where in a page the disk was full.
        JournalError::Full | JournalError::Unwritable => 507,
        JournalError::Corrupt(_)
        | JournalError::Unreadable(_)
        | JournalError::Refused(_)
        | JournalError::Panicked(_) => 500,
        JournalError::InUse(_)
        | JournalError::File(_)
        | JournalError::ReadOnly
        | JournalError::Database(_)
        | JournalError::Dead(_)
        | JournalError::OpenedToRead
        | JournalError::Closed => 503,
    };
    tracing::error!(%error, "the log failed");
    Problem { status, detail }
}

/// Maps an error of the engine to its status.
pub fn from_engine(error: EngineError) -> Problem {
    match error {
        EngineError::Refused(why) => Problem::invalid(why),
        EngineError::NotActive | EngineError::Begun | EngineError::ReRunning(_) => {
            Problem::conflict(error.to_string())
        }
        EngineError::Fork(why) => match why {
            ForkError::Active | ForkError::Succeeded | ForkError::Imported => {
                Problem::conflict(why.to_string())
            }
            ForkError::NotVisited { .. } | ForkError::NoSuchPhase(_) => Problem::invalid(why.to_string()),
        },
        EngineError::Input(why) => match why {
            InputError::NotAsked(_) | InputError::NoSuchNode(_) => Problem::not_found(why.to_string()),
            InputError::Answered | InputError::Changed | InputError::Unread(_) => {
                Problem::conflict(why.to_string())
            }
            InputError::Invalid(_) => Problem::invalid(why.to_string()),
        },
        EngineError::Full(_) => Problem { status: 429, detail: error.to_string() },
        EngineError::Journal(error) => from_journal(error),
        EngineError::Graph(_) => Problem::internal(error.to_string()),
    }
}

/// Maps an error of the accounts to its status.
pub fn from_accounts(error: AccountsError) -> Problem {
    let detail = error.to_string();
    match error {
        AccountsError::Exists(_) => Problem::conflict(detail),
        AccountsError::NoSuchAccount(_) => Problem::not_found(detail),
        AccountsError::UnfitName | AccountsError::UnfitPassword => Problem::invalid(detail),
        error => {
            tracing::error!(%error, "the accounts failed");
            Problem { status: 503, detail }
        }
    }
}

/// Maps a refused sign-in to its status.
pub fn from_sign_in(error: SignInError) -> Problem {
    match error {
        SignInError::Refused => Problem { status: 401, detail: error.to_string() },
        SignInError::TooMany(_) => Problem { status: 429, detail: error.to_string() },
        SignInError::Accounts(error) => from_accounts(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use axum::{Router, routing::get};
    use clap::Parser;
    use tokio::net::TcpListener;

    use crate::{Access, BasePath, Command, CommandLine, scope::Gateway};

    #[tokio::test]
    async fn a_request_that_panics_is_answered_and_the_next_one_is_served() {
        let folder = tempfile::TempDir::new().unwrap();
        let line = ["pitwall", "serve", "--no-auth", "--data", folder.path().to_str().unwrap()];
        let Command::Serve(options) = CommandLine::parse_from(line).command else { panic!("it serves") };
        let service = crate::open(&options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let access = Access::new(&options.access, BasePath::default(), service.accounts.clone(), address)
            .await
            .unwrap();
        let router = Router::new()
            .route("/broken", get(async || if true { panic!("a defect") } else { "never" }))
            .route("/whole", get(async || "whole"));
        let router = crate::guarded(router, Gateway::new(service, access));
        tokio::spawn(async move { axum::serve(listener, router).await });
        // Fails if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let answer = client.get(format!("http://{address}/broken")).send().await.unwrap();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.text().await.unwrap().contains("met a defect of Pitwall"));
        let answer = client.get(format!("http://{address}/whole")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "whole");
    }
}
