use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::AccountsError;

/// Characters that a password has at least.
pub const SHORTEST_PASSWORD: usize = 12;
/// Characters that a password has at most: hashing takes longer with each.
pub const LONGEST_PASSWORD: usize = 256;

/// Concurrent hashes; each takes 19 MiB and a core for some tens of milliseconds.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Hashes a new password with argon2id and a random salt.
pub async fn hash(password: &str) -> Result<String, AccountsError> {
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
        return Err(AccountsError::UnfitPassword);
    }
    let password = password.to_owned();
    aside(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| AccountsError::Cryptography(error.to_string()))
    })
    .await?
}

/// Whether the password is the one that was hashed.
pub async fn matches(password: &str, hash: &str) -> Result<bool, AccountsError> {
    if password.chars().count() > LONGEST_PASSWORD {
        return Ok(false);
    }
    let (password, hash) = (password.to_owned(), hash.to_owned());
    aside(move || match PasswordHash::new(&hash) {
        Ok(hash) => Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
        Err(error) => Err(AccountsError::Cryptography(error.to_string())),
    })
    .await?
}

/// Runs blocking work on a thread of its own.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountsError> {
    let failed = |error: &dyn std::fmt::Display| AccountsError::Cryptography(error.to_string());
    let _turn = AT_ONCE.acquire().await.map_err(|error| failed(&error))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
}
