//! Functions of the browser that may be missing, or refuse. Called as other functions are, a missing one
//! would throw through the page's program and end it.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A function that is not there, or that the browser or the person refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the browser does not do this")]
pub struct Refused;

/// What an object holds by this name; nothing where asking for it is refused already.
pub fn part(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// A number that an object holds by this name.
pub fn number(object: &JsValue, name: &str) -> Option<f64> {
    part(object, name)?.as_f64()
}

/// Calls an object's function.
pub fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, Refused> {
    let function = part(object, name).and_then(|function| function.dyn_into::<Function>().ok());
    let arguments: Array = arguments.iter().collect();
    function.ok_or(Refused)?.apply(object, &arguments).map_err(|_| Refused)
}

/// Lets a promise fail without a word: a failure that nobody takes counts as an error of the page.
pub fn ignore_failure(promise: JsValue) {
    if let Ok(promise) = promise.dyn_into::<Promise>() {
        wasm_bindgen_futures::spawn_local(async move { drop(JsFuture::from(promise).await) });
    }
}

/// Calls an object's function and waits for what it promises.
pub async fn call_and_wait(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, Refused> {
    let promise = call(object, name, arguments)?.dyn_into::<Promise>().map_err(|_| Refused)?;
    JsFuture::from(promise).await.map_err(|_| Refused)
}
