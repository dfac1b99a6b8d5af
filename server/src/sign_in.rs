//! The sign-in form, which works without scripts.

use std::sync::Arc;

use accounts::SignInError;
use axum::{
    Form,
    extract::{Query, State, rejection::FormRejection},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use protocol::SignInRefusal;
use serde::Deserialize;

use crate::{
    access::{Access, SIGN_IN, encoded, kept_then},
    problem::BadRequest,
    scope::Scoped,
};

/// The submitted fields, and the path to continue to.
#[derive(Deserialize)]
pub struct SignIn {
    #[serde(default)]
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`: redirects with a session, or back to the form with the reason.
pub async fn sign_in(
    scoped: Scoped,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<Response, BadRequest> {
    let Form(SignIn { name, password, next }) = form?;
    let next = if is_local(&next) { &next } else { "/" };
    Ok(match scoped.sign_in(name.trim(), &password).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(&kept_then(next))).into_response(),
        Err(error) => {
            let refusal = error.refusal();
            if let SignInError::Accounts(error) = error {
                tracing::error!(%error, "the accounts failed");
            }
            back_to_form(refusal, next)
        }
    })
}

/// Redirects to the form, which shows the reason.
fn back_to_form(refusal: SignInRefusal, next: &str) -> Response {
    Redirect::to(&format!("{SIGN_IN}?refused={refusal}&next={}", encoded(next))).into_response()
}

/// The path to continue to.
#[derive(Deserialize)]
pub struct Kept {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in/kept`: redirects to `next` if the browser sends the session that it was just given, or to
/// the form with the reason. Without it, the person would only see the form again.
pub async fn kept(
    State(access): State<Arc<Access>>,
    address: Uri,
    headers: HeaderMap,
    Query(Kept { next }): Query<Kept>,
) -> Response {
    let next = if is_local(&next) { &next } else { "/" };
    if access.has_session_cookie(&headers) {
        return Redirect::to(next).into_response();
    }
    let address = address.path_and_query().map_or(SIGN_IN, |address| address.as_str());
    let refusal = match access.lacks_https(&headers) {
        true => SignInRefusal::NeedsHttps,
        false => SignInRefusal::NotKept,
    };
    access.step_within(&headers, address).unwrap_or_else(|| back_to_form(refusal, next))
}

/// Whether a path leads to this server, however a browser parses it (no open redirect).
fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn signing_in_leads_nowhere_but_to_this_server() {
        assert!(is_local("/runs/1?view=events&search=%20a"));
        for foreign in
            ["https://example.com", "//example.com", "/\\example.com", "/\t/example.com", "", "javascript:0"]
        {
            assert!(!is_local(foreign), "{foreign:?}");
        }
    }
}
