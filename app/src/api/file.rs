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
    super::caller::post(path, content_type, file.into(), patience).await?.read()
}

/// Files are chosen in a browser only.
#[cfg(not(feature = "hydrate"))]
pub async fn send_file<T: DeserializeOwned>(_: &str, _: &str, _: File, _: Duration) -> Result<T, ApiError> {
    Err(ApiError(protocol::Problem::internal("Files can be sent from a browser only.")))
}
