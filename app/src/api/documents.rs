//! Server functions for what people make and keep.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

#[cfg(feature = "ssr")]
use backend::SharedDocuments;
use leptos::prelude::*;
use protocol::document::{
    CheckDocument, CopyDocument, DocumentFilter, DocumentFinding, DocumentHistory, DocumentId,
    DocumentKindSpec, DocumentPage, DocumentSummary, DocumentTitle, DocumentVersion, NewDocument,
    SaveDocument,
};
#[cfg(feature = "ssr")]
use protocol::{
    Problem,
    document::{Document, DocumentContent},
};
use serde::{Deserialize, Serialize};

use super::{ApiError, Caller, json_text::JsonText};
#[cfg(feature = "ssr")]
use super::{answer, provided, refused};
#[cfg(feature = "ssr")]
use crate::legible::{LONGEST_REMARK, legible_document};

/// A document as it is edited: its content is a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedDocument {
    /// How it stands now.
    pub summary: DocumentSummary,
    /// The version whose text this is.
    pub version: DocumentVersion,
    /// The content, indented, in characters that a browser can show. Read as JSON it is the content again.
    pub text: String,
    /// What is wrong with it.
    pub findings: Vec<DocumentFinding>,
}

/// How a document stands after it was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDocument {
    /// The document.
    pub summary: DocumentSummary,
    /// What a person should look at.
    pub findings: Vec<DocumentFinding>,
}

#[cfg(feature = "ssr")]
fn documents() -> Result<SharedDocuments, ApiError> {
    provided()
}

/// The text is passed on whole, however long it is: what is edited is saved.
#[cfg(feature = "ssr")]
fn opened(document: Result<Document, Problem>) -> Result<OpenedDocument, ApiError> {
    let Document { summary, version, content, findings } = document.map_err(refused)?;
    let text = editable(&content)?;
    let findings = legible_document(findings, LONGEST_REMARK);
    Ok(OpenedDocument { summary: legible_document(summary, LONGEST_REMARK), version, text, findings })
}

/// The content as text to be edited. Control characters stand in it as JSON escapes them.
#[cfg(feature = "ssr")]
fn editable(content: &DocumentContent) -> Result<String, ApiError> {
    let text = serde_json::to_string_pretty(content)
        .map_err(|error| refused(Problem::internal(error.to_string())))?;
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() && c != '\n' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    Ok(escaped)
}

/// The kinds of document that there are.
#[server(name = DocumentKindsCall, prefix = "/rpc", endpoint = "document_kinds", input = JsonText, output = JsonText, client = Caller)]
pub async fn kinds() -> Result<Vec<DocumentKindSpec>, ApiError> {
    answer(documents()?.document_kinds().await)
}

/// Documents, those that were changed last first.
#[server(name = DocumentsCall, prefix = "/rpc", endpoint = "documents", input = JsonText, output = JsonText, client = Caller)]
pub async fn list(filter: DocumentFilter) -> Result<DocumentPage, ApiError> {
    answer(documents()?.documents(filter).await)
}

/// Makes a document.
#[server(name = CreateDocumentCall, prefix = "/rpc", endpoint = "create_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn create(request: NewDocument) -> Result<DocumentSummary, ApiError> {
    answer(documents()?.create_document(request).await.map(|document| document.summary))
}

/// A document at this version, or at its newest one.
#[server(name = DocumentCall, prefix = "/rpc", endpoint = "document", input = JsonText, output = JsonText, client = Caller)]
pub async fn document(id: DocumentId, version: Option<DocumentVersion>) -> Result<OpenedDocument, ApiError> {
    opened(documents()?.document(id, version).await)
}

/// Saves a new version.
#[server(name = SaveDocumentCall, prefix = "/rpc", endpoint = "save_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn save(id: DocumentId, request: SaveDocument) -> Result<SavedDocument, ApiError> {
    let saved = documents()?.save_document(id, request).await;
    answer(saved.map(|document| SavedDocument { summary: document.summary, findings: document.findings }))
}

/// Gives a document another title.
#[server(name = RenameDocumentCall, prefix = "/rpc", endpoint = "rename_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn rename(id: DocumentId, title: DocumentTitle) -> Result<DocumentSummary, ApiError> {
    answer(documents()?.rename_document(id, title).await)
}

/// Copies a document.
#[server(name = CopyDocumentCall, prefix = "/rpc", endpoint = "copy_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn copy(id: DocumentId, request: CopyDocument) -> Result<DocumentSummary, ApiError> {
    answer(documents()?.copy_document(id, request).await.map(|document| document.summary))
}

/// Deletes a document with all its versions.
#[server(name = DeleteDocumentCall, prefix = "/rpc", endpoint = "delete_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn delete(id: DocumentId) -> Result<(), ApiError> {
    answer(documents()?.delete_document(id).await)
}

/// Versions of a document before this one, newest first.
#[server(name = DocumentHistoryCall, prefix = "/rpc", endpoint = "document_history", input = JsonText, output = JsonText, client = Caller)]
pub async fn history(
    id: DocumentId,
    before: Option<DocumentVersion>,
    limit: u32,
) -> Result<DocumentHistory, ApiError> {
    answer(documents()?.document_history(id, before, limit).await)
}

/// What is wrong with a content.
#[server(name = CheckDocumentCall, prefix = "/rpc", endpoint = "check_document", input = JsonText, output = JsonText, client = Caller)]
pub async fn check(request: CheckDocument) -> Result<Vec<DocumentFinding>, ApiError> {
    answer(documents()?.check_document(request).await)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_edited_reads_as_the_content_whatever_characters_it_has() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        let content = serde_json::json!({ "all": all, &all: [1.5, "a\u{2028}b"] });
        let content: DocumentContent = serde_json::from_value(content).unwrap();
        let text = editable(&content).unwrap();
        assert_eq!(crate::legible::legible(&text), text, "nothing of it is replaced");
        assert_eq!(serde_json::from_str::<DocumentContent>(&text).unwrap(), content);
    }
}
