//! How arguments and answers of server functions are written.

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{JsonEncoding, Post},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Error;

/// JSON in the body of a `POST` request.
pub type JsonText = Post<JsonTextEncoding>;

/// Leptos's JSON, but read as a text, as the page's resources and sockets read theirs. Were it read as
/// bytes, the browser would load the code that reads a type twice.
pub struct JsonTextEncoding;

impl ContentType for JsonTextEncoding {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for JsonTextEncoding {
    const FORMAT_TYPE: Format = JsonEncoding::FORMAT_TYPE;
}

impl<T: Serialize> Encodes<T> for JsonTextEncoding {
    type Error = Error;

    fn encode(value: &T) -> Result<Bytes, Error> {
        JsonEncoding::encode(value)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonTextEncoding {
    type Error = Error;

    fn decode(bytes: Bytes) -> Result<T, Error> {
        let text = str::from_utf8(&bytes).map_err(serde::de::Error::custom)?;
        serde_json::from_str(text)
    }
}
