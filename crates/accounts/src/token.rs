use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 random bits as text for URLs and cookies. Its `Debug` does not show it.
#[derive(Clone)]
pub struct RandomToken(String);

impl RandomToken {
    /// A new random token.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// The token itself, for its holder only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Default for RandomToken {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for RandomToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// The stored hash of a token. It needs no salt: 2^256 tokens cannot be enumerated.
pub(crate) fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whether two secrets are equal, in a time that does not depend on where they differ: their hashes are
/// compared.
pub fn same_secret(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}
