//! Galleries and settings: documents that clients keep, and that Pitwall does not read.

use axum::Json;
use backend::DocumentBackend;
use protocol::{
    Problem,
    document::{Document, DocumentContent, DocumentId, NewDocument, SaveDocument},
    team::{GALLERY_KIND, KIND, SETTINGS_KIND},
};
use serde_json::{Map, Value, json};
use wire::autogen::{ConfigRow, GivenConfig, default_gallery, default_settings};

use super::{super::import::title_of, Answer, component, kind, listed, numbered, row};
use crate::{
    rest::{JsonBody, Path},
    scope::Scoped,
};

const NO_GALLERY: &str = "Gallery entry not found";
/// What a gallery is called that says no name.
const UNNAMED: &str = "Gallery";
const SETTINGS: &str = "Settings";

pub(super) async fn galleries(service: Scoped) -> Answer {
    let mut galleries = listed(&service, GALLERY_KIND).await?;
    if galleries.is_empty() && service.caller().writer().is_ok() {
        let usual = usual_gallery(&service).await?;
        galleries.push(create(&service, GALLERY_KIND, usual).await?.summary);
    }
    let mut rows = Vec::with_capacity(galleries.len());
    for gallery in galleries {
        let document = service.document(gallery.id, None).await?;
        rows.push(config_row(&service, document).await?);
    }
    answer("Retrieved successfully", rows)
}

pub(super) async fn gallery(service: Scoped, Path(gallery): Path<u64>) -> Answer {
    let document = numbered(&service, gallery, GALLERY_KIND, NO_GALLERY).await?;
    answer("Retrieved successfully", config_row(&service, document).await?)
}

pub(super) async fn create_gallery(service: Scoped, JsonBody(given): JsonBody<GivenConfig>) -> Answer {
    let document = create(&service, GALLERY_KIND, without_keys(given.config)).await?;
    answer("Gallery created successfully", config_row(&service, document).await?)
}

pub(super) async fn save_gallery(
    service: Scoped,
    Path(gallery): Path<u64>,
    JsonBody(given): JsonBody<GivenConfig>,
) -> Answer {
    let document = numbered(&service, gallery, GALLERY_KIND, NO_GALLERY).await?;
    let config = without_keys(given.config);
    if let Some(title) = title(&config) {
        service.rename_document(document.summary.id, title).await?;
    }
    let document = replace(&service, document, config).await?;
    answer("Gallery updated successfully", config_row(&service, document).await?)
}

pub(super) async fn delete_gallery(service: Scoped, Path(gallery): Path<u64>) -> Answer {
    let document = numbered(&service, gallery, GALLERY_KIND, NO_GALLERY).await?;
    service.delete_document(document.summary.id).await?;
    answer("Gallery deleted successfully", Value::Null)
}

pub(super) async fn settings(service: Scoped) -> Answer {
    let document = own_settings(&service).await?;
    answer("Settings retrieved successfully", config_row(&service, document).await?)
}

pub(super) async fn save_settings(service: Scoped, JsonBody(given): JsonBody<GivenConfig>) -> Answer {
    let document = own_settings(&service).await?;
    let mut config = given.config;
    // Nothing here reads an environment, and nobody can tell which variable of one is a secret.
    let had_environment =
        config.get("environment").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    config.insert("environment".to_owned(), json!([]));
    let document = replace(&service, document, without_keys(config)).await?;
    let message = if had_environment {
        "Settings updated. The environment is not kept: an operator sets what runs need on the server."
    } else {
        "Settings updated successfully"
    };
    answer(message, config_row(&service, document).await?)
}

/// The caller's settings, which are made when they are first asked for.
async fn own_settings(service: &Scoped) -> Result<Document, Problem> {
    match listed(service, SETTINGS_KIND).await?.first() {
        Some(summary) => service.document(summary.id, None).await,
        None => create(service, SETTINGS_KIND, default_settings()).await,
    }
}

/// The gallery that an account has before it makes one: the sample with its agents.
async fn usual_gallery(service: &Scoped) -> Result<Map<String, Value>, Problem> {
    let kinds = service.document_kinds().await?;
    let sample = kinds.into_iter().find(|spec| spec.kind.as_str() == KIND);
    let sample = sample.ok_or_else(|| Problem::internal("There is no sample of a team."))?;
    let team = component::written(&component::team_of(sample.template)?);
    let agents = team.pointer("/config/participants").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(default_gallery(agents, vec![team]))
}

async fn create(service: &Scoped, of_kind: &str, config: Map<String, Value>) -> Result<Document, Problem> {
    let name = if of_kind == GALLERY_KIND { UNNAMED } else { SETTINGS };
    let title = title(&config).or_else(|| title_of(name));
    let title = title.ok_or_else(|| Problem::internal("The document has no title."))?;
    let content = DocumentContent::new(config).map_err(|error| Problem::invalid(error.to_string()))?;
    service.create_document(NewDocument { kind: kind(of_kind)?, title, content }).await
}

async fn replace(
    service: &Scoped,
    document: Document,
    config: Map<String, Value>,
) -> Result<Document, Problem> {
    let content = DocumentContent::new(config).map_err(|error| Problem::invalid(error.to_string()))?;
    let id: DocumentId = document.summary.id;
    service.save_document(id, SaveDocument { base: document.version, content }).await
}

fn title(config: &Map<String, Value>) -> Option<protocol::document::DocumentTitle> {
    let name = config.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    name.and_then(title_of)
}

fn without_keys(config: Map<String, Value>) -> Map<String, Value> {
    let mut value = Value::Object(config);
    teamfile::without_keys(&mut value);
    match value {
        Value::Object(config) => config,
        _ => Map::new(),
    }
}

async fn config_row(service: &Scoped, document: Document) -> Result<ConfigRow, Problem> {
    Ok(ConfigRow { row: row(service, &document.summary).await?, config: document.content.fields().clone() })
}

fn answer(message: &str, data: impl serde::Serialize) -> Answer {
    Ok(Json(json!({ "status": true, "message": message, "data": data })))
}
