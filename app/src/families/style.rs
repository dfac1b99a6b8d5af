//! Whether a family's style sheet is there: on the server always, in a browser once it has come.

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos::task::spawn_local;

#[cfg(feature = "hydrate")]
use crate::browser::{add_style_sheet, has_style_sheet};

/// Where a family's style sheet is.
fn address(family: &str) -> String {
    crate::base::at(format!("/families/{family}.css"))
}

/// Whether what a family shows can be drawn. A browser asks for its style sheet where the document does not name it.
#[cfg(feature = "hydrate")]
pub(super) fn has_style(family: &'static str) -> Signal<bool> {
    let has_style = RwSignal::new(has_style_sheet(&address(family)));
    if !has_style.get_untracked() {
        spawn_local(async move {
            add_style(family).await;
            has_style.try_set(true);
        });
    }
    has_style.into()
}

/// Adds a family's style sheet to the document and waits until it is there.
#[cfg(feature = "hydrate")]
pub(super) async fn add_style(family: &str) {
    add_style_sheet(address(family)).await;
}

/// It can, and the document names the style sheet that it needs.
#[cfg(not(feature = "hydrate"))]
pub(super) fn has_style(family: &'static str) -> Signal<bool> {
    name_style(family);
    Signal::stored(true)
}

/// The families whose style sheets the document names so far.
#[cfg(not(feature = "hydrate"))]
#[derive(Clone, Default)]
pub(crate) struct NamedSheets(ArcStoredValue<std::collections::BTreeSet<&'static str>>);

/// Names a family's style sheet in the document's head, once. What is drawn for a file has no head.
#[cfg(not(feature = "hydrate"))]
pub(super) fn name_style(family: &'static str) {
    #[cfg(feature = "ssr")]
    if let Some(NamedSheets(named)) = use_context()
        && named.try_update_value(|named| named.insert(family)) == Some(true)
    {
        let href = address(family);
        drop(view! { <leptos_meta::Stylesheet href /> }.to_html());
    }
}
