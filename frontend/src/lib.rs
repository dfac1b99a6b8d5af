//! The page's program in the browser: takes over what the server rendered.

use std::panic::PanicHookInfo;

use leptos::{leptos_dom::helpers::document, mount::hydrate_body};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that loads this module.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(report_panic));
    hydrate_body(app::App);
    if let Some(root) = document().document_element() {
        // Tests wait for it: before, a click would go nowhere.
        drop(root.set_attribute("data-hydrated", "true"));
    }
}

/// A panic ends the program while the page still looks alive: say so.
fn report_panic(panic: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(panic);
    let document = document();
    if document.get_element_by_id("panic-banner").is_some() {
        return;
    }
    let (Some(body), Ok(banner)) = (document.body(), document.create_element("div")) else { return };
    banner.set_id("panic-banner");
    banner.set_class_name("panic-banner");
    drop(banner.set_attribute("role", "alert"));
    banner.set_text_content(Some(
        "This page has stopped working because of an error in Pitwall. Runs go on and nothing is lost. \
         Reload the page to continue.",
    ));
    drop(body.prepend_with_node_1(&banner));
}
