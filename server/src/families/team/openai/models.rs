//! Teams as models: those of the caller, and the one that is built in.

use axum::Json;
use backend::DocumentBackend;
use protocol::{
    AccountId, Problem, Timestamp,
    document::{DocumentFilter, DocumentId, DocumentReference, DocumentSummary},
    team::{KIND, SAMPLE, SAMPLE_TITLE},
};
use serde_json::Value;
use wire::openai::{self, Error, Model};

use super::{Refused, no_kind};
use crate::{rest::Path, scope::Scoped};

/// Documents that are asked for at a time.
const PAGE: u32 = 200;

pub(super) async fn list(service: Scoped) -> Result<Json<Value>, Refused> {
    let teams = teams(&service, "").await?;
    let models: Vec<Model> =
        std::iter::once(sample(&service)).chain(teams.iter().map(|team| model(&service, team))).collect();
    Ok(Json(openai::models(&models)))
}

pub(super) async fn read(service: Scoped, Path(name): Path<String>) -> Result<Json<Model>, Refused> {
    Ok(Json(named(&service, &name).await?))
}

/// The team that a client names: by its id, with a version or without, or by its title where no other has it.
///
/// # Errors
/// The caller has no such team, or several.
pub(super) async fn named(service: &Scoped, name: &str) -> Result<Model, Error> {
    if name == SAMPLE {
        return Ok(sample(service));
    }
    if let Ok(reference) = name.parse::<DocumentReference>() {
        return by_reference(service, reference).await;
    }
    let mut found = teams(service, name).await?.into_iter().filter(|team| team.title.as_str() == name);
    match (found.next(), found.next()) {
        (Some(team), None) => Ok(model(service, &team)),
        (Some(_), Some(_)) => Err(Error::ambiguous_model()),
        (None, _) if name == SAMPLE_TITLE => Ok(sample(service)),
        (None, _) => Err(Error::no_model()),
    }
}

async fn by_reference(service: &Scoped, reference: DocumentReference) -> Result<Model, Error> {
    let DocumentReference { id, version } = reference;
    match service.document(id, version).await {
        Ok(found) if found.summary.kind.as_str() == KIND => {
            let DocumentSummary { title, created_at, .. } = found.summary;
            Ok(Model::new(reference.to_string(), title.as_str(), created_at, &owner(service)))
        }
        Err(problem) if problem.status != 404 => Err(problem.into()),
        _ => Err(Error::no_model()),
    }
}

/// The caller's teams with these words in their titles, those first that were changed last.
async fn teams(service: &Scoped, words: &str) -> Result<Vec<DocumentSummary>, Problem> {
    let mut filter = DocumentFilter {
        kind: Some(KIND.parse().map_err(|_| no_kind())?),
        search: words.to_owned(),
        limit: Some(PAGE),
        ..DocumentFilter::default()
    };
    let mut teams = Vec::new();
    loop {
        let page = service.documents(filter.clone()).await?;
        teams.extend(page.documents);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(teams),
        }
    }
}

fn model(service: &Scoped, team: &DocumentSummary) -> Model {
    let DocumentId(id) = team.id;
    Model::new(id.to_string(), team.title.as_str(), team.created_at, &owner(service))
}

fn sample(service: &Scoped) -> Model {
    Model::new(SAMPLE, SAMPLE_TITLE, Timestamp::default(), &owner(service))
}

fn owner(service: &Scoped) -> AccountId {
    service.caller().name().cloned().unwrap_or_default()
}
