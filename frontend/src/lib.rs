//! The page's program in the browser: takes over what the server rendered.

use std::{
    panic::PanicHookInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use app::{
    base,
    browser::{ALIVE, Banner, Typed, root_attribute, set_root_attribute},
    components::later::take_over_the_rest,
};
use leptos::{leptos_dom::helpers::document, mount::hydrate_from_async};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that loads this module.
#[wasm_bindgen]
pub async fn hydrate() {
    std::panic::set_hook(Box::new(report_panic));
    let Some(body) = document().body() else { return };
    base::set(root_attribute("data-base").unwrap_or_default());
    // A person may be quicker than the program.
    let typed = Typed::keep();
    // Waits for the code of the page that is open.
    hydrate_from_async(body, app::App).await.forget();
    take_over_the_rest().await;
    typed.give_back();
    // Tests wait for it: before, a click would go nowhere.
    set_root_attribute(ALIVE, Some("true"));
}

/// A panic ends the program while the page still looks alive: say so.
fn report_panic(panic: &PanicHookInfo<'_>) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    console_error_panic_hook::hook(panic);
    if !REPORTED.swap(true, Ordering::Relaxed) {
        Banner::show(
            "This page has stopped working because of an error in Pitwall. Runs go on and nothing is lost. \
             Reload the page to continue.",
        )
        .keep();
    }
}
