//! Requests that are broken off, or that outlive the page.

use js_sys::{Object, Reflect};
use leptos::{
    prelude::window,
    web_sys::{AbortController, AbortSignal},
};

use super::function::{Refused, call, ignore_failure};

/// Breaks off the request that it belongs to when it is dropped.
pub struct Aborts(AbortController);

impl Aborts {
    /// One for a request that has not begun.
    ///
    /// # Errors
    /// The browser knows no such thing.
    pub fn new() -> Result<Self, Refused> {
        AbortController::new().map(Self).map_err(|_| Refused)
    }

    /// What the request listens to.
    pub fn signal(&self) -> AbortSignal {
        self.0.signal()
    }
}

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells the server that something of it is not needed any more. The request goes on when the page is gone; nobody
/// hears of its answer.
pub fn delete_in_leaving(address: &str) {
    let options = Object::new();
    Reflect::set(&options, &"method".into(), &"DELETE".into()).ok();
    Reflect::set(&options, &"keepalive".into(), &true.into()).ok();
    // Where it is refused, the server notices by itself after a while.
    if let Ok(asked) = call(&window(), "fetch", &[address.into(), options.into()]) {
        ignore_failure(asked);
    }
}
