//! The head of a request: what the rules of access read of it.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, Uri, header},
};

use super::SIGN_IN;
use crate::{
    families,
    limits::{LARGEST_BODY, LARGEST_DOCUMENT_FILE, LARGEST_IMPORT},
};

/// The head of a request.
pub struct RequestHead<'r> {
    method: &'r Method,
    pub uri: &'r Uri,
    pub headers: &'r HeaderMap,
}

impl<'r> RequestHead<'r> {
    pub fn new(request: &'r Request) -> Self {
        Self { method: request.method(), uri: request.uri(), headers: request.headers() }
    }

    pub fn is_socket(&self) -> bool {
        let upgrade = self.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
        upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
            || self.uri.path().starts_with("/ws/")
    }

    pub fn is_write(&self) -> bool {
        !matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Whether a browser navigates to a page, in contrast to a program's call.
    pub fn is_page(&self) -> bool {
        let path = self.uri.path();
        let is_for_programs = ["/api/", "/ws/", "/rpc/"].iter().any(|prefix| path.starts_with(prefix))
            || families::is_for_programs(path);
        !self.is_write() && !is_for_programs
    }

    /// Whether a person will read the answer.
    pub fn wants_html(&self) -> bool {
        let accepted = self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        (self.is_page() || self.uri.path() == SIGN_IN)
            && accepted.is_some_and(|accepted| accepted.contains("text/html"))
    }

    /// Whether it is a form that a browser submits without scripts.
    pub fn is_form(&self) -> bool {
        self.is_write() && self.wants_html()
    }

    /// Whether it is served without authentication: what the sign-in page needs, and the endpoints that
    /// authenticate.
    pub fn is_public(&self) -> bool {
        let path = self.uri.path();
        let is_file = ["/pkg/", "/fonts/", "/families/"].iter().any(|folder| path.starts_with(folder));
        is_file
            || matches!(path, "/favicon.svg" | "/healthz" | "/sign-in" | "/sign-in/kept")
            || path == "/rpc/identity"
            || (path == "/api/v1/tokens" && *self.method == Method::POST)
            || path.starts_with("/s/")
    }

    /// The largest body that is accepted, in bytes.
    pub fn largest_body(&self) -> usize {
        match self.uri.path() {
            "/api/v1/runs/import" => LARGEST_IMPORT,
            "/api/v1/documents/import" => LARGEST_DOCUMENT_FILE,
            path => families::largest_body(path).unwrap_or(LARGEST_BODY),
        }
    }

    /// The token of the request itself, which no browser attaches automatically.
    pub fn token(&self) -> Option<&'r str> {
        let bearer = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        bearer.or_else(|| if self.is_socket() { self.query_token() } else { None })
    }

    /// `?token=…`. Scripts that have none write `null`.
    pub fn query_token(&self) -> Option<&'r str> {
        let token = self.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
        token.filter(|token| *token != "null")
    }

    /// The URL without the token.
    pub fn without_token(&self) -> String {
        let rest = self.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("token="));
        let rest = rest.collect::<Vec<_>>().join("&");
        let path = self.uri.path();
        if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }
    }
}
