//! The page's program in the browser: takes over what the server rendered.

use std::{
    panic::PanicHookInfo,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use any_spawner::Executor;
use app::{
    base,
    browser::{self, ALIVE, Banner, Typed, root_attribute, set_root_attribute},
    components::piece::take_over_pieces,
};
use hydration_context::{HydrateSharedContext, SharedContext};
use leptos::{
    leptos_dom::helpers::document,
    prelude::{IntoView, Owner},
    reactive::computed::ScopedFuture,
    tachys::{
        hydration::Cursor,
        view::{PositionState, RenderHtml},
    },
};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::HtmlElement;

/// Called by the script that loads this module.
#[wasm_bindgen]
pub async fn hydrate() {
    std::panic::set_hook(Box::new(report_panic));
    let Some(body) = document().body() else { return };
    base::set(root_attribute("data-base").unwrap_or_default());
    // A person may be quicker than the program.
    let typed = Typed::keep();
    take_over(&body).await;
    take_over_pieces().await;
    typed.give_back();
    // Tests wait for it: before, a click would go nowhere.
    set_root_attribute(ALIVE, Some("true"));
}

/// Takes over what the server rendered, but for its pieces. Leptos's own function does the same in one task: a phone
/// would hear nobody for as long as all of it takes.
async fn take_over(body: &HtmlElement) {
    // It fails only where it was done before.
    let _ = Executor::init_wasm_bindgen();
    let context = Arc::new(HydrateSharedContext::new());
    let owner = Owner::new_root(Some(context.clone()));
    let view = owner.with(|| app::App().into_view());
    browser::sleep(Duration::ZERO).await;
    let place = Cursor::new(body.clone().unchecked_into());
    // Waits for the code of the page that is open.
    let position = PositionState::default();
    let state = owner.with(|| ScopedFuture::new(view.hydrate_async(&place, &position))).await;
    context.hydration_complete();
    // Both stay for as long as the page does.
    std::mem::forget((owner, state));
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
