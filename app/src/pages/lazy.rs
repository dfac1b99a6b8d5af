//! The pages' routes. Their code is in parts of the program, loaded when one of a part's pages is first
//! opened; what the search finds, most of it runs, is in the part of their list, loaded when the search is first used.
//!
//! The server renders such a page as any other and names its part's files in the head, so that they
//! come together with the program.

use leptos::prelude::*;
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;
#[cfg(feature = "hydrate")]
use leptos_router::location::Url;

#[cfg(feature = "hydrate")]
use crate::{
    browser,
    families::{FamilyAddress, at_address, load_pages},
};
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use crate::{browser::Banner, live::wait_after};
use crate::{
    components::search::{SearchField, found},
    families::FamilyPages,
};

#[cfg(feature = "hydrate")]
thread_local! {
    /// Where the person wants to be: known before the page is there.
    static WANTED: std::cell::Cell<Option<ReadSignal<Url>>> = const { std::cell::Cell::new(None) };
}

/// Notes, inside of the router, where links lead.
#[component]
pub fn WantedAddress() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    WANTED.set(Some(leptos_router::hooks::use_url()));
}

/// Loads something later than at once: to ask for some forty files takes a phone long enough to be felt.
#[cfg(feature = "hydrate")]
async fn in_a_task_of_its_own(load: impl Future<Output = ()>) {
    browser::sleep(std::time::Duration::ZERO).await;
    browser::fetch_named_files();
    load.await;
}

/// The files of the page's program, without their ending, that are large enough to be named in the head of a page: a
/// browser is busy for longer with the order to fetch one early than a small one is late without it.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default)]
pub struct LargeFiles(pub std::sync::Arc<std::collections::BTreeSet<String>>);

/// Names the large files of a part in the document's head. Leptos's own way to do so sometimes names none:
/// it asks for the list of files where no context may be left.
#[cfg(feature = "ssr")]
pub(crate) fn name_files(part: &str) {
    use leptos::{WasmSplitManifest, prelude::*};
    use leptos_meta::Link;

    let Some(manifest) = use_context::<WasmSplitManifest>() else { return };
    let Some(manifest) = manifest.0.try_read_value() else { return };
    let (folder, files, loader) = &*manifest;
    let large = use_context::<LargeFiles>().unwrap_or_default();
    // Their rendering adds them to the head.
    for file in files.get(part).into_iter().flatten().filter(|file| large.0.contains(*file)) {
        let href = format!("{folder}/{file}.wasm");
        // The page's first script makes a preload of it once the page is painted.
        let link =
            view! { <Link rel="part" href as_="fetch" type_="application/wasm" crossorigin="anonymous" /> };
        drop(link.to_html());
    }
    let href = format!("{folder}/{loader}");
    drop(view! { <Link rel="modulepreload" href crossorigin="anonymous" /> }.to_html());
}

/// Makes a route of each page: its name, the part of the program that it is in, the module with the page,
/// and the page's component.
///
/// The splitter works on release builds; for development the program stays in one piece.
macro_rules! lazy_pages {
    ($($route:ident, $part:ident, $module:ident, $page:ident;)*) => {$(
        #[doc = concat!("Leads to [`", stringify!($page), "`](super::", stringify!($module), "::", stringify!($page), ").")]
        pub struct $route;

        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> leptos::prelude::AnyView {
                $module::view().await
            }

            // A document that is taken over waits for this, and not for the view.
            async fn preload() {
                #[cfg(feature = "hydrate")]
                in_a_task_of_its_own($module::load()).await;
            }
        }

        #[cfg(all(feature = "hydrate", not(debug_assertions)))]
        mod $module {
            use leptos::{
                prelude::{AnyView, IntoAny},
                wasm_split::{SplitLoaderError, wasm_split},
            };

            use crate::pages::$module::$page;

            // Its name tells it from the part's other pages.
            #[wasm_split($part, wasm_split_path = leptos::wasm_split, preload(try_load), fallible)]
            fn $module() -> Result<AnyView, SplitLoaderError> {
                Ok($page().into_any())
            }

            pub(super) async fn load() {
                super::until_loaded(try_load).await;
            }

            pub(super) async fn view() -> AnyView {
                load().await;
                // It fails only where the file is not there.
                $module().await.unwrap_or_else(|_| ().into_any())
            }
        }

        #[cfg(not(all(feature = "hydrate", not(debug_assertions))))]
        mod $module {
            use leptos::prelude::{AnyView, IntoAny};

            use crate::pages::$module::$page;

            #[cfg(feature = "hydrate")]
            pub(super) async fn load() {}

            pub(super) async fn view() -> AnyView {
                #[cfg(feature = "ssr")]
                super::name_files(stringify!($part));
                $page().into_any()
            }
        }
    )*};
}

