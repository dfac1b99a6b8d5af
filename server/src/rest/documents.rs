//! Documents: what people make and keep.

use axum::{
    Json,
    extract::{DefaultBodyLimit, rejection::StringRejection},
    http::StatusCode,
    response::IntoResponse,
};
use backend::DocumentBackend;
use protocol::{
    Problem,
    document::{
        CheckDocument, CopyDocument, Document, DocumentCursor, DocumentFilter, DocumentFinding,
        DocumentHistory, DocumentId, DocumentKind, DocumentKindSpec, DocumentPage, DocumentSummary,
        DocumentVersion, NewDocument, RenameDocument, SaveDocument,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    JsonBody, Path, Query, Reply,
    transfer::{download, text_of},
};
use crate::{
    documents::DocumentFile,
    limits::LARGEST_DOCUMENT_FILE,
    problem::{ProblemResponse, no_such},
    scope::{Gateway, Scoped},
};

/// Versions of one request, unless it says otherwise.
const VERSIONS: u32 = 50;

/// The routes.
pub fn router() -> OpenApiRouter<Gateway> {
    let imports =
        OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(LARGEST_DOCUMENT_FILE));
    OpenApiRouter::new()
        .routes(routes!(kinds))
        .routes(routes!(documents, create))
        .routes(routes!(check))
        .routes(routes!(document, save, delete))
        .routes(routes!(rename))
        .routes(routes!(copy))
        .routes(routes!(history))
        .routes(routes!(export))
        .merge(imports)
}

/// The kinds of document that there are
#[utoipa::path(get, path = "/api/v1/document-kinds", operation_id = "document_kinds", responses((status = 200, body = Vec<DocumentKindSpec>)))]
async fn kinds(service: Scoped) -> Reply<Vec<DocumentKindSpec>> {
    Ok(Json(service.document_kinds().await?))
}

/// Documents, those that were changed last first
#[utoipa::path(get, path = "/api/v1/documents", params(DocumentQuery), responses((status = 200, body = DocumentPage)))]
async fn documents(service: Scoped, Query(query): Query<DocumentQuery>) -> Reply<DocumentPage> {
    let DocumentQuery { kind, search, after, limit } = query;
    Ok(Json(service.documents(DocumentFilter { kind, search, after, limit }).await?))
}

/// Makes a document
#[utoipa::path(post, path = "/api/v1/documents", operation_id = "create_document", request_body = NewDocument, responses((status = 201, body = Document), (status = 409)))]
async fn create(
    service: Scoped,
    JsonBody(request): JsonBody<NewDocument>,
) -> Result<(StatusCode, Json<Document>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.create_document(request).await?)))
}

/// What is wrong with a content, which is not saved
#[utoipa::path(post, path = "/api/v1/documents/check", operation_id = "check_document", request_body = CheckDocument, responses((status = 200, body = Vec<DocumentFinding>)))]
async fn check(service: Scoped, JsonBody(request): JsonBody<CheckDocument>) -> Reply<Vec<DocumentFinding>> {
    Ok(Json(service.check_document(request).await?))
}

/// Makes a document of a file that was exported
#[utoipa::path(post, path = "/api/v1/documents/import", operation_id = "import_document", request_body = DocumentFile, responses((status = 201, body = Document), (status = 409)))]
async fn import(
    service: Scoped,
    file: Result<String, StringRejection>,
) -> Result<(StatusCode, Json<Document>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.import_document(text_of(file)?).await?)))
}

/// A document
#[utoipa::path(get, path = "/api/v1/documents/{document}", params(("document" = DocumentId, Path, description = "Document id"), VersionQuery), responses((status = 200, body = Document)))]
async fn document(
    service: Scoped,
    Path(document): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Reply<Document> {
    Ok(Json(service.document(id(&document)?, query.version).await?))
}

/// Saves a new version of a document, unless there is a newer one than that which it was made from
#[utoipa::path(put, path = "/api/v1/documents/{document}", operation_id = "save_document", params(("document" = DocumentId, Path, description = "Document id")), request_body = SaveDocument, responses((status = 200, body = Document), (status = 409)))]
async fn save(
    service: Scoped,
    Path(document): Path<String>,
    JsonBody(request): JsonBody<SaveDocument>,
) -> Reply<Document> {
    Ok(Json(service.save_document(id(&document)?, request).await?))
}

/// Deletes a document with all its versions
#[utoipa::path(delete, path = "/api/v1/documents/{document}", operation_id = "delete_document", params(("document" = DocumentId, Path, description = "Document id")), responses((status = 204)))]
async fn delete(service: Scoped, Path(document): Path<String>) -> Result<StatusCode, ProblemResponse> {
    service.delete_document(id(&document)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a document another title, which makes no version
#[utoipa::path(put, path = "/api/v1/documents/{document}/title", operation_id = "rename_document", params(("document" = DocumentId, Path, description = "Document id")), request_body = RenameDocument, responses((status = 200, body = DocumentSummary)))]
async fn rename(
    service: Scoped,
    Path(document): Path<String>,
    JsonBody(request): JsonBody<RenameDocument>,
) -> Reply<DocumentSummary> {
    Ok(Json(service.rename_document(id(&document)?, request.title).await?))
}

/// Copies a document; the copy begins a history of its own
#[utoipa::path(post, path = "/api/v1/documents/{document}/copies", operation_id = "copy_document", params(("document" = DocumentId, Path, description = "Document id")), request_body = CopyDocument, responses((status = 201, body = Document), (status = 409)))]
async fn copy(
    service: Scoped,
    Path(document): Path<String>,
    JsonBody(request): JsonBody<CopyDocument>,
) -> Result<(StatusCode, Json<Document>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.copy_document(id(&document)?, request).await?)))
}

/// The versions of a document, newest first
#[utoipa::path(get, path = "/api/v1/documents/{document}/versions", operation_id = "document_history", params(("document" = DocumentId, Path, description = "Document id"), HistoryQuery), responses((status = 200, body = DocumentHistory)))]
async fn history(
    service: Scoped,
    Path(document): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Reply<DocumentHistory> {
    Ok(Json(service.document_history(id(&document)?, query.before, query.limit).await?))
}

/// A document as a file, to keep or to import elsewhere
#[utoipa::path(get, path = "/api/v1/documents/{document}/export.json", operation_id = "export_document", params(("document" = DocumentId, Path, description = "Document id"), VersionQuery), responses((status = 200, body = DocumentFile)))]
async fn export(
    service: Scoped,
    Path(document): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let id = id(&document)?;
    let file = service.export_document(id, query.version).await?;
    Ok(download("application/json", format!("{id}.json"), file))
}

fn id(text: &str) -> Result<DocumentId, Problem> {
    text.parse().map_err(no_such)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DocumentQuery {
    /// Only documents of this kind
    kind: Option<DocumentKind>,
    /// Words that the title must contain
    #[serde(default)]
    search: String,
    /// Only documents after this place: the `next` of the page before
    after: Option<DocumentCursor>,
    /// At most this many; 200 are allowed
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// The version; the newest one if absent
    version: Option<DocumentVersion>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Only versions before this one: the last of the page before
    before: Option<DocumentVersion>,
    /// At most this many; 200 are allowed
    #[serde(default = "versions")]
    limit: u32,
}

fn versions() -> u32 {
    VERSIONS
}
