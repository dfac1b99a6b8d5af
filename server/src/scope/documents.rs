//! What a caller may do with documents: everything with their own, and nothing with those of others.

use async_trait::async_trait;
use backend::DocumentBackend;
use journal::StoredDocument;
use protocol::{
    AccountId, Problem,
    document::{
        CheckDocument, CopyDocument, Document, DocumentFilter, DocumentFinding, DocumentHistory, DocumentId,
        DocumentKindSpec, DocumentPage, DocumentSummary, DocumentTitle, DocumentVersion, NewDocument,
        SaveDocument,
    },
};

use super::Scoped;
use crate::problem::no_document;

impl Scoped {
    /// The account whose documents the caller reads. Those who own nothing find no document.
    fn reader(&self, id: DocumentId) -> Result<&AccountId, Problem> {
        self.caller().owner().ok_or_else(|| no_document(id))
    }

    /// A version of a document, the newest unless one is asked for, as it stands: what is wrong with it is not said.
    ///
    /// # Errors
    /// 404: there is no such document or version, or it is another's.
    pub async fn stored_document(
        &self,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<StoredDocument, Problem> {
        self.service().stored_document(self.reader(id)?, id, version).await
    }

    /// A document as a file.
    ///
    /// # Errors
    /// 404: there is no such document or version, or it is another's.
    pub async fn export_document(
        &self,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<String, Problem> {
        self.service().export_document(self.reader(id)?, id, version).await
    }
}

#[async_trait]
impl DocumentBackend for Scoped {
    async fn document_kinds(&self) -> Result<Vec<DocumentKindSpec>, Problem> {
        Ok(self.service().document_kinds())
    }

    async fn documents(&self, filter: DocumentFilter) -> Result<DocumentPage, Problem> {
        match self.caller().owner() {
            Some(owner) => self.service().documents(owner, &filter).await,
            None => Ok(DocumentPage::default()),
        }
    }

    async fn create_document(&self, request: NewDocument) -> Result<Document, Problem> {
        self.service().create_document(self.caller().writer()?, request).await
    }

    async fn document(&self, id: DocumentId, version: Option<DocumentVersion>) -> Result<Document, Problem> {
        self.service().document(self.reader(id)?, id, version).await
    }

    async fn save_document(&self, id: DocumentId, request: SaveDocument) -> Result<Document, Problem> {
        self.service().save_document(self.reader(id)?, id, request).await
    }

    async fn rename_document(
        &self,
        id: DocumentId,
        title: DocumentTitle,
    ) -> Result<DocumentSummary, Problem> {
        self.service().rename_document(self.reader(id)?, id, title).await
    }

    async fn copy_document(&self, id: DocumentId, request: CopyDocument) -> Result<Document, Problem> {
        self.service().copy_document(self.reader(id)?, id, request).await
    }

    async fn delete_document(&self, id: DocumentId) -> Result<(), Problem> {
        self.service().delete_document(self.reader(id)?, id).await
    }

    async fn document_history(
        &self,
        id: DocumentId,
        before: Option<DocumentVersion>,
        limit: u32,
    ) -> Result<DocumentHistory, Problem> {
        self.service().document_history(self.reader(id)?, id, before, limit).await
    }

    async fn check_document(&self, request: CheckDocument) -> Result<Vec<DocumentFinding>, Problem> {
        self.caller().writer()?;
        self.service().check_document(&request)
    }

    async fn import_document(&self, file: String) -> Result<Document, Problem> {
        self.service().import_document(self.caller().writer()?, &file).await
    }
}
