//! The form to sign in. It needs no script: the answer leads on.

use accounts::SignInError;
use axum::{
    Form,
    extract::rejection::FormRejection,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{problem::BadRequest, scope::Scoped};

/// What was typed, and where to go then.
#[derive(Deserialize)]
pub struct SignIn {
    #[serde(default)]
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`: leads on with a session, or back to the form with the reason.
pub async fn sign_in(
    scoped: Scoped,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<Response, BadRequest> {
    let Form(SignIn { name, password, next }) = form?;
    let next = if is_local(&next) { &next } else { "/" };
    Ok(match scoped.sign_in(name.trim(), &password).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response(),
        Err(error) => {
            let refusal = error.refusal();
            if let SignInError::Accounts(error) = error {
                tracing::error!(%error, "the accounts failed");
            }
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            Redirect::to(&format!("/sign-in?refused={refusal}&next={next}")).into_response()
        }
    })
}

/// Whether a path leads to this server and nowhere else, however a browser reads it.
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
