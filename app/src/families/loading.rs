//! When the families' parts of the program are there: on the server always, in a browser once they have come.

use leptos::{prelude::*, task::spawn_local};

#[cfg(feature = "hydrate")]
pub(crate) use self::browser::{load_named, load_pages};
#[cfg(feature = "hydrate")]
use self::browser::{load_views, loaded_pages, loaded_views};
#[cfg(not(feature = "hydrate"))]
pub(crate) use self::server::NamedParts;
#[cfg(not(feature = "hydrate"))]
use self::server::{load_pages, load_views, loaded_pages, loaded_views};
use super::{NAMES, Views};

/// A family's views, once they are there.
pub(crate) fn views(family: &str) -> RwSignal<Option<Views>> {
    now_or_later(family, loaded_views, load_views)
}

/// What draws a family's own pages, once it is there.
pub(crate) fn pages(family: &str) -> RwSignal<Option<fn() -> AnyView>> {
    now_or_later(family, loaded_pages, load_pages)
}

fn now_or_later<T: Copy + Send + Sync + 'static, Loading: Future<Output = Option<T>> + 'static>(
    family: &str,
    loaded: fn(&'static str) -> Option<T>,
    load: fn(&'static str) -> Loading,
) -> RwSignal<Option<T>> {
    let Some(family) = NAMES.iter().copied().find(|known| *known == family) else {
        return RwSignal::new(None);
    };
    let part = RwSignal::new(loaded(family));
    // Only in the browser.
    Effect::new(move |_| {
        if part.with_untracked(Option::is_none) {
            spawn_local(async move {
                part.try_set(load(family).await);
            });
        }
    });
    part
}

/// Where a family's style sheet is.
fn style_sheet(family: &str) -> String {
    crate::base::at(format!("/families/{family}.css"))
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::RefCell, collections::BTreeMap, thread::LocalKey};

    use futures::future::join;
    use leptos::prelude::AnyView;

    use super::{
        super::{NAMES, Views, parts},
        style_sheet,
    };
    use crate::browser::{add_style_sheet, has_style_sheet, is_alive};

    /// What has come, by its family.
    type Loaded<T> = RefCell<BTreeMap<&'static str, T>>;

    thread_local! {
        static VIEWS: Loaded<Views> = const { RefCell::new(BTreeMap::new()) };
        static PAGES: Loaded<fn() -> AnyView> = const { RefCell::new(BTreeMap::new()) };
    }

    pub(super) fn loaded_views(family: &'static str) -> Option<Views> {
        VIEWS.with_borrow(|loaded| loaded.get(family).copied())
    }

    pub(super) fn loaded_pages(family: &'static str) -> Option<fn() -> AnyView> {
        PAGES.with_borrow(|loaded| loaded.get(family).copied())
    }

    pub(super) async fn load_views(family: &'static str) -> Option<Views> {
        load(family, &VIEWS, parts::views(family)).await
    }

    pub(crate) async fn load_pages(family: &'static str) -> Option<fn() -> AnyView> {
        load(family, &PAGES, parts::pages(family)).await
    }

    /// Loads a part together with the family's style sheet, so that nothing is drawn without it.
    async fn load<T: Copy>(
        family: &'static str,
        loaded: &'static LocalKey<Loaded<T>>,
        part: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        if let Some(part) = loaded.with_borrow(|loaded| loaded.get(family).copied()) {
            return Some(part);
        }
        let (part, ()) = join(part, add_style_sheet(style_sheet(family))).await;
        let part = part?;
        loaded.with_borrow_mut(|loaded| loaded.insert(family, part));
        Some(part)
    }

    /// Loads the views of the families that the document was drawn with: its program begins with the same.
    pub(crate) async fn load_named() {
        if is_alive() {
            return;
        }
        for family in NAMES.iter().filter(|family| has_style_sheet(&style_sheet(family))) {
            load_views(family).await;
        }
    }
}

#[cfg(not(feature = "hydrate"))]
mod server {
    use std::collections::BTreeSet;

    use leptos::prelude::*;
    #[cfg(feature = "ssr")]
    use leptos_meta::Stylesheet;

    use super::super::{Views, whole};

    /// The families' parts that the document names so far.
    #[derive(Clone, Default)]
    pub(crate) struct NamedParts(ArcStoredValue<BTreeSet<&'static str>>);

    pub(super) fn loaded_views(family: &'static str) -> Option<Views> {
        name(family, family);
        whole::views(family)
    }

    pub(super) fn loaded_pages(family: &'static str) -> Option<fn() -> AnyView> {
        let (pages, part) = whole::pages(family)?;
        name(family, part);
        Some(pages)
    }

    /// Names a part's files and the family's style sheet in the document's head, once.
    #[cfg_attr(
        not(feature = "ssr"),
        expect(unused_variables, reason = "documents are rendered on the server")
    )]
    fn name(family: &'static str, part: &'static str) {
        // What is drawn for a file has no head.
        #[cfg(feature = "ssr")]
        if let Some(NamedParts(named)) = use_context()
            && named.try_update_value(|named| named.insert(part)) == Some(true)
        {
            let href = super::style_sheet(family);
            drop(view! { <Stylesheet href /> }.to_html());
            crate::pages::lazy::name_files(part);
        }
    }

    /// Nothing comes later.
    pub(super) async fn load_views(family: &'static str) -> Option<Views> {
        whole::views(family)
    }

    /// Nothing comes later.
    pub(super) async fn load_pages(family: &'static str) -> Option<fn() -> AnyView> {
        whole::pages(family).map(|(pages, _)| pages)
    }
}
