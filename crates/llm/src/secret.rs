//! A text that must not be shown.

use std::{convert::Infallible, fmt, str::FromStr};

/// A key. Printing it shows stars, so that it cannot slip into a log or an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What is shown instead of a secret.
const STARS: &str = "***";

impl Secret {
    /// The secret itself: only to be sent to the provider.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with every occurrence of the secret replaced by stars: providers quote keys in errors.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.is_empty() { text.to_owned() } else { text.replace(&self.0, STARS) }
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.trim().to_owned())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.trim().to_owned())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(secret: &str) -> Result<Self, Infallible> {
        Ok(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(STARS)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(STARS)
    }
}
