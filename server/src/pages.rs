//! The pages: rendered on the server, hydrated in the browser.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::{
    App, Heartbeat, OffersDocuments,
    families::{FamilyAddress, own_pages},
    pages::lazy::LargeFiles,
    shell,
};
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use backend::{SharedAccountBackend, SharedBackend, SharedDocuments};
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos_axum::{AxumRouteListing, ErrorHandler, LeptosRoutes, generate_route_list};
use tower_http::services::{ServeDir, ServeFile};

use crate::{families, scope::Gateway};

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
pub fn router(gateway: Gateway, site: &Path, heartbeat: Heartbeat) -> Router {
    let options = LeptosOptions::builder()
        .output_name("pitwall")
        .site_root(site.to_string_lossy())
        .hash_files(has_hashes())
        .build();
    let offers_documents = OffersDocuments(gateway.offers_documents());
    let large_files = large_files(&site.join("pkg"));
    let context = move || {
        // The guard has put the caller into the request's extensions.
        let extensions = use_context::<Parts>().map(|parts| parts.extensions).unwrap_or_default();
        let scoped = Arc::new(gateway.scoped(&extensions));
        provide_context(heartbeat);
        provide_context(offers_documents);
        provide_context(large_files.clone());
        families::provide(&scoped);
        provide_context::<SharedAccountBackend>(scoped.clone());
        provide_context::<SharedDocuments>(scoped.clone());
        provide_context::<SharedBackend>(scoped);
    };
    let routes = generate_route_list(App).into_iter().flat_map(exact).collect();
    let package = Router::new()
        .fallback_service(ServeDir::new(site.join("pkg")).precompressed_br().precompressed_gzip())
        .layer(middleware::from_fn(allow_to_keep));
    let fonts = Router::new()
        .fallback_service(ServeDir::new(site.join("fonts")))
        .layer(middleware::from_fn(allow_to_keep));
    let sheets = Router::new()
        .fallback_service(ServeDir::new(site.join("families")).precompressed_br().precompressed_gzip())
        .layer(middleware::from_fn(allow_to_keep));
    let favicon = ServeFile::new(site.join("favicon.svg")).precompressed_br().precompressed_gzip();
    let favicon = Router::new().route_service(FAVICON, favicon).layer(middleware::from_fn(allow_to_keep));
    let files = ServeDir::new(site).precompressed_br().precompressed_gzip();
    let shell_options = options.clone();
    Router::new()
        .leptos_routes_with_context(&options, routes, context.clone(), move || shell(shell_options.clone()))
        .nest("/pkg", package)
        .nest("/fonts", fonts)
        .nest("/families", sheets)
        .merge(favicon)
        .fallback_service(files.fallback(ErrorHandler::new_with_context(context, shell, options.clone())))
        .with_state(options)
}

/// The addresses of a route. Those of families' own pages are one route for the pages; were it one here, no file would
/// be found any more.
fn exact(route: AxumRouteListing) -> Vec<AxumRouteListing> {
    if route.path() != FamilyAddress::ALL {
        return vec![route];
    }
    let roots = own_pages().flat_map(|page| &page.below);
    let paths = roots.flat_map(|root| [root.clone(), format!("{root}/{{*address}}")]);
    paths.map(|path| AxumRouteListing::new(path, route.mode().clone(), route.methods(), Vec::new())).collect()
}

/// A file of the page's program of so many bytes is fetched early.
const LARGE: u64 = 16 * 1024;

fn large_files(folder: &Path) -> LargeFiles {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let large = files.filter_map(|file| {
        let name = file.file_name().into_string().ok()?.strip_suffix(".wasm")?.to_owned();
        (file.metadata().ok()?.len() >= LARGE).then_some(name)
    });
    LargeFiles(Arc::new(large.collect()))
}

/// Whether the build wrote the file with hashes beside the program.
fn has_hashes() -> bool {
    let program = std::env::current_exe().ok();
    program.and_then(|program| Some(program.parent()?.join("hash.txt").is_file())).unwrap_or(false)
}

/// Sets how long a browser may cache a file of the page's program.
async fn allow_to_keep(request: Request, next: Next) -> Response {
    let lifetime = lifetime(request.uri().path());
    let mut response = next.run(request).await;
    // A missing file may exist after an update.
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CACHE_CONTROL, lifetime);
    }
    response
}

/// The picture of the browser's tab.
const FAVICON: &str = "/favicon.svg";

/// Names contain a hash of the content, or a version for fonts, so cached copies are never stale. The
/// program's main files are the exception: they are hashed before the names of other files are inserted. The
/// favicon has no version in its name, and may be a day old. Nor have the families' style sheets, which must be those
/// of the program.
fn lifetime(path: &str) -> HeaderValue {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_of_all = name.starts_with("pitwall.");
    let is_asked_for = is_of_all != name.ends_with(".css");
    HeaderValue::from_static(if is_asked_for || name.ends_with(".txt") {
        "no-cache"
    } else if path == FAVICON {
        "public, max-age=86400"
    } else {
        "public, max-age=31536000, immutable"
    })
}

#[cfg(test)]
mod tests {
    use super::lifetime;

    #[test]
    fn only_files_whose_name_follows_their_content_are_kept_unasked() {
        for kept in ["/split_overview.x.wasm", "/chunk_3.x.wasm", "/__wasm_split.x.js", "/pitwall.x.css"] {
            assert_eq!(lifetime(kept), "public, max-age=31536000, immutable", "{kept}");
        }
        assert_eq!(lifetime("/inter.v5.woff2"), "public, max-age=31536000, immutable");
        assert_eq!(lifetime("/favicon.svg"), "public, max-age=86400");
        for asked in ["/pitwall.x.wasm", "/pitwall.x.js", "/trading.css", "/inter-LICENSE.txt"] {
            assert_eq!(lifetime(asked), "no-cache", "{asked}");
        }
    }
}
