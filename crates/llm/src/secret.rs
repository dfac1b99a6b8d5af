//! A text that must not be shown.

use std::{convert::Infallible, fmt, str::FromStr};

/// A key. Printing it shows stars, so that it cannot slip into a log or an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What is shown instead of a secret.
const STARS: &str = "***";

/// The length from which on a secret is not found in a text by coincidence.
const SHORTEST_UNMISTAKABLE: usize = 8;

impl Secret {
    /// The secret itself, for sending it to the provider.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with every occurrence of the secret replaced by asterisks, since providers quote keys in
    /// errors. A short secret may be part of a word, so it is replaced only where it stands alone.
    pub fn redact(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        if self.0.chars().count() >= SHORTEST_UNMISTAKABLE {
            return text.replace(&self.0, STARS);
        }
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let mut redacted = String::with_capacity(text.len());
        let mut copied = 0;
        for (start, key) in text.match_indices(&self.0) {
            let end = start + key.len();
            let stands_alone = !text[..start].chars().next_back().is_some_and(is_word)
                && !text[end..].chars().next().is_some_and(is_word);
            if stands_alone {
                redacted.push_str(&text[copied..start]);
                redacted.push_str(STARS);
                copied = end;
            }
        }
        redacted.push_str(&text[copied..]);
        redacted
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_never_blots_out_letters_inside_words() {
        for (key, text, shown) in [
            ("k", "tools to work correctly", "tools to work correctly"),
            ("k", "The key k is wrong: \"k\", k.", "The key *** is wrong: \"***\", ***."),
            ("k", "k", "***"),
            ("k", "k_1 kä k-2", "k_1 kä ***-2"),
            ("dummy", "Bearer dummy, not dummytext", "Bearer ***, not dummytext"),
            ("aa", "aaa aa", "aaa ***"),
            ("sk-12345", "xsk-12345x", "x***x"),
            ("", "text", "text"),
        ] {
            assert_eq!(Secret::from(key).redact(text), shown, "{key}: {text}");
        }
    }
}
