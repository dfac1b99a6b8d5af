//! Requests that are broken off, or that outlive the page.

use js_sys::{Object, Reflect};
use leptos::{
    prelude::window,
    web_sys::{AbortController, AbortSignal},
};

use super::function::{call, ignore_failure};

/// Takes the request back that it belongs to when it is dropped; one that was answered is left as it is. A browser
/// that cannot take requests back lets it go on, and nobody hears of its answer.
pub struct Aborts(Option<AbortController>);

impl Aborts {
    /// One for a request that has not begun.
    pub fn new() -> Self {
        Self(AbortController::new().ok())
    }

    /// What the request listens to.
    pub fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }
}

impl Default for Aborts {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Aborts {
    fn drop(&mut self) {
        if let Some(aborts) = &self.0 {
            aborts.abort();
        }
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
