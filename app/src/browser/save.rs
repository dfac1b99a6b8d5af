//! Files that the page makes.

use std::time::Duration;

use js_sys::{Array, Function, Object, Reflect};
use leptos::{
    prelude::{document, set_timeout, window},
    wasm_bindgen::{JsCast, JsValue},
};

use super::function::{Refused, call, part};

/// How long a browser may need to take a file.
const TAKEN: Duration = Duration::from_secs(60);

/// Offers a text to the person as a file of this name and type.
pub fn save(name: &str, kind: &str, text: &str) -> Result<(), Refused> {
    let window = JsValue::from(window());
    let blob = part(&window, "Blob").and_then(|blob| blob.dyn_into::<Function>().ok()).ok_or(Refused)?;
    let options = Object::new();
    Reflect::set(&options, &"type".into(), &kind.into()).map_err(|_| Refused)?;
    let parts: JsValue = Array::of1(&text.into()).into();
    let file = Reflect::construct(&blob, &Array::of2(&parts, &options)).map_err(|_| Refused)?;
    let addresses = part(&window, "URL").ok_or(Refused)?;
    let address = call(&addresses, "createObjectURL", &[file])?;
    let link = document().create_element("a").map_err(|_| Refused)?;
    let href = address.as_string().ok_or(Refused)?;
    let described = [("href", href.as_str()), ("download", name), ("class", "visually-hidden")];
    for (attribute, value) in described {
        link.set_attribute(attribute, value).map_err(|_| Refused)?;
    }
    let body = document().body().ok_or(Refused)?;
    body.append_child(&link).map_err(|_| Refused)?;
    let clicked = call(&link, "click", &[]);
    link.remove();
    set_timeout(move || drop(call(&addresses, "revokeObjectURL", &[address])), TAKEN);
    clicked.map(drop)
}
