//! Copying.

use leptos::{
    prelude::{document, window},
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlTextAreaElement},
};

use super::function::{Refused, call, call_and_wait, part};

/// Puts a text on the clipboard. Browsers have a clipboard for pages that came over https or from this
/// machine; others copy what is selected.
pub async fn copy(text: &str) -> Result<(), Refused> {
    let clipboard = part(&window().navigator(), "clipboard").ok_or(Refused);
    if let Ok(clipboard) = clipboard
        && call_and_wait(&clipboard, "writeText", &[text.into()]).await.is_ok()
    {
        return Ok(());
    }
    copy_by_selection(text)
}

fn copy_by_selection(text: &str) -> Result<(), Refused> {
    let document = document();
    let focused = document.active_element();
    let field = document.create_element("textarea").map_err(|_| Refused)?;
    let field = field.dyn_into::<HtmlTextAreaElement>().map_err(|_| Refused)?;
    field.set_value(text);
    field.set_read_only(true);
    field.set_class_name("visually-hidden");
    // Outside of an open dialog nothing can be selected.
    let dialog = focused.as_ref().and_then(|focused| focused.closest("dialog[open]").ok().flatten());
    let place = dialog.or_else(|| document.body().map(Element::from)).ok_or(Refused)?;
    place.append_child(&field).map_err(|_| Refused)?;
    let copied = call(&field, "focus", &[])
        .and_then(|_| call(&field, "select", &[]))
        .and_then(|_| call(&document, "execCommand", &["copy".into()]));
    field.remove();
    if let Some(focused) = focused {
        // Where that is refused the focus is on the page as a whole.
        call(&focused, "focus", &[]).ok();
    }
    if copied?.is_truthy() { Ok(()) } else { Err(Refused) }
}
