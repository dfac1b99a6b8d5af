//! The service of documents: what people make and keep, by the rules of the families, also as files.

use journal::StoredDocument;
use protocol::{
    AccountId, Problem,
    document::{
        CheckDocument, CopyDocument, Document, DocumentContent, DocumentFilter, DocumentFinding,
        DocumentHistory, DocumentId, DocumentKind, DocumentKindSpec, DocumentPage, DocumentSummary,
        DocumentTitle, DocumentVersion, NewDocument, SaveDocument, Severity,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    clock::now,
    problem::{from_documents, from_journal, no_document},
    service::Service,
};

const FORMAT: &str = "pitwall-document";
const VERSION: u32 = 1;

/// The most findings that a refusal names.
const MOST_NAMED: usize = 5;

/// A document as a file.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct DocumentFile {
    /// `pitwall-document`
    format: String,
    /// Of the format: 1
    version: u32,
    /// The document's kind
    kind: DocumentKind,
    /// Its title
    title: DocumentTitle,
    /// What stands in it
    content: DocumentContent,
}

/// What tells the file of a document from others, whatever else stands in it.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

impl Service {
    /// The kinds of document that there are.
    pub fn document_kinds(&self) -> Vec<DocumentKindSpec> {
        self.families.document_kinds()
    }

    /// An account's documents, those that were changed last first.
    pub async fn documents(
        &self,
        owner: &AccountId,
        filter: &DocumentFilter,
    ) -> Result<DocumentPage, Problem> {
        self.journal.documents().list(owner, filter).await.map_err(from_journal)
    }

    /// Makes a document.
    pub async fn create_document(
        &self,
        owner: &AccountId,
        request: NewDocument,
    ) -> Result<Document, Problem> {
        let NewDocument { kind, title, content } = request;
        let findings = self.accept(&kind, &content)?;
        let id = DocumentId(Uuid::now_v7());
        let created = self.journal.documents().create(owner, id, kind, title, &content, now()).await;
        let summary = created.map_err(from_documents)?;
        Ok(Document { version: summary.version, summary, content, findings })
    }

    /// A document at this version, or at its newest one.
    pub async fn document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<Document, Problem> {
        let StoredDocument { summary, version, content } = self.stored_document(owner, id, version).await?;
        let findings = self.families.check_document(&summary.kind, &content).unwrap_or_default();
        Ok(Document { summary, version, content, findings })
    }

    /// Saves a new version after the one that it was made from.
    pub async fn save_document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        request: SaveDocument,
    ) -> Result<Document, Problem> {
        let SaveDocument { base, content } = request;
        let kind = self.stored_document(owner, id, None).await?.summary.kind;
        let findings = self.accept(&kind, &content)?;
        let saved = self.journal.documents().save(owner, id, base, &content, now()).await;
        let summary = saved.map_err(from_documents)?;
        Ok(Document { version: summary.version, summary, content, findings })
    }

    /// Gives a document another title.
    pub async fn rename_document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        title: DocumentTitle,
    ) -> Result<DocumentSummary, Problem> {
        self.journal.documents().rename(owner, id, title, now()).await.map_err(from_documents)
    }

    /// Copies a version of a document.
    pub async fn copy_document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        request: CopyDocument,
    ) -> Result<Document, Problem> {
        let StoredDocument { summary, content, .. } =
            self.stored_document(owner, id, request.version).await?;
        let title = request.title.unwrap_or_else(|| summary.title.of_copy());
        self.create_document(owner, NewDocument { kind: summary.kind, title, content }).await
    }

    /// Deletes a document with all its versions.
    pub async fn delete_document(&self, owner: &AccountId, id: DocumentId) -> Result<(), Problem> {
        self.journal.documents().delete(owner, id).await.map(drop).map_err(from_documents)
    }

    /// Versions of a document before this one, newest first.
    pub async fn document_history(
        &self,
        owner: &AccountId,
        id: DocumentId,
        before: Option<DocumentVersion>,
        limit: u32,
    ) -> Result<DocumentHistory, Problem> {
        let history =
            self.journal.documents().history(owner, id, before, limit).await.map_err(from_journal)?;
        history.ok_or_else(|| no_document(id))
    }

    /// What is wrong with a content.
    pub fn check_document(&self, request: &CheckDocument) -> Result<Vec<DocumentFinding>, Problem> {
        let CheckDocument { kind, content } = request;
        self.families.check_document(kind, content).ok_or_else(|| unknown_kind(kind))
    }

    /// A document as a file, of a kind that nobody knows as well.
    pub async fn export_document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<String, Problem> {
        let StoredDocument { summary, content, .. } = self.stored_document(owner, id, version).await?;
        let DocumentSummary { kind, title, .. } = summary;
        let file = DocumentFile { format: FORMAT.to_owned(), version: VERSION, kind, title, content };
        let text =
            serde_json::to_string_pretty(&file).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(text + "\n")
    }

    /// Makes a document of a file that was exported.
    pub async fn import_document(&self, owner: &AccountId, file: &str) -> Result<Document, Problem> {
        let DocumentFile { kind, title, content, .. } = parse(file).map_err(|why| {
            Problem::invalid(format!("The file is no exported document: {why}. Nothing was imported."))
        })?;
        self.create_document(owner, NewDocument { kind, title, content }).await
    }

    /// A version of a document, the newest unless one is asked for, as it stands.
    pub async fn stored_document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        version: Option<DocumentVersion>,
    ) -> Result<StoredDocument, Problem> {
        let found = self.journal.documents().read(owner, id, version).await.map_err(from_journal)?;
        found.ok_or_else(|| match version {
            Some(version) => Problem::not_found(format!("There is no version {version} of a document {id}.")),
            None => no_document(id),
        })
    }

    /// The findings of a content that may be stored: none of them is an error.
    fn accept(
        &self,
        kind: &DocumentKind,
        content: &DocumentContent,
    ) -> Result<Vec<DocumentFinding>, Problem> {
        let findings = self.families.check_document(kind, content).ok_or_else(|| unknown_kind(kind))?;
        let errors: Vec<String> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .take(MOST_NAMED)
            .map(|DocumentFinding { place, detail, .. }| match place.as_str() {
                "" => detail.clone(),
                place => format!("{place}: {detail}"),
            })
            .collect();
        if errors.is_empty() {
            return Ok(findings);
        }
        Err(Problem::invalid(format!("The content is not as its kind demands. {}", errors.join(" "))))
    }
}

fn unknown_kind(kind: &DocumentKind) -> Problem {
    Problem::invalid(format!("This version of Pitwall knows no documents of the kind {kind}."))
}

/// Parses a file that [`Service::export_document`] wrote; the error says why it is none.
fn parse(file: &str) -> Result<DocumentFile, String> {
    // Editors on Windows add a byte order mark.
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let said = |error: serde_json::Error| error.to_string();
    match serde_json::from_str::<Header>(file).map_err(said)? {
        Header { format, .. } if format != FORMAT => Err(format!("its format is not \"{FORMAT}\"")),
        Header { version, .. } if version > VERSION => {
            Err(format!("it is of version {version}, and this Pitwall knows {VERSION}"))
        }
        Header { .. } => serde_json::from_str(file).map_err(said),
    }
}
