//! Answers made smaller on their way, and what that must not tell.
//!
//! Who listens on the line sees how long an answer is. Where words of a stranger's choice stand in it, they make
//! it shorter if they also stand elsewhere in it, so that a private text could be guessed bit by bit (BREACH).
//! So an answer is left as it is where another site may have chosen the address that it says again, and any other
//! has a length that chance adds to.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::compression::{CompressionLayer, Predicate};

/// Whose length says nothing.
const PADDING: HeaderName = HeaderName::from_static("x-padding");

/// Bytes that chance adds at most.
const MOST_PADDING: usize = 128;

/// Smaller ones fit the packet that carries the answer's head.
const WORTH_IT: u64 = 1024;

/// The same routes, whose pages and documents are sent compressed to who can read that.
pub fn compressed(router: Router) -> Router {
    router.layer(CompressionLayer::new().compress_when(Documents)).layer(middleware::from_fn(hide_lengths))
}

/// What is made as a whole. Events must not wait in a compressor, and the page's files are compressed by the
/// build.
#[derive(Clone, Copy)]
struct Documents;

impl Predicate for Documents {
    fn should_compress<B: axum::body::HttpBody>(&self, response: &axum::http::Response<B>) -> bool {
        let headers = response.headers();
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_whole = response.body().size_hint().exact().is_none_or(|bytes| bytes >= WORTH_IT);
        is_whole && matches!(kind, "text/html" | "application/json")
    }
}

/// Whether another site may have led a browser here, by an address with words of its choice. What writes comes
/// from pages of ours alone, and so does what shows a token; a person who types an address or follows a link is
/// named as such by the browser.
fn may_be_led(request: &Request) -> bool {
    let shown = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let by_person = shown("sec-fetch-site") == Some("none") || shown("sec-fetch-user") == Some("?1");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let by_program = request.headers().contains_key(header::AUTHORIZATION);
    reads && request.uri().query().is_some() && !by_person && !by_program
}

async fn hide_lengths(mut request: Request, next: Next) -> Response {
    if may_be_led(&request) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.run(request).await;
    let is_compressed = response.headers().contains_key(header::CONTENT_ENCODING);
    // Files are the same for everybody.
    if is_compressed && !response.headers().contains_key(header::ACCEPT_RANGES) {
        let padding = "0".repeat(rand::random_range(0..=MOST_PADDING));
        if let Ok(padding) = HeaderValue::try_from(padding) {
            response.headers_mut().insert(PADDING, padding);
        }
    }
    response
}
