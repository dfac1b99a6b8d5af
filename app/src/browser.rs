//! What the pages use of the browser. Nothing here may be called while the server
//! renders: it is for event handlers and effects.

#[cfg(feature = "hydrate")]
use std::time::Duration;

use leptos::{
    prelude::{document, window},
    wasm_bindgen::JsCast,
    web_sys::{Element, KeyboardEvent, MediaQueryList, Storage},
};
use protocol::Timestamp;

/// This moment by the browser's clock.
pub fn now() -> Timestamp {
    // Whole milliseconds fit an i64 for the next 292 million years.
    Timestamp(js_sys::Date::now() as i64)
}

/// A random number from 0 to below 1.
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// Whether the tab is hidden: the browser draws no frames then.
pub fn is_hidden() -> bool {
    document().hidden()
}

/// Whether a media query holds.
pub fn matches_media(query: &str) -> bool {
    media(query).is_some_and(|list| list.matches())
}

fn media(query: &str) -> Option<MediaQueryList> {
    window().match_media(query).ok().flatten()
}

/// What is kept for this site in the browser, if the person allows it.
pub fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What this tab remembers under a name, over reloads, if the person allows it.
#[cfg(feature = "hydrate")]
pub fn kept_in_tab(name: &str) -> Option<String> {
    tab_storage()?.get_item(name).ok().flatten()
}

/// Lets this tab remember something over reloads. Where the browser refuses, it is forgotten then.
#[cfg(feature = "hydrate")]
pub fn keep_in_tab(name: &str, value: &str) {
    drop(tab_storage().map(|storage| storage.set_item(name, value)));
}

/// Lets this tab forget something.
#[cfg(feature = "hydrate")]
pub fn forget_in_tab(name: &str) {
    drop(tab_storage().map(|storage| storage.remove_item(name)));
}

#[cfg(feature = "hydrate")]
fn tab_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Puts a text on the clipboard. Where the browser refuses, nothing happens.
pub fn copy(text: &str) {
    drop(window().navigator().clipboard().write_text(text));
}

/// Asks the server for this page again.
#[cfg(feature = "hydrate")]
pub fn reload() {
    drop(window().location().reload());
}

/// Leaves for another page of this site, loaded as a whole.
pub fn load(path: &str) {
    drop(window().location().assign(path));
}

/// Whether the focus is on the page as a whole, or inside of what the selector names.
pub fn is_free_or_in(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_none_or(|element| {
        matches!(element.tag_name().as_str(), "BODY" | "MAIN")
            || element.closest(selector).ok().flatten().is_some()
    })
}

/// Whether a key belongs to what has the focus, or to the browser, and not to the page.
pub fn is_for_input(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return true;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| {
        element.closest("input, textarea, select, dialog, [contenteditable]").ok().flatten().is_some()
    })
}

/// Waits.
#[cfg(feature = "hydrate")]
pub async fn sleep(wait: Duration) {
    let (done, slept) = futures::channel::oneshot::channel::<()>();
    // Nobody may wait any more when it is over.
    leptos::prelude::set_timeout(move || done.send(()).unwrap_or_default(), wait);
    slept.await.unwrap_or_default();
}

/// Words above the page that do not wait for the page's program; gone when it is dropped.
pub struct Banner(Option<Element>);

impl Banner {
    /// Shows it.
    pub fn show(words: &str) -> Self {
        Self(Self::insert(words))
    }

    /// Leaves it on the page.
    pub fn keep(mut self) {
        self.0 = None;
    }

    fn insert(words: &str) -> Option<Element> {
        // Several sockets may hear of one trouble.
        let shown = document().query_selector(".top-banner").ok()?;
        if shown.is_some_and(|shown| shown.text_content().as_deref() == Some(words)) {
            return None;
        }
        let banner = document().create_element("div").ok()?;
        banner.set_class_name("top-banner");
        banner.set_attribute("role", "alert").ok()?;
        banner.set_text_content(Some(words));
        document().body()?.prepend_with_node_1(&banner).ok()?;
        Some(banner)
    }
}

impl Drop for Banner {
    fn drop(&mut self) {
        if let Some(banner) = &self.0 {
            banner.remove();
        }
    }
}
