use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A text that may be long. The log keeps a long one once, beside the events, and
/// sends a preview with the digest under which the whole is to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Text {
    /// All of it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    Whole(Arc<str>),
    /// Its beginning.
    Preview {
        /// The first few hundred characters.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        preview: Arc<str>,
        /// Length of the whole, in bytes of UTF-8.
        bytes: u64,
        /// Where the whole is kept.
        digest: Digest,
    },
}

impl Text {
    /// What can be shown without fetching more: the whole, or its beginning.
    pub fn shown(&self) -> &str {
        match self {
            Self::Whole(text) => text,
            Self::Preview { preview, .. } => preview,
        }
    }

    /// The whole text, if it is here.
    pub fn whole(&self) -> Option<&str> {
        match self {
            Self::Whole(text) => Some(text),
            Self::Preview { .. } => None,
        }
    }

    /// The digest under which the whole is kept, if only a preview is here.
    pub fn stored(&self) -> Option<&Digest> {
        match self {
            Self::Whole(_) => None,
            Self::Preview { digest, .. } => Some(digest),
        }
    }

    /// Length of the whole, in bytes of UTF-8.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Whole(text) => text.len() as u64,
            Self::Preview { bytes, .. } => *bytes,
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Whole("".into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Whole(text.into())
    }
}
