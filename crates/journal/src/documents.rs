use protocol::{
    AccountId, Timestamp,
    document::{
        DocumentContent, DocumentFilter, DocumentHistory, DocumentId, DocumentKind, DocumentPage,
        DocumentSummary, DocumentTitle, DocumentVersion,
    },
};

use crate::{
    DocumentError, JournalError,
    request::{Request, Requests},
    store::Store,
};

/// The documents of all accounts. Every question names the account that asks: what is another's is answered
/// as what does not exist. What a content may be is known to its family; the journal stores any.
#[derive(Clone)]
pub struct Documents {
    requests: Requests,
    store: Store,
}

/// How many documents one account may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// The most documents.
    pub documents: u32,
    /// The most bytes of all versions of them together.
    pub bytes: u64,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self { documents: 1000, bytes: 256 << 20 }
    }
}

/// A document as it stood in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// How it stands now.
    pub summary: DocumentSummary,
    /// The version.
    pub version: DocumentVersion,
    /// What stood in that version.
    pub content: DocumentContent,
}

/// A change of an account's documents.
pub(crate) struct DocumentChange {
    pub owner: AccountId,
    pub at: Timestamp,
    pub act: DocumentAct,
}

/// What is done to a document. Contents are JSON text, as they are stored.
pub(crate) enum DocumentAct {
    Create { id: DocumentId, kind: DocumentKind, title: DocumentTitle, content: String },
    Save { id: DocumentId, base: DocumentVersion, content: String },
    Rename { id: DocumentId, title: DocumentTitle },
    Delete { id: DocumentId },
}

impl Documents {
    pub(crate) fn new(requests: Requests, store: Store) -> Self {
        Self { requests, store }
    }

    /// Makes a document with its first version.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`], [`DocumentError::NoRoom`], or it could not be stored.
    pub async fn create(
        &self,
        owner: &AccountId,
        id: DocumentId,
        kind: DocumentKind,
        title: DocumentTitle,
        content: &DocumentContent,
        at: Timestamp,
    ) -> Result<DocumentSummary, DocumentError> {
        let content = text(content)?;
        self.change(owner, at, DocumentAct::Create { id, kind, title, content }).await
    }

    /// Saves a new version after the version `base` (optimistic concurrency). Where the newest version has
    /// this very content already, nothing is added and that is no conflict: a save can be repeated.
    ///
    /// # Errors
    /// [`DocumentError::NoSuchDocument`], [`DocumentError::Conflict`], [`DocumentError::NoRoom`], or it could
    /// not be stored.
    pub async fn save(
        &self,
        owner: &AccountId,
        id: DocumentId,
        base: DocumentVersion,
        content: &DocumentContent,
        at: Timestamp,
    ) -> Result<DocumentSummary, DocumentError> {
        let content = text(content)?;
        self.change(owner, at, DocumentAct::Save { id, base, content }).await
    }

    /// Gives a document another title, which makes no version.
    ///
    /// # Errors
    /// [`DocumentError::NoSuchDocument`], or it could not be stored.
    pub async fn rename(
        &self,
        owner: &AccountId,
        id: DocumentId,
        title: DocumentTitle,
        at: Timestamp,
    ) -> Result<DocumentSummary, DocumentError> {
        self.change(owner, at, DocumentAct::Rename { id, title }).await
    }

    /// Deletes a document with all its versions; returns how it stood.
    ///
    /// # Errors
    /// [`DocumentError::NoSuchDocument`], or it could not be stored.
    pub async fn delete(&self, owner: &AccountId, id: DocumentId) -> Result<DocumentSummary, DocumentError> {
        self.change(owner, Timestamp::default(), DocumentAct::Delete { id }).await
    }

    /// The account's documents that match, those that were changed last first: 50 unless the filter says
    /// otherwise, 200 at most.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list(
        &self,
        owner: &AccountId,
        filter: &DocumentFilter,
    ) -> Result<DocumentPage, JournalError> {
        self.store.documents(owner, filter).await
    }

    /// A document of the account at this version, or at its newest one. `None` if there is no such document,
    /// or no such version of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read(
        &self,
        owner: &AccountId,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<Option<StoredDocument>, JournalError> {
        self.store.document(owner, id, version).await
    }

    /// At most `limit` versions of a document before this one, newest first. `None` if there is no such
    /// document of the account.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn history(
        &self,
        owner: &AccountId,
        id: DocumentId,
        before: Option<DocumentVersion>,
        limit: u32,
    ) -> Result<Option<DocumentHistory>, JournalError> {
        self.store.document_history(owner, id, before, limit).await
    }

    async fn change(
        &self,
        owner: &AccountId,
        at: Timestamp,
        act: DocumentAct,
    ) -> Result<DocumentSummary, DocumentError> {
        let change = DocumentChange { owner: owner.clone(), at, act };
        self.requests.ask(change, Request::ChangeDocument).await
    }
}

/// The content as it is stored and compared.
fn text(content: &DocumentContent) -> Result<String, JournalError> {
    serde_json::to_string(content).map_err(|error| JournalError::Unreadable(error.to_string()))
}
