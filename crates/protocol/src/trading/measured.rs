//! Figures that may be unknown.

use serde::{Deserialize, Serialize};

/// A figure that is known, or the reason why it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measured<T> {
    /// The value.
    Known(T),
    /// Why there is none.
    Unknown(String),
}

impl<T> Measured<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// What becomes of it, if it is known; the reason stays.
    pub fn map<U>(&self, change: impl FnOnce(&T) -> U) -> Measured<U> {
        match self {
            Self::Known(value) => Measured::Known(change(value)),
            Self::Unknown(reason) => Measured::Unknown(reason.clone()),
        }
    }

    /// The reason why it is not known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }
}
