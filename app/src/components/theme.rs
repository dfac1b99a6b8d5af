//! Dark or light: as the system has it, until the person chooses.

use leptos::prelude::*;

use super::icon::{Icon, IconName};
use crate::browser;

/// `shell/theme.js` reads the same key before the first paint.
const KEY: &str = "pitwall-theme";
/// The attribute of the document's root that the style follows.
const THEME: &str = "data-theme";

/// Switches between dark and light. Back at the system's own, the choice is forgotten.
#[component]
pub fn ThemeToggle() -> impl IntoView {
    // The icons of both stand in the document; the style shows the one that fits.
    view! {
        <button type="button" class="icon-button theme-toggle" aria-label="Switch between dark and light" title="Dark or light" on:click=|_| toggle()>
            <span class="when-dark"><Icon name=IconName::Moon /></span>
            <span class="when-light"><Icon name=IconName::Sun /></span>
        </button>
    }
}

fn toggle() {
    let system = if browser::matches_media("(prefers-color-scheme: light)") { "light" } else { "dark" };
    let shown = browser::root_attribute(THEME).unwrap_or_else(|| system.to_owned());
    let next = if shown == "light" { "dark" } else { "light" };
    // A browser that keeps nothing still shows the choice until the page is left.
    if next == system {
        browser::set_root_attribute(THEME, None);
        drop(browser::storage().map(|storage| storage.remove_item(KEY)));
    } else {
        browser::set_root_attribute(THEME, Some(next));
        drop(browser::storage().map(|storage| storage.set_item(KEY, next)));
    }
}
