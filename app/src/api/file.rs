//! Sending a file that a person chose.

use std::time::Duration;

use leptos::web_sys::File;
use serde::de::DeserializeOwned;

use super::ApiError;

/// Sends a file as it is to an address of the REST interface, and reads the answer. The file may be larger than what a
/// call of the pages may carry; after `patience` it is given up.
#[cfg(feature = "hydrate")]
pub async fn send_file<T: DeserializeOwned>(
    path: &str,
    content_type: &str,
    file: File,
    patience: Duration,
) -> Result<T, ApiError> {
    use gloo_net::http::Request;
    use leptos::wasm_bindgen::JsValue;
    use protocol::{Problem, SERVER_TIME};

    use super::caller::{broken_off, own, unreachable, within};

    within(patience, async {
        let request = Request::post(&crate::base::at(path)).header("content-type", content_type);
        let request = request.body(JsValue::from(file)).map_err(|_| unreachable())?;
        let response = request.send().await.map_err(|_| unreachable())?;
        let is_marked = response.headers().get(SERVER_TIME).is_some();
        let text = response.text().await.map_err(|_| broken_off())?;
        own(response.status(), is_marked, text.as_bytes())?;
        let unreadable =
            || Problem { status: response.status(), detail: "The server's answer cannot be read.".into() };
        if response.ok() {
            return serde_json::from_str(&text).map_err(|_| ApiError(unreadable()));
        }
        Err(ApiError(serde_json::from_str(&text).unwrap_or_else(|_| unreadable())))
    })
    .await
}

/// Files are chosen in a browser only.
#[cfg(not(feature = "hydrate"))]
pub async fn send_file<T: DeserializeOwned>(_: &str, _: &str, _: File, _: Duration) -> Result<T, ApiError> {
    Err(ApiError(protocol::Problem::internal("Files can be sent from a browser only.")))
}
