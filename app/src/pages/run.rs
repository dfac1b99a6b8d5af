//! A run, live.

use leptos::prelude::*;

/// The page.
#[component]
pub fn RunPage() -> impl IntoView {
    view! { <h1>"Run"</h1> }
}
