use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 random bits as text that fits into addresses and cookies. It is never printed by accident.
#[derive(Clone)]
pub struct RandomToken(String);

impl RandomToken {
    /// A new one.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// The token itself: only for whom it lets in.
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

/// What is kept of a token. It needs no salt: nobody can list 2^256 tokens.
pub(crate) fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whether two secrets are the same. How long it takes says nothing of where they differ: what is
/// compared are their hashes.
pub fn same_secret(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}
