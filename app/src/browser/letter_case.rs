//! Letters without regard to their case.

/// The text in small letters, of any alphabet. In the browser, the browser knows how: the tables for it
/// would be loaded with every page.
pub fn lowercase(text: &str) -> String {
    #[cfg(target_family = "wasm")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(target_family = "wasm"))]
    text.to_lowercase()
}
