//! Texts that may be long.

use std::{
    fmt::{self, Formatter},
    sync::Arc,
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::Digest;

/// A text that may be long. The log keeps a long one once, beside the events, and
/// sends a preview with the digest under which the whole is to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Text {
    /// The whole text.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    Whole(Arc<str>),
    /// The beginning of a text that is stored apart.
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

/// Reads what the derived `Serialize` writes, without the copy in memory that trying one form
/// after the other would need.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Text;

            fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, or its preview")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                #[derive(Deserialize)]
                struct Preview {
                    preview: Arc<str>,
                    bytes: u64,
                    digest: Digest,
                }
                let Preview { preview, bytes, digest } =
                    Preview::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Text::Preview { preview, bytes, digest })
            }
        }

        deserializer.deserialize_any(Either)
    }
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

    /// Whether it is the empty text.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// Length of the whole, in bytes of UTF-8.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Whole(text) => text.len() as u64,
            Self::Preview { bytes, .. } => *bytes,
        }
    }
}

/// A text that comes from outside, all of it. Whoever could name a text by its digest alone could have
/// another's read to them: requests carry this in the place of [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct WholeText(Arc<str>);

impl From<WholeText> for Text {
    fn from(WholeText(text): WholeText) -> Self {
        Self::Whole(text)
    }
}

impl From<String> for WholeText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for WholeText {
    fn from(text: &str) -> Self {
        Self(text.into())
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