// A part of its own costs every other part a few files that it shares with some of them. What is small, and
// leads to another page, is in that page's part; so is what is rarely opened, with another such page.
lazy_pages! {
    OverviewRoute, overview, overview, OverviewPage;
    StartRoute, start, start, StartPage;
    SignInRoute, overview, sign_in, SignInPage;
    RunsRoute, overview, runs, RunsPage;
    RunRoute, run, run, RunPage;
    CompareRoute, run, compare, ComparePage;
    TrialsRoute, run, trials, TrialsPage;
    AccountRoute, account, account, AccountPage;
    DocumentsRoute, account, documents, DocumentsPage;
    DocumentRoute, account, document, DocumentPage;
}

/// Leads to the pages that families have of their own.
pub struct FamilyRoute;

impl LazyRoute for FamilyRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        #[cfg(feature = "hydrate")]
        load_family_pages().await;
        view! { <FamilyPages /> }.into_any()
    }

    async fn preload() {
        #[cfg(feature = "hydrate")]
        in_a_task_of_its_own(load_family_pages()).await;
    }
}

/// Loads the pages of the family that the open address belongs to.
#[cfg(feature = "hydrate")]
async fn load_family_pages() {
    let family = FamilyAddress::open().with_untracked(|address| at_address(address));
    if let Some(family) = family {
        load_pages(family).await;
    }
}

/// How what the search finds is drawn.
#[cfg(not(all(feature = "hydrate", not(debug_assertions))))]
pub async fn search_found() -> fn(SearchField) -> AnyView {
    found::draw
}

/// How what the search finds is drawn. Its part is loaded where it is not there yet.
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
pub async fn search_found() -> fn(SearchField) -> AnyView {
    loop {
        until_loaded(try_load_search).await;
        // It fails only where the file is not there.
        if let Ok(draw) = found_by_search().await {
            return draw;
        }
    }
}

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
#[wasm_split(overview, wasm_split_path = leptos::wasm_split, preload(try_load_search), fallible)]
fn found_by_search() -> Result<fn(SearchField) -> AnyView, SplitLoaderError> {
    Ok(found::draw)
}

/// Tries until a page's file is there. What is on the screen stays meanwhile, under a
/// banner that says what is the matter.
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
pub(crate) async fn until_loaded(load: impl AsyncFn() -> Result<(), SplitLoaderError>) {
    let mut failures = 0;
    let mut banner = None;
    while load().await.is_err() {
        failures += 1;
        // Asking again would never help: the server has other files by now, and a whole page names those.
        if browser::is_outdated().await {
            drop(banner.take());
            leave_for_the_new_page().await;
        }
        banner.get_or_insert_with(|| {
            Banner::show("A part of this page could not be loaded; Pitwall keeps trying.")
        });
        browser::sleep(wait_after(failures, browser::random())).await;
    }
}

/// Loads the page that the person wants as a whole. Where that would lose what they typed, or where a page
/// just loaded lacks its files, they are asked.
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
async fn leave_for_the_new_page() {
    let wanted = WANTED.get().and_then(|url| url.try_get_untracked()).map(|url| address(&url));
    let wanted = wanted.unwrap_or_else(|| crate::base::at("/"));
    let (words, label) = match (browser::is_alive(), browser::has_typed()) {
        (true, false) => {
            browser::load(&wanted);
            return std::future::pending().await;
        }
        (true, true) => (
            "Pitwall was updated while this page was open, and the page that you want can only be loaded anew. \
             What you typed here is lost then.",
            "Load it",
        ),
        // A page that was loaded just now: to load it again by itself might never end.
        (false, _) => (
            "The server lacks a part of this page's program; perhaps Pitwall is being updated just now.",
            "Load the page again",
        ),
    };
    let _banner = Banner::with_link(words, label, &wanted);
    std::future::pending().await
}

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
fn address(url: &Url) -> String {
    let (mut address, search, hash) = (url.path().to_owned(), url.search(), url.hash());
    if !search.is_empty() {
        address = format!("{address}?{}", search.trim_start_matches('?'));
    }
    if !hash.is_empty() {
        address = format!("{address}#{}", hash.trim_start_matches('#'));
    }
    address
}
