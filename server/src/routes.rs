//! The routes of all interfaces, and what stands around them.

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    http::StatusCode,
    middleware,
    routing::{get, post},
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{
    access::{self, Access},
    agentos,
    base_path::BasePath,
    compression, families, feeds, poll_routes, problem, rest, run_socket,
    scope::{Gateway, Scoped},
    service::Service,
    sign_in,
};

/// All interfaces except the pages, behind the rules of access.
pub fn interfaces(service: Arc<Service>, access: Access) -> Router {
    let gateway = Gateway::new(service, access);
    guarded(routes(gateway.clone(), &BasePath::default()), gateway)
}

/// Puts the guard, compression and tracing around all routes.
pub(crate) fn guarded(router: Router, gateway: Gateway) -> Router {
    compression::compressed(router)
        .layer(CatchPanicLayer::custom(problem::defect))
        .layer(middleware::from_fn_with_state(Arc::<Access>::from_ref(&gateway), access::guard))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

/// All interfaces except the pages.
pub(crate) fn routes(gateway: Gateway, base: &BasePath) -> Router {
    rest::router(base)
        .merge(agentos::router())
        .route("/sign-in", post(sign_in::sign_in))
        .route("/sign-in/kept", get(sign_in::kept))
        .route("/s/{token}", get(access::open_share))
        .route("/ws/v1/runs/{run}", get(run_socket::connect).post(run_socket::poll))
        .route("/ws/v1/feed", get(feeds::runs).post(feeds::poll_runs))
        .merge(families::routes())
        .route("/ws/v1/polls/{poll}", get(poll_routes::ask).delete(poll_routes::end))
        // Runs are resumed before the first connection is accepted, so an answer means that the server is
        // ready.
        .route("/healthz", get(health))
        .with_state(gateway)
}

/// `GET /healthz`: `ok`, or 503 and why the server cannot do its work any more.
async fn health(service: Scoped) -> (StatusCode, String) {
    match service.death() {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

/// A request's tracing span. Its URL may contain a token, so only the path is recorded.
fn span(request: &axum::extract::Request) -> tracing::Span {
    let path = request.uri().path();
    let path = if path.starts_with("/s/") { "/s/…" } else { path };
    tracing::debug_span!("request", method = %request.method(), path)
}
