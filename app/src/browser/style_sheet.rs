//! Style sheets that come after the page.

use std::{cell::Cell, rc::Rc};

use futures::channel::oneshot;
use js_sys::Reflect;
use leptos::{
    prelude::document,
    wasm_bindgen::{JsValue, closure::Closure},
    web_sys::Element,
};

/// Whether the document has a style sheet, or waits for it.
pub fn has_style_sheet(address: &str) -> bool {
    let found = document().query_selector(&format!("link[rel=stylesheet][href=\"{address}\"]"));
    found.is_ok_and(|found| found.is_some())
}

/// Gives the document a style sheet unless it has it, and waits until that is there. One that cannot be loaded is done
/// without, and asked for again by whoever needs it next.
pub async fn add_style_sheet(address: String) {
    if has_style_sheet(&address) {
        return;
    }
    let Some((link, answer)) = insert(&address) else { return };
    if answer.await != Ok(true) {
        link.remove();
    }
}

/// The new element, and whether its sheet could be loaded.
fn insert(address: &str) -> Option<(Element, oneshot::Receiver<bool>)> {
    let link = document().create_element("link").ok()?;
    let (send, answer) = oneshot::channel();
    let send = Rc::new(Cell::new(Some(send)));
    for (event, is_loaded) in [("onload", true), ("onerror", false)] {
        let send = send.clone();
        let tell = Closure::once_into_js(move || {
            if let Some(send) = send.take() {
                // Nobody may wait any more.
                send.send(is_loaded).unwrap_or_default();
            }
        });
        Reflect::set(&link, &JsValue::from_str(event), &tell).ok()?;
    }
    link.set_attribute("rel", "stylesheet").ok()?;
    link.set_attribute("href", address).ok()?;
    document().head()?.append_child(&link).ok()?;
    Some((link, answer))
}
