use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

/// A message as AutoGen writes it, encoded once: it is sent, it stands in a row, and it is a part of the result.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct EncodedMessage(Arc<RawValue>);

impl EncodedMessage {
    /// The JSON text of a message; `None` where it has no JSON form.
    pub(super) fn of(message: &impl Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(message).ok().map(|raw| Self(raw.into()))
    }
}

/// By the text.
impl PartialEq for EncodedMessage {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}
