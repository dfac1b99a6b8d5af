//! When a family's own pages are there: on the server always, in a browser once their part of the program has come.

use leptos::{prelude::*, task::spawn_local};

#[cfg(feature = "hydrate")]
pub(crate) use self::browser::load_pages;
#[cfg(feature = "hydrate")]
use self::browser::loaded_pages;
#[cfg(not(feature = "hydrate"))]
use self::server::{load_pages, loaded_pages};
use super::known;

/// What draws a family's own pages, once it is there.
pub(crate) fn pages(family: &str) -> RwSignal<Option<fn() -> AnyView>> {
    let Some(family) = known(family) else { return RwSignal::new(None) };
    let pages = RwSignal::new(loaded_pages(family));
    // Only in the browser.
    Effect::new(move |_| {
        if pages.with_untracked(Option::is_none) {
            spawn_local(async move {
                pages.try_set(load_pages(family).await);
            });
        }
    });
    pages
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::RefCell, collections::BTreeMap};

    use futures::future::join;
    use leptos::prelude::AnyView;

    use super::super::{parts, style::add_style};

    /// What has come, by its family.
    type Loaded = RefCell<BTreeMap<&'static str, fn() -> AnyView>>;

    thread_local! {
        static PAGES: Loaded = const { RefCell::new(BTreeMap::new()) };
    }

    pub(super) fn loaded_pages(family: &'static str) -> Option<fn() -> AnyView> {
        PAGES.with_borrow(|loaded| loaded.get(family).copied())
    }

    /// Loads the pages together with the family's style sheet, so that nothing is drawn without it.
    pub(crate) async fn load_pages(family: &'static str) -> Option<fn() -> AnyView> {
        if let Some(pages) = loaded_pages(family) {
            return Some(pages);
        }
        let (pages, ()) = join(parts::pages(family), add_style(family)).await;
        let pages = pages?;
        PAGES.with_borrow_mut(|loaded| loaded.insert(family, pages));
        Some(pages)
    }
}

#[cfg(not(feature = "hydrate"))]
mod server {
    use leptos::prelude::AnyView;

    use super::super::{style::name_style, whole};

    pub(super) fn loaded_pages(family: &'static str) -> Option<fn() -> AnyView> {
        let (pages, _part) = whole::pages(family)?;
        name_style(family);
        #[cfg(feature = "ssr")]
        crate::pages::lazy::name_files(_part);
        Some(pages)
    }

    /// Nothing comes later.
    pub(super) async fn load_pages(family: &'static str) -> Option<fn() -> AnyView> {
        whole::pages(family).map(|(pages, _)| pages)
    }
}
