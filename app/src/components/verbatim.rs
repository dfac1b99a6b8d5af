//! A text as it is.

use leptos::prelude::*;

/// A text in a fixed-width face, as it is.
#[component]
pub fn Verbatim(
    /// The text.
    text: String,
) -> impl IntoView {
    // Not directly in the frame: a browser that reads HTML drops a line break at its beginning.
    view! { <pre class="verbatim" tabindex="0"><span>{text}</span></pre> }
}
