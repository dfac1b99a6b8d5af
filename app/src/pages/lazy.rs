//! The pages' routes. Their code is in parts of the program, loaded when one of a part's pages is first
//! opened.
//!
//! The server renders such a page as any other and names its part's files in the head, so that they
//! come together with the program.

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use leptos::wasm_split::SplitLoaderError;

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use crate::{
    browser::{self, Banner},
    live::wait_after,
};

/// Names the files of a part in the document's head. Leptos's own way to do so sometimes names none:
/// it asks for the list of files where no context may be left.
#[cfg(feature = "ssr")]
fn name_files(part: &str) {
    use leptos::{WasmSplitManifest, prelude::*};
    use leptos_meta::Link;

    let Some(manifest) = use_context::<WasmSplitManifest>() else { return };
    let Some(manifest) = manifest.0.try_read_value() else { return };
    let (folder, files, loader) = &*manifest;
    // Their rendering adds them to the head.
    for file in files.get(part).into_iter().flatten() {
        let href = format!("{folder}/{file}.wasm");
        let link = view! { <Link rel="preload" href as_="fetch" type_="application/wasm" crossorigin="anonymous" /> };
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

        impl leptos_router::LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> leptos::prelude::AnyView {
                $module::view().await
            }

            async fn preload() {
                $module::load().await;
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
// leads to another page, is in that page's part.
lazy_pages! {
    OverviewRoute, overview, overview, OverviewPage;
    SignInRoute, overview, sign_in, SignInPage;
    RunsRoute, runs, runs, RunsPage;
    RunRoute, run, run, RunPage;
    CompareRoute, compare, compare, ComparePage;
    PortfolioRoute, portfolio, portfolio, PortfolioPage;
    FirstPortfolioRoute, portfolio, portfolios, FirstPortfolioPage;
    AccountRoute, account, account, AccountPage;
}

/// Tries until a page's file is there. What is on the screen stays meanwhile, under a
/// banner that says what is the matter.
#[cfg(all(feature = "hydrate", not(debug_assertions)))]
async fn until_loaded(load: impl AsyncFn() -> Result<(), SplitLoaderError>) {
    let mut failures = 0;
    let mut banner = None;
    while load().await.is_err() {
        failures += 1;
        banner.get_or_insert_with(|| {
            Banner::show(
                "A part of this page could not be loaded; Pitwall keeps trying. If Pitwall was just \
                 updated, reload the page.",
            )
        });
        browser::sleep(wait_after(failures, browser::random())).await;
    }
}
