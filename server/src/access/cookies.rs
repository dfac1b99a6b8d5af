//! What browsers keep: a session, and the links that were opened.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::BasePath;

/// Links that a browser is remembered by; the oldest go first.
const MOST_SHARES: usize = 10;

/// The names of the cookies, and how they are set.
pub struct Cookies {
    session: String,
    shares: String,
    attributes: String,
}

impl Cookies {
    /// Cookies do not tell ports apart, so that their names have to.
    pub fn new(port: u16, is_secure: bool, base: &BasePath) -> Self {
        let (prefix, secure) = match (is_secure, base.as_str()) {
            // A browser takes this name for the root of a host name alone.
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

    /// The session that a request shows.
    pub fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        value(headers, &self.session).filter(|value| !value.is_empty())
    }

    /// The links that a request shows.
    pub fn shares<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
        let tokens = value(headers, &self.shares).unwrap_or_default().split('.');
        tokens.filter(|token| !token.is_empty()).take(MOST_SHARES)
    }

    /// Whether a request shows any of ours.
    pub fn any(&self, headers: &HeaderMap) -> bool {
        self.session(headers).is_some() || self.shares(headers).next().is_some()
    }

    pub fn set_session(&self, token: &str, life: Duration) -> HeaderValue {
        self.set(&self.session, token, Some(life))
    }

    pub fn end_session(&self) -> HeaderValue {
        self.set(&self.session, "", Some(Duration::ZERO))
    }

    /// The links so far and one more, until the browser is closed.
    pub fn add_share(&self, headers: &HeaderMap, token: &str) -> HeaderValue {
        let earlier = self.shares(headers).filter(|earlier| *earlier != token).take(MOST_SHARES - 1);
        let all: Vec<&str> = std::iter::once(token).chain(earlier).collect();
        self.set(&self.shares, &all.join("."), None)
    }

    fn set(&self, name: &str, value: &str, life: Option<Duration>) -> HeaderValue {
        let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
        // A token that came by an address may hold what no header can.
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
