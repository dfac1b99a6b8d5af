//! The state of a run, as its log leaves it, for whoever shows the run afterwards.

use journal::{Journal, JournalError};
use protocol::RunView;
use serde::de::DeserializeOwned;

/// The values that were added to a key's list, as far as they are what they should be.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn items<T: DeserializeOwned>(
    journal: &Journal,
    view: &RunView,
    key: &str,
) -> Result<Vec<T>, JournalError> {
    let mut items = Vec::new();
    for entry in view.state.get(key).into_iter().flatten() {
        let text = journal.resolve(&entry.value).await?;
        if entry.appended {
            items.extend(serde_json::from_str::<T>(&text).ok());
        } else {
            items = serde_json::from_str::<Vec<T>>(&text).unwrap_or_default();
        }
    }
    Ok(items)
}

/// The value of a key; `None` where nothing stands there, or something else.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn value<T: DeserializeOwned>(
    journal: &Journal,
    view: &RunView,
    key: &str,
) -> Result<Option<T>, JournalError> {
    let Some(entry) = view.state.get(key).and_then(|entries| entries.last()) else { return Ok(None) };
    Ok(serde_json::from_str(&journal.resolve(&entry.value).await?).ok())
}

/// The text of a key; empty where none stands there.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn text(journal: &Journal, view: &RunView, key: &str) -> Result<String, JournalError> {
    Ok(value(journal, view, key).await?.unwrap_or_default())
}
