//! The pages: rendered here, then taken over by the browser.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::{App, backend::SharedBackend, shell};
use axum::{
    Router,
    http::{HeaderValue, header},
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{ErrorHandler, LeptosRoutes, generate_route_list};
use tower::ServiceBuilder;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use crate::service::Service;

/// The folder with the built pages: the one given, `site` beside the program, or where the
/// build leaves it.
pub fn find_site(given: Option<&Path>) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
    let built = beside.as_ref().and_then(|site| Some(site.parent()?.parent()?.join("site")));
    let candidates = match given {
        Some(given) => vec![given.to_path_buf()],
        None => beside.into_iter().chain(built).chain([PathBuf::from("target/site")]).collect(),
    };
    candidates.into_iter().find(|site| site.join("pkg").is_dir())
}

/// The pages, their server functions and their files.
pub fn router(service: Arc<Service>, site: &Path) -> Router {
    let options = LeptosOptions::builder()
        .output_name("pitwall")
        .site_root(site.to_string_lossy())
        .hash_files(true)
        .build();
    let backend: SharedBackend = service;
    let context = move || provide_context(backend.clone());
    let routes = generate_route_list(App);
    // Names in `pkg` carry a hash of the content, so a copy never goes stale.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    let package = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, forever))
        .service(ServeDir::new(site.join("pkg")).precompressed_br().precompressed_gzip());
    let files = ServeDir::new(site).precompressed_br().precompressed_gzip();
    let shell_options = options.clone();
    Router::new()
        .leptos_routes_with_context(&options, routes, context.clone(), move || shell(shell_options.clone()))
        .nest_service("/pkg", package)
        .fallback_service(files.fallback(ErrorHandler::new_with_context(context, shell, options.clone())))
        .with_state(options)
}
