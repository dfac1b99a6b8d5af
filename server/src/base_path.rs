//! The path below which everything is served. It is stripped from requests and prepended to redirects here,
//! outside of the router, which only knows paths from the root.

use std::{convert::Infallible, fmt, str::FromStr};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, Uri, header, uri::PathAndQuery},
    response::{IntoResponse, Redirect, Response},
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use protocol::Problem;

use crate::{headers::protect, problem::ProblemResponse};

/// A path without a trailing slash: empty for the root, or such as `/pitwall`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// The prefix for another path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a path below it.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The part of an address below it; `None` for an address elsewhere.
    fn within<'a>(&self, address: &'a str) -> Option<&'a str> {
        let rest = address.strip_prefix(&self.0)?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_plain = |part: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
        };
        let is_path = match path.strip_prefix('/') {
            Some(parts) => parts.split('/').all(is_plain),
            None => path.is_empty(),
        };
        if is_path {
            Ok(Self(path.to_owned()))
        } else {
            Err("a path reads /pitwall or /tools/pitwall".to_owned())
        }
    }
}

/// The routes below a path; elsewhere only `/healthz` is served.
pub fn below(base: BasePath, router: Router) -> Router {
    if base.0.is_empty() {
        return router;
    }
    let inner = TowerToHyperService::new(router);
    Router::new().fallback(async move |mut request: Request| {
        match moved(&base, request.uri()) {
            Some(address) => *request.uri_mut() = address,
            None if request.uri().path() == "/healthz" => {}
            None => return elsewhere(&base, request.method(), request.uri()),
        }
        let answer: Result<Response, Infallible> = inner.call(request).await;
        let mut answer = answer.into_response();
        lead_below(&base, &mut answer);
        answer
    })
}

/// The address as the router sees it.
fn moved(base: &BasePath, address: &Uri) -> Option<Uri> {
    let inside = base.within(address.path_and_query()?.as_str())?;
    let inside = if inside.starts_with('/') { inside.to_owned() } else { format!("/{inside}") };
    let mut parts = address.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(inside).ok()?);
    Uri::from_parts(parts).ok()
}

/// Prepends the path to a redirect to this server.
fn lead_below(base: &BasePath, answer: &mut Response) {
    let led = answer.headers().get(header::LOCATION).and_then(|address| address.to_str().ok());
    let led = led.filter(|address| address.starts_with('/') && !address.starts_with("//"));
    if let Some(led) = led.and_then(|address| HeaderValue::try_from(base.at(address)).ok()) {
        answer.headers_mut().insert(header::LOCATION, led);
    }
}

fn elsewhere(base: &BasePath, method: &Method, address: &Uri) -> Response {
    let mut answer = if address.path() == "/" && *method == Method::GET {
        Redirect::temporary(&base.at("/")).into_response()
    } else {
        let detail = format!(
            "Pitwall is served below {base}/ here. A proxy in front must pass this path on as it is."
        );
        ProblemResponse(Problem { status: 404, detail }).into_response()
    };
    protect(answer.headers_mut(), false);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_whole_parts_of_plain_characters() {
        for (text, path) in [("", ""), ("/", ""), ("/pitwall", "/pitwall"), ("/a/b-1.x/", "/a/b-1.x")] {
            assert_eq!(text.parse(), Ok(BasePath(path.to_owned())), "{text}");
        }
        for wrong in
            ["pitwall", "//", "/a//b", "/..", "/a/.", "/a b", "/%61", "/a?b", "/a#b", "https://a/b", "/a\\b"]
        {
            assert!(wrong.parse::<BasePath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_stands_below_the_path_is_inside_of_it() {
        let base = BasePath("/pitwall".to_owned());
        let inside =
            |address: &str| moved(&base, &address.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(inside("/pitwall").as_deref(), Some("/"));
        assert_eq!(inside("/pitwall?a=1").as_deref(), Some("/?a=1"));
        assert_eq!(inside("/pitwall/runs?a=1").as_deref(), Some("/runs?a=1"));
        for elsewhere in ["/", "/pitwalls", "/runs", "/runs/pitwall/"] {
            assert_eq!(inside(elsewhere), None, "{elsewhere}");
        }
    }
}
