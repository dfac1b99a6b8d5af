//! Whose run it is, and what of theirs it may name.

use journal::{Documents, JournalError, StoredDocument};
use protocol::{
    AccountId,
    document::{DocumentFilter, DocumentKind, DocumentReference, DocumentSummary},
};

use crate::Refusal;

/// The most documents that a form offers to choose from.
const MOST_CHOICES: u32 = 200;

/// The owner of a run. Documents are read through it alone, so that a run never sees those of others.
pub struct Owner {
    account: AccountId,
    documents: Documents,
}

impl Owner {
    pub(crate) fn new(account: AccountId, documents: Documents) -> Self {
        Self { account, documents }
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The owner's document of this kind that a request names, with the version that it stands for: a log
    /// that holds that one gives the same run again.
    ///
    /// # Errors
    /// The owner has no such document, or it cannot be read.
    pub async fn document(
        &self,
        reference: DocumentReference,
        kind: &DocumentKind,
    ) -> Result<(DocumentReference, StoredDocument), Refusal> {
        let DocumentReference { id, version } = reference;
        let found = self.documents.read(&self.account, id, version).await?;
        let found = found.filter(|found| found.summary.kind == *kind).ok_or_else(|| {
            Refusal::Unusable(format!(
                "There is no document {reference} of the kind {kind}. It may have been deleted; choose another."
            ))
        })?;
        Ok((DocumentReference { id, version: Some(found.version) }, found))
    }

    /// The owner's documents of a kind, for a form that offers them: those that were changed last.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn documents(&self, kind: &DocumentKind) -> Result<Vec<DocumentSummary>, JournalError> {
        let filter = DocumentFilter {
            kind: Some(kind.clone()),
            limit: Some(MOST_CHOICES),
            ..DocumentFilter::default()
        };
        Ok(self.documents.list(&self.account, &filter).await?.documents)
    }
}
