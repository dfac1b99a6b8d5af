//! Sessions, each a document that names a team.

use axum::Json;
use backend::DocumentBackend;
use journal::StoredDocument;
use protocol::{
    FlowId, Problem,
    document::{
        Document, DocumentContent, DocumentId, DocumentSummary, DocumentVersion, NewDocument, SaveDocument,
    },
    team::{KIND, SESSION_KIND},
};
use serde_json::{Map, Value, json};
use wire::autogen::{GivenSession, SessionRow};

use super::{super::import::title_of, Answer, kind, listed, numbered, owner, row};
use crate::{
    rest::{JsonBody, Path},
    scope::Scoped,
};

const NOT_FOUND: &str = "Session not found";
/// What a session is called where nobody says.
const UNNAMED: &str = "Session";

/// A session of the caller's.
pub(super) struct Session {
    pub(super) summary: DocumentSummary,
    version: DocumentVersion,
    /// The team that it was made with.
    pub(super) team: Option<DocumentId>,
    /// The team that was last sent with a start and is not that one.
    pub(super) draft: Option<DocumentId>,
}

impl Session {
    fn of(document: Document) -> Self {
        let Document { summary, version, content, .. } = document;
        Self::stored(StoredDocument { summary, version, content })
    }

    fn stored(document: StoredDocument) -> Self {
        let StoredDocument { summary, version, content } = document;
        let id = |field: &str| content.fields().get(field).and_then(Value::as_str)?.parse().ok();
        let (team, draft) = (id("team"), id("draft"));
        Self { summary, version, team, draft }
    }

    /// The session of this number.
    pub(super) async fn numbered(service: &Scoped, number: u64) -> Result<Self, Problem> {
        numbered(service, number, SESSION_KIND, NOT_FOUND).await.map(Self::of)
    }

    /// The session of this document.
    pub(super) async fn read(service: &Scoped, id: DocumentId) -> Result<Self, Problem> {
        let document = service.stored_document(id, None).await?;
        if document.summary.kind.as_str() == SESSION_KIND {
            return Ok(Self::stored(document));
        }
        Err(Problem::not_found(NOT_FOUND))
    }

    /// The flow of its runs.
    pub(super) fn flow(&self) -> Result<FlowId, Problem> {
        // A UUID is a flow's id.
        self.summary.id.to_string().parse().map_err(|_| Problem::internal("A session has no flow."))
    }

    /// Its number.
    pub(super) async fn number(&self, service: &Scoped) -> Result<Option<u64>, Problem> {
        let owner = owner(service)?;
        Ok(service.numbers_of(&owner, vec![self.summary.id.0]).await?.first().copied())
    }

    /// Notes which document has the team that was sent with a start. Where another start did so at the same time, its
    /// note stays.
    pub(super) async fn remember_draft(
        &mut self,
        service: &Scoped,
        draft: DocumentId,
    ) -> Result<(), Problem> {
        self.draft = Some(draft);
        match self.save(service).await {
            Err(problem) if problem.status == 409 => Ok(()),
            saved => saved,
        }
    }

    async fn save(&mut self, service: &Scoped) -> Result<(), Problem> {
        let content = content(self.team, self.draft)?;
        let saved =
            service.save_document(self.summary.id, SaveDocument { base: self.version, content }).await?;
        (self.summary, self.version) = (saved.summary, saved.version);
        Ok(())
    }

    async fn row(&self, service: &Scoped) -> Result<SessionRow, Problem> {
        // A team that was deleted has no number any more, and is given none.
        let team_id = match self.team {
            Some(team) if service.document(team, None).await.is_ok() => {
                service.numbers_of(&owner(service)?, vec![team.0]).await?.first().copied()
            }
            _ => None,
        };
        Ok(SessionRow {
            row: row(service, &self.summary).await?,
            team_id,
            name: self.summary.title.to_string(),
        })
    }
}

fn content(team: Option<DocumentId>, draft: Option<DocumentId>) -> Result<DocumentContent, Problem> {
    let fields = [("team", team), ("draft", draft)];
    let fields: Map<String, Value> =
        fields.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?.to_string().into()))).collect();
    DocumentContent::new(fields).map_err(|error| Problem::invalid(error.to_string()))
}

pub(super) async fn list(service: Scoped) -> Answer {
    let mut summaries = listed(&service, SESSION_KIND).await?;
    summaries.sort_by_key(|summary| std::cmp::Reverse(summary.id));
    let mut rows = Vec::with_capacity(summaries.len());
    for summary in summaries {
        rows.push(Session::read(&service, summary.id).await?.row(&service).await?);
    }
    Ok(Json(json!({ "status": true, "data": rows })))
}

pub(super) async fn read(service: Scoped, Path(session): Path<u64>) -> Answer {
    let row = Session::numbered(&service, session).await?.row(&service).await?;
    Ok(Json(json!({ "status": true, "data": row })))
}

pub(super) async fn create(service: Scoped, JsonBody(given): JsonBody<GivenSession>) -> Answer {
    let team = team_of(&service, given.team_id.flatten()).await?;
    let name = given.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(UNNAMED);
    let title = title_of(name).ok_or_else(|| Problem::invalid("The session needs a name."))?;
    let request = NewDocument { kind: kind(SESSION_KIND)?, title, content: content(team, None)? };
    let session = Session::of(service.create_document(request).await?);
    let row = session.row(&service).await?;
    Ok(Json(json!({ "status": true, "data": row, "message": "Session created successfully" })))
}

pub(super) async fn change(
    service: Scoped,
    Path(session): Path<u64>,
    JsonBody(given): JsonBody<GivenSession>,
) -> Answer {
    let mut session = Session::numbered(&service, session).await?;
    if let Some(number) = given.team_id {
        session.team = team_of(&service, number).await?;
        session.save(&service).await?;
    }
    if let Some(title) = given.name.as_deref().filter(|name| !name.trim().is_empty()).and_then(title_of) {
        session.summary = service.rename_document(session.summary.id, title).await?;
    }
    let row = session.row(&service).await?;
    Ok(Json(json!({ "status": true, "data": row, "message": "Session updated successfully" })))
}

/// Its runs stay: they are found in Pitwall.
pub(super) async fn delete(service: Scoped, Path(session): Path<u64>) -> Answer {
    let session = Session::numbered(&service, session).await?;
    service.delete_document(session.summary.id).await?;
    Ok(Json(json!({ "status": true, "message": "Session deleted successfully" })))
}

/// The team that a session is to have, by its number.
async fn team_of(service: &Scoped, number: Option<u64>) -> Result<Option<DocumentId>, Problem> {
    match number {
        Some(number) => Ok(Some(numbered(service, number, KIND, "Team not found").await?.summary.id)),
        None => Ok(None),
    }
}
