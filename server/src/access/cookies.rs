//! Cookies: the session, and the share links that were opened.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::base_path::BasePath;

/// The most share links in a cookie; the oldest are dropped.
const MOST_SHARES: usize = 10;

/// The names and attributes of the cookies.
pub struct Cookies {
    session: String,
    shares: String,
    attributes: String,
}

impl Cookies {
    /// Browsers share cookies between ports, so the names contain the port.
    pub fn new(port: u16, is_secure: bool, base: &BasePath) -> Self {
        let (prefix, secure) = match (is_secure, base.as_str()) {
            // Browsers accept the prefix `__Host-` only for the path of the root.
            (true, "") => ("__Host-", "; Secure"),
            (true, _) => ("__Secure-", "; Secure"),
            (false, _) => ("", ""),
        };
        let attributes = format!("; Path={base}; HttpOnly; SameSite=Strict{secure}");
        Self {
            session: format!("{prefix}pitwall_session_{port}"),
            shares: format!("{prefix}pitwall_shares_{port}"),
            attributes,
        }
    }

    /// The session token of a request.
    pub fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        value(headers, &self.session).filter(|value| !value.is_empty())
    }

    /// The share tokens of a request.
    pub fn shares<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
        let tokens = value(headers, &self.shares).unwrap_or_default().split('.');
        tokens.filter(|token| !token.is_empty()).take(MOST_SHARES)
    }

    /// Whether a request has one of our cookies.
    pub fn any(&self, headers: &HeaderMap) -> bool {
        self.session(headers).is_some() || self.shares(headers).next().is_some()
    }

    pub fn set_session(&self, token: &str, life: Duration) -> HeaderValue {
        self.set(&self.session, token, Some(life))
    }

    pub fn end_session(&self) -> HeaderValue {
        self.set(&self.session, "", Some(Duration::ZERO))
    }

    /// The share links so far and one more, until the browser is closed.
    pub fn add_share(&self, headers: &HeaderMap, token: &str) -> HeaderValue {
        let earlier = self.shares(headers).filter(|earlier| *earlier != token).take(MOST_SHARES - 1);
        let all: Vec<&str> = std::iter::once(token).chain(earlier).collect();
        self.set(&self.shares, &all.join("."), None)
    }

    fn set(&self, name: &str, value: &str, life: Option<Duration>) -> HeaderValue {
        let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
        // A token from a URL may contain bytes that no header can.
        HeaderValue::try_from(format!("{name}={value}{life}{}", self.attributes))
            .unwrap_or(HeaderValue::from_static(""))
    }
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (given, value) = pair.trim().split_once('=')?;
        (given == name).then_some(value)
    })
}
