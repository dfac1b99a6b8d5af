//! What runs bring forth.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{ProductKind, Text};

/// Something that a run has brought forth: a rating, a draft, a plan, an article. General code shows
/// its headline and the fields of its data; its family's own view may show more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Product {
    /// Family and kind, such as `council.draft`.
    pub kind: ProductKind,
    /// What it says, in a line.
    pub headline: String,
    /// How that is to be taken.
    #[serde(default)]
    pub tone: ProductTone,
    /// What it is for the run.
    #[serde(default)]
    pub standing: Standing,
    /// The whole of it, as JSON text.
    pub data: Text,
}

/// How a product is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProductTone {
    /// As good news.
    Good,
    /// As neither.
    #[default]
    Neutral,
    /// As a warning.
    Attention,
    /// As bad news.
    Bad,
}

/// What a product is for its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// What the run was started for; lists show its headline.
    Result,
    /// A part of the way there, shown where it came to be.
    #[default]
    Step,
    /// Data that only its family's own pages and wires look for.
    Data,
}

/// What a family keeps in the data of products of one kind.
pub trait ProductData: Serialize + DeserializeOwned {
    /// The kind, such as `council.draft`.
    const KIND: &'static str;
}

impl Product {
    /// Whether its data are of this type.
    pub fn holds<D: ProductData>(&self) -> bool {
        self.kind.as_str() == D::KIND
    }

    /// Its data; `None` if it is of another kind, only its beginning is here, or its data are not
    /// what its kind promises, as an imported file may have it.
    pub fn document<D: ProductData>(&self) -> Option<D> {
        let data = self.holds::<D>().then(|| self.data.whole())??;
        serde_json::from_str(data).ok()
    }
}
