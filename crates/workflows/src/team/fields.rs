//! What is to be filled in before teams start, for the form that offers them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use protocol::document::{DocumentId, DocumentReference, DocumentSummary, DocumentVersion};
use teamfile::team::{Conduct, TeamDocument};

use super::forms;
use crate::{Owner, Refusal};

/// Versions of teams whose fields are remembered at most.
const MOST: usize = 4096;

/// The fields of versions of teams that were read already. A version never changes, so that none is read twice to offer it
/// in a form.
#[derive(Default)]
pub(super) struct Fields(Mutex<BTreeMap<(DocumentId, DocumentVersion), Vec<String>>>);

impl Fields {
    /// The fields of the newest version of a team; none of one that cannot be read, which says so when it is started.
    ///
    /// # Errors
    /// The owner's documents cannot be read.
    pub(super) async fn of(&self, team: &DocumentSummary, owner: &Owner) -> Result<Vec<String>, Refusal> {
        let key = (team.id, team.version);
        if let Some(fields) = self.known().get(&key) {
            return Ok(fields.clone());
        }
        let reference = DocumentReference { id: team.id, version: Some(team.version) };
        let (_, found) = owner.document(reference, &forms::document_kind()?).await?;
        let fields =
            match TeamDocument::read(&found.content.into_value()).map(|document| document.team.conduct) {
                Ok(Conduct::Steps(steps)) => steps.fields,
                Ok(_) | Err(_) => Vec::new(),
            };
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, fields.clone());
        Ok(fields)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<(DocumentId, DocumentVersion), Vec<String>>> {
        // What stands in it is whole also where somebody who held it has panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
