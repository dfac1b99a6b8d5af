//! Who asks, tokens, shares and accounts.

use axum::{Json, http::StatusCode};
use backend::AccountBackend;
use protocol::{
    AccountId, AccountSummary, Audience, CredentialId, Identity, NewShare, NewToken, Problem, Role, RunId,
    SessionSummary, ShareSummary, TokenSummary,
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{JsonBody, Path, Reply, run_id};
use crate::{
    problem::{ProblemResponse, no_such},
    scope::{Gateway, Scoped},
};

type Made<T> = Result<(StatusCode, Json<T>), ProblemResponse>;
type Done = Result<StatusCode, ProblemResponse>;

pub fn router() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(identity))
        .routes(routes!(sessions))
        .routes(routes!(end_session))
        .routes(routes!(tokens, make_token))
        .routes(routes!(revoke_token))
        .routes(routes!(share_run))
        .routes(routes!(shares))
        .routes(routes!(revoke_share))
        .routes(routes!(accounts, add_account))
        .routes(routes!(remove_account))
}

/// Who asks
#[utoipa::path(get, path = "/api/v1/identity", responses((status = 200, body = Identity)))]
async fn identity(service: Scoped) -> Json<Identity> {
    Json(service.identity().await)
}

/// The account's sessions in browsers
#[utoipa::path(get, path = "/api/v1/sessions", responses((status = 200, body = Vec<SessionSummary>)))]
async fn sessions(service: Scoped) -> Reply<Vec<SessionSummary>> {
    Ok(Json(service.sessions().await?))
}

/// Ends a session and its sockets
#[utoipa::path(delete, path = "/api/v1/sessions/{session}", params(("session" = CredentialId, Path, description = "Session id")), responses((status = 204)))]
async fn end_session(service: Scoped, Path(session): Path<String>) -> Done {
    service.end_session(credential_id(&session)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The account's tokens for API clients, not the tokens themselves
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = 200, body = Vec<TokenSummary>), (status = 409)))]
async fn tokens(service: Scoped) -> Reply<Vec<TokenSummary>> {
    Ok(Json(service.tokens().await?))
}

/// Makes a token for a name and a password; it is shown this once
#[utoipa::path(post, path = "/api/v1/tokens", security(()), request_body = Credentials, responses((status = 201, body = NewToken), (status = 409), (status = 429)))]
async fn make_token(service: Scoped, JsonBody(request): JsonBody<Credentials>) -> Made<NewToken> {
    let Credentials { name, password, label, seconds } = request;
    Ok((StatusCode::CREATED, Json(service.token_for(&name, &password, &label, seconds).await?)))
}

/// Revokes a token and closes its sockets
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", params(("token" = CredentialId, Path, description = "Token id")), responses((status = 204), (status = 409)))]
async fn revoke_token(service: Scoped, Path(token): Path<String>) -> Done {
    service.revoke_token(credential_id(&token)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shares a run, to be read; a link is shown this once
#[utoipa::path(post, path = "/api/v1/runs/{run}/shares", params(("run" = RunId, Path, description = "Run id")), request_body = ShareRun, responses((status = 201, body = NewShare), (status = 403)))]
async fn share_run(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<ShareRun>,
) -> Made<NewShare> {
    let share = service.share_run(run_id(&run)?, request.audience, request.seconds).await?;
    Ok((StatusCode::CREATED, Json(share)))
}

/// What the account shares
#[utoipa::path(get, path = "/api/v1/shares", responses((status = 200, body = Vec<ShareSummary>)))]
async fn shares(service: Scoped) -> Reply<Vec<ShareSummary>> {
    Ok(Json(service.shares().await?))
}

/// Revokes a share and closes its sockets
#[utoipa::path(delete, path = "/api/v1/shares/{share}", params(("share" = CredentialId, Path, description = "Share id")), responses((status = 204)))]
async fn revoke_share(service: Scoped, Path(share): Path<String>) -> Done {
    service.revoke_share(credential_id(&share)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All accounts; for administrators
#[utoipa::path(get, path = "/api/v1/accounts", responses((status = 200, body = Vec<AccountSummary>), (status = 403), (status = 409)))]
async fn accounts(service: Scoped) -> Reply<Vec<AccountSummary>> {
    Ok(Json(service.accounts().await?))
}

/// Adds an account; for administrators
#[utoipa::path(post, path = "/api/v1/accounts", request_body = NewAccount, responses((status = 201), (status = 403), (status = 409)))]
async fn add_account(service: Scoped, JsonBody(request): JsonBody<NewAccount>) -> Done {
    service.add_account(request.name, request.role, request.password).await?;
    Ok(StatusCode::CREATED)
}

/// Removes an account and ends all that it opened; for administrators
#[utoipa::path(delete, path = "/api/v1/accounts/{account}", params(("account" = AccountId, Path, description = "Name")), responses((status = 204), (status = 403), (status = 409)))]
async fn remove_account(service: Scoped, Path(account): Path<String>) -> Done {
    service.remove_account(account.parse().map_err(no_such)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn credential_id(text: &str) -> Result<CredentialId, Problem> {
    text.parse().map_err(|_| Problem::not_found("This is not an id that the server gave out."))
}

/// What a token is made for.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    /// The account's name
    name: String,
    /// Its password
    password: String,
    /// What the token is for
    #[serde(default)]
    label: String,
    /// How long it lives: an hour if absent, a day at most
    #[serde(default)]
    seconds: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct ShareRun {
    /// Whoever has the link, or this server's viewers
    #[serde(default)]
    audience: Audience,
    /// How long; until it is revoked if absent
    #[serde(default)]
    seconds: Option<u64>,
}

#[derive(Deserialize, ToSchema)]
struct NewAccount {
    /// Name to sign in with
    name: AccountId,
    /// What it may do
    role: Role,
    /// At least 12 characters
    password: String,
}
