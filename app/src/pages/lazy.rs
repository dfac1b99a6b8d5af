//! The pages' routes. The code of each page is a file of its own, loaded when the page is
//! first opened.
//!
//! The server renders such a page as any other and names its file in the head, so that it
//! comes together with the program.

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use leptos::wasm_split::SplitLoaderError;

#[cfg(all(feature = "hydrate", not(debug_assertions)))]
use crate::{
    browser::{self, Banner},
    live::wait_after,
};

/// Names a page's files in the document's head. Leptos's own way to do so sometimes names none:
/// it asks for the list of files where no context may be left.
#[cfg(feature = "ssr")]
fn name_files(page: &str) {
    use leptos::{WasmSplitManifest, prelude::*};
    use leptos_meta::Link;

    let Some(manifest) = use_context::<WasmSplitManifest>() else { return };
    let Some(manifest) = manifest.0.try_read_value() else { return };
    let (folder, files, loader) = &*manifest;
    // Their rendering adds them to the head.
    for file in files.get(page).into_iter().flatten() {
        let href = format!("{folder}/{file}.wasm");
        let link = view! { <Link rel="preload" href as_="fetch" type_="application/wasm" crossorigin="anonymous" /> };
        drop(link.to_html());
    }
    let href = format!("{folder}/{loader}");
    drop(view! { <Link rel="modulepreload" href crossorigin="anonymous" /> }.to_html());
}

/// Makes a route of each page: its name, the module with the page, and the page's component.
///
/// The splitter works on release builds; for development the program stays in one piece.
macro_rules! lazy_pages {
    ($($route:ident, $file:ident, $page:ident;)*) => {$(
        #[doc = concat!("Leads to [`", stringify!($page), "`](super::", stringify!($file), "::", stringify!($page), ").")]
        pub struct $route;

        impl leptos_router::LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> leptos::prelude::AnyView {
                $file::view().await
            }

            async fn preload() {
                $file::load().await;
            }
        }

        #[cfg(all(feature = "hydrate", not(debug_assertions)))]
        mod $file {
            use leptos::{
                prelude::{AnyView, IntoAny},
                wasm_split::{SplitLoaderError, wasm_split},
            };

            use crate::pages::$file::$page;

            #[wasm_split($file, wasm_split_path = leptos::wasm_split, preload(try_load), fallible)]
            fn page() -> Result<AnyView, SplitLoaderError> {
                Ok($page().into_any())
            }

            pub(super) async fn load() {
                super::until_loaded(try_load).await;
            }

            pub(super) async fn view() -> AnyView {
                load().await;
                // It fails only where the file is not there.
                page().await.unwrap_or_else(|_| ().into_any())
            }
        }

        #[cfg(not(all(feature = "hydrate", not(debug_assertions))))]
        mod $file {
            use leptos::prelude::{AnyView, IntoAny};

            use crate::pages::$file::$page;

            pub(super) async fn load() {}

            pub(super) async fn view() -> AnyView {
                #[cfg(feature = "ssr")]
                super::name_files(stringify!($file));
                $page().into_any()
            }
        }
    )*};
}

lazy_pages! {
    OverviewRoute, overview, OverviewPage;
    RunsRoute, runs, RunsPage;
    RunRoute, run, RunPage;
    CompareRoute, compare, ComparePage;
    FirstPortfolioRoute, portfolios, FirstPortfolioPage;
    PortfolioRoute, portfolio, PortfolioPage;
    AccountRoute, account, AccountPage;
    SignInRoute, sign_in, SignInPage;
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
