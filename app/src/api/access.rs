//! Server functions for what people do with their own access.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

use leptos::prelude::*;
use protocol::{
    AccountId, AccountSummary, Audience, CredentialId, Identity, NewShare, NewToken, Role, RunId,
    SessionSummary, ShareSummary, TokenSummary,
};

#[cfg(feature = "ssr")]
use super::answer;
use super::{ApiError, Caller, json_text::JsonText};

/// The rules of access behind the pages; the server puts them into the context.
#[cfg(feature = "ssr")]
fn account_backend() -> Result<backend::SharedAccountBackend, ApiError> {
    use_context().ok_or_else(|| {
        ApiError(protocol::Problem::internal("The server is not ready to answer. Try again in a moment."))
    })
}

/// Gives the browser the cookie that an act results in.
#[cfg(feature = "ssr")]
fn set_cookie(cookie: Result<String, protocol::Problem>) -> Result<(), ApiError> {
    let cookie = answer(cookie)?;
    if let (Some(response), Ok(cookie)) = (use_context::<leptos_axum::ResponseOptions>(), cookie.parse()) {
        response.append_header(http::header::SET_COOKIE, cookie);
    }
    Ok(())
}

/// The caller's account and role.
#[server(name = IdentityCall, prefix = "/rpc", endpoint = "identity", input = JsonText, output = JsonText, client = Caller)]
pub async fn identity() -> Result<Identity, ApiError> {
    Ok(account_backend()?.identity().await)
}

/// Ends the session and its sockets.
#[server(name = SignOutCall, prefix = "/rpc", endpoint = "sign_out", input = JsonText, output = JsonText, client = Caller)]
pub async fn sign_out() -> Result<(), ApiError> {
    set_cookie(account_backend()?.sign_out().await)
}

/// Sets a new password; all other sessions end.
#[server(name = ChangePasswordCall, prefix = "/rpc", endpoint = "change_password", input = JsonText, output = JsonText, client = Caller)]
pub async fn change_password(current: String, new: String) -> Result<(), ApiError> {
    set_cookie(account_backend()?.change_password(current, new).await)
}

/// The account's sessions.
#[server(name = SessionsCall, prefix = "/rpc", endpoint = "sessions", input = JsonText, output = JsonText, client = Caller)]
pub async fn sessions() -> Result<Vec<SessionSummary>, ApiError> {
    answer(account_backend()?.sessions().await)
}

/// Ends a session and its sockets.
#[server(name = EndSessionCall, prefix = "/rpc", endpoint = "end_session", input = JsonText, output = JsonText, client = Caller)]
pub async fn end_session(id: CredentialId) -> Result<(), ApiError> {
    answer(account_backend()?.end_session(id).await)
}

/// The account's tokens for API clients.
#[server(name = TokensCall, prefix = "/rpc", endpoint = "tokens", input = JsonText, output = JsonText, client = Caller)]
pub async fn tokens() -> Result<Vec<TokenSummary>, ApiError> {
    answer(account_backend()?.tokens().await)
}

/// Makes a token that lives so many seconds.
#[server(name = MakeTokenCall, prefix = "/rpc", endpoint = "make_token", input = JsonText, output = JsonText, client = Caller)]
pub async fn make_token(label: String, seconds: Option<u64>) -> Result<NewToken, ApiError> {
    answer(account_backend()?.make_token(label, seconds).await)
}

/// Revokes a token.
#[server(name = RevokeTokenCall, prefix = "/rpc", endpoint = "revoke_token", input = JsonText, output = JsonText, client = Caller)]
pub async fn revoke_token(id: CredentialId) -> Result<(), ApiError> {
    answer(account_backend()?.revoke_token(id).await)
}

/// Shares a run, to be read, for so many seconds or until that is revoked.
#[server(name = ShareRunCall, prefix = "/rpc", endpoint = "share_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn share_run(run: RunId, audience: Audience, seconds: Option<u64>) -> Result<NewShare, ApiError> {
    answer(account_backend()?.share_run(run, audience, seconds).await)
}

/// What the account shares.
#[server(name = SharesCall, prefix = "/rpc", endpoint = "shares", input = JsonText, output = JsonText, client = Caller)]
pub async fn shares() -> Result<Vec<ShareSummary>, ApiError> {
    answer(account_backend()?.shares().await)
}

/// Revokes a share.
#[server(name = RevokeShareCall, prefix = "/rpc", endpoint = "revoke_share", input = JsonText, output = JsonText, client = Caller)]
pub async fn revoke_share(id: CredentialId) -> Result<(), ApiError> {
    answer(account_backend()?.revoke_share(id).await)
}

/// All accounts; for administrators.
#[server(name = AccountsCall, prefix = "/rpc", endpoint = "accounts", input = JsonText, output = JsonText, client = Caller)]
pub async fn accounts() -> Result<Vec<AccountSummary>, ApiError> {
    answer(account_backend()?.accounts().await)
}

/// Adds an account; for administrators.
#[server(name = AddAccountCall, prefix = "/rpc", endpoint = "add_account", input = JsonText, output = JsonText, client = Caller)]
pub async fn add_account(id: AccountId, role: Role, password: String) -> Result<(), ApiError> {
    answer(account_backend()?.add_account(id, role, password).await)
}

/// Removes an account; for administrators.
#[server(name = RemoveAccountCall, prefix = "/rpc", endpoint = "remove_account", input = JsonText, output = JsonText, client = Caller)]
pub async fn remove_account(id: AccountId) -> Result<(), ApiError> {
    answer(account_backend()?.remove_account(id).await)
}
