//! The document around every page, and the routes.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    base::{at, base},
    browser::root_attribute,
    components::{
        access::{AccessNote, keep_drafts_apart, once_in, provide_identity},
        badge::NeedsYou,
        keys::KeyHelp,
        top_bar::TopBar,
    },
    families::FamilyAddress,
    live::{Heartbeat, OldSince, RunFeed},
    pages::{
        lazy::{
            AccountRoute, CompareRoute, DocumentRoute, DocumentsRoute, FamilyRoute, OverviewRoute, RunRoute,
            RunsRoute, SignInRoute, StartRoute, TrialsRoute, WantedAddress,
        },
        not_found::NotFoundPage,
    },
};

/// The font of nearly all text. Its version is in its name, as in the style sheet's: a browser keeps it unasked.
const TEXT_FONT: &str = "/fonts/inter-latin-wght-normal.v5.woff2";

/// Chooses the theme.
const THEME: &str = include_str!("shell/theme.js");

/// What the router takes off the addresses of a browser. The server has done so already.
fn router_base() -> &'static str {
    if cfg!(feature = "ssr") { "" } else { base() }
}

/// What runs before the page's program, and says so where that does not come.
const START: &str = include_str!("shell/start.js");

/// Whether there are kinds of document, as the server says it once for all pages.
#[derive(Clone, Copy, Debug)]
pub struct OffersDocuments(pub bool);

/// Whether the bar above every page leads to the documents.
pub(crate) fn offers_documents() -> bool {
    if cfg!(feature = "ssr") {
        return use_context::<OffersDocuments>().is_some_and(|offers| offers.0);
    }
    root_attribute("data-documents").is_some()
}

/// The HTML document that the server sends.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    #[cfg(feature = "ssr")]
    forbid_foreign_content();
    let heartbeat = use_context::<Heartbeat>().unwrap_or_default().0.as_millis().to_string();
    let documents = offers_documents().then_some("");
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-base=base()
            data-heartbeat=heartbeat
            data-time=rendered_at()
            data-documents=documents
            data-families=said_families()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark light" />
                <script nonce=use_nonce() inner_html=START></script>
                // Within the page, so that nothing waits for another file.
                <script nonce=use_nonce() inner_html=THEME></script>
                // First, as the page is painted with them; what makes it alive comes behind.
                <HashedStylesheet options=options.clone() id="leptos" root=base() />
                <link
                    rel="preload"
                    href=at(TEXT_FONT)
                    r#as="font"
                    type="font/woff2"
                    crossorigin="anonymous"
                />
                <link rel="icon" type="image/svg+xml" href=at("/favicon.svg") />
                <AutoReload options=options.clone() />
                <HydrationScripts options root=base().to_owned() />
                <MetaTags />
            </head>
            <body>
                <App />
                <noscript>
                    <p class="start-note">
                        "This page needs scripts, which this browser does not run. It only shows how things stood when it was opened. Allow scripts for this address, then reload the page."
                    </p>
                </noscript>
            </body>
        </html>
    }
}

/// The server's time, for [`crate::browser::now`].
#[cfg(feature = "ssr")]
fn rendered_at() -> Option<String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_millis().to_string())
}

/// Documents are rendered on the server only.
#[cfg(not(feature = "ssr"))]
fn rendered_at() -> Option<String> {
    None
}

/// What the pages know of families before their pages are there, for [`crate::families::outlines`].
#[cfg(feature = "ssr")]
fn said_families() -> Option<String> {
    serde_json::to_string(crate::families::outlines()).ok()
}

/// Documents are rendered on the server only.
#[cfg(not(feature = "ssr"))]
fn said_families() -> Option<String> {
    None
}

/// Nothing but what this server sends may run, be shown or be called, and no other
/// site may frame the page.
#[cfg(feature = "ssr")]
fn forbid_foreign_content() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<leptos_axum::ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(value) = policy.parse() {
        response.insert_header(http::header::CONTENT_SECURITY_POLICY, value);
    }
}

/// The pages.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    #[cfg(not(feature = "hydrate"))]
    provide_context(crate::families::NamedSheets::default());
    provide_identity();
    keep_drafts_apart();
    let feed = RunFeed::provide();
    let needs_you = NeedsYou::follow(&feed);
    let connection = feed.connection();
    OldSince::provide(move || connection.get().as_of());
    once_in(move || feed.listen());
    view! {
        <Title formatter=move |title: String| needs_you.title(&title) />
        <Router base=router_base()>
            <WantedAddress />
            <a class="skip-link" href="#main">
                "Skip to the content"
            </a>
            <TopBar />
            <AccessNote />
            <main id="main" tabindex="-1">
                <Routes fallback=NotFoundPage>
                    // Whole before it is sent: the status code depends on what exists, and a
                    // browser without scripts could not put later parts into their places.
                    <Route path=path!("/") view={Lazy::<OverviewRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/start") view={Lazy::<StartRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/runs") view={Lazy::<RunsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view={Lazy::<RunRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/compare") view={Lazy::<CompareRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/trials") view={Lazy::<TrialsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/documents") view={Lazy::<DocumentsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/documents/:id") view={Lazy::<DocumentRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/account") view={Lazy::<AccountRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/sign-in") view={Lazy::<SignInRoute>::new()} ssr=SsrMode::Async />
                    <Route path=FamilyAddress view={Lazy::<FamilyRoute>::new()} ssr=SsrMode::Async />
                </Routes>
            </main>
            <KeyHelp />
        </Router>
    }
}
