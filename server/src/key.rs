//! Where the keys of models and tool servers are, as options and settings name it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use llm::Secret;

use crate::error::ServeError;

/// The key in a variable or in a file; `None` if neither is named.
///
/// # Errors
/// Both are named, or the one that is named holds no key.
pub fn named(variable: Option<&str>, file: Option<&Path>) -> Result<Option<Secret>, ServeError> {
    match (variable, file) {
        (Some(_), Some(_)) => Err(ServeError::TwoKeys),
        (Some(variable), None) => {
            let key = std::env::var(variable).ok().map(Secret::from).filter(|key| !key.is_empty());
            Ok(Some(key.ok_or_else(|| ServeError::KeyVariable(variable.to_owned()))?))
        }
        (None, Some(file)) => Ok(Some(in_file(file)?)),
        (None, None) => Ok(None),
    }
}

/// The key in a file that nobody but its owner can read.
///
/// # Errors
/// The file cannot be read, others can read it, or it is empty.
pub fn in_file(path: &Path) -> Result<Secret, ServeError> {
    let unreadable = |error| ServeError::KeyFile(path.to_owned(), error);
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(ServeError::KeyFileMode(path.to_owned(), mode));
    }
    let key = Secret::from(fs::read_to_string(path).map_err(unreadable)?);
    if key.is_empty() { Err(ServeError::KeyFileEmpty(path.to_owned())) } else { Ok(key) }
}
