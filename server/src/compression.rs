//! Compression of responses, without revealing their content by their length.
//!
//! An observer of the connection sees the length of a response. A text of a stranger's choice makes it
//! shorter where the same text occurs elsewhere in it, so a private text could be guessed bit by bit
//! (BREACH). Therefore a response is not compressed if another site may have chosen the URL that it repeats,
//! and every other one has random padding.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::compression::{CompressionLayer, Predicate};

/// A header of random length.
const PADDING: HeaderName = HeaderName::from_static("x-padding");

/// The most bytes of padding.
const MOST_PADDING: usize = 128;

/// Smaller responses fit the packet of the headers.
const WORTH_IT: u64 = 1024;

/// Compresses pages and documents, for clients that accept it.
pub fn compressed(router: Router) -> Router {
    router.layer(CompressionLayer::new().compress_when(Documents)).layer(middleware::from_fn(hide_lengths))
}

/// Matches documents that are made as a whole. Streams must not be buffered by a compressor, and files of the
/// page are compressed by the build.
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

/// Whether another site may have navigated a browser here, with a URL of its choice. Writes, and responses
/// that show a token, come from our own pages only; for a typed address or a link that was followed, the
/// browser's headers say that a person navigated.
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
