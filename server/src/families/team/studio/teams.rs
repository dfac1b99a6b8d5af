//! Teams, each a document.

use axum::Json;
use backend::{Backend, DocumentBackend};
use protocol::{
    Problem, RunId,
    document::{Document, DocumentId, DocumentReference, NewDocument, SaveDocument},
    team::KIND,
};
use serde_json::{Map, Value, json};
use teamfile::team::Team;
use wire::autogen::{GivenTeam, TeamRow};

use super::{
    super::{content_of, import::title_of},
    Answer, component, kind, listed, numbered, row,
    sessions::Session,
};
use crate::{
    rest::{JsonBody, Path},
    scope::{NumberedRun, Scoped},
};

const NOT_FOUND: &str = "Team not found";
/// How often a save is tried again that somebody else's came before.
const TRIES: usize = 3;

pub(super) async fn list(service: Scoped) -> Answer {
    let mut teams = listed(&service, KIND).await?;
    if teams.is_empty() && service.caller().writer().is_ok() {
        let kinds = service.document_kinds().await?;
        let sample = kinds.into_iter().find(|spec| spec.kind.as_str() == KIND);
        if let Some(sample) = sample {
            let team = component::team_of(sample.template)?;
            teams.push(create(&service, &team).await?.summary);
        }
    }
    let mut rows = Vec::with_capacity(teams.len());
    for team in teams {
        let document = service.document(team.id, None).await?;
        rows.push(team_row(&service, document).await?);
    }
    Ok(Json(json!({ "status": true, "data": rows })))
}

pub(super) async fn read(service: Scoped, Path(team): Path<u64>) -> Answer {
    let document = numbered(&service, team, KIND, NOT_FOUND).await?;
    let row = team_row(&service, document).await?;
    Ok(Json(json!({ "status": true, "data": row })))
}

pub(super) async fn save(service: Scoped, JsonBody(given): JsonBody<GivenTeam>) -> Answer {
    let team = component::team(&given.component)?;
    let document = match given.id {
        Some(number) => {
            let document = numbered(&service, number, KIND, NOT_FOUND).await?;
            let renamed = title_of(&team.name).filter(|title| *title != document.summary.title);
            if let Some(title) = renamed {
                service.rename_document(document.summary.id, title).await?;
            }
            replace(&service, document.summary.id, &team).await?
        }
        None => create(&service, &team).await?,
    };
    let row = team_row(&service, document).await?;
    Ok(Json(json!({ "status": true, "data": row })))
}

pub(super) async fn delete(service: Scoped, Path(team): Path<u64>) -> Answer {
    let document = numbered(&service, team, KIND, NOT_FOUND).await?;
    service.delete_document(document.summary.id).await?;
    Ok(Json(json!({ "status": true, "message": "Team deleted successfully" })))
}

/// How a run of a session names the team that a client sends: a document's version that is the same team. One that is
/// not the session's own goes into a document of its own, which the session remembers.
pub(super) async fn reference(
    service: &Scoped,
    session: &mut Session,
    given: &Map<String, Value>,
) -> Result<String, Problem> {
    let team = component::team(given)?;
    if let Some(id) = session.team {
        match service.stored_document(id, None).await {
            Ok(document) => {
                let own = component::team_of(document.content)?;
                if component::written(&own) == component::written(&team) {
                    return Ok(format!("{id}@{}", document.version));
                }
            }
            // It was deleted.
            Err(problem) if problem.status == 404 => {}
            Err(problem) => return Err(problem),
        }
    }
    let kept = match session.draft {
        Some(draft) => replace(service, draft, &team).await,
        None => Err(Problem::not_found("")),
    };
    let document = match kept {
        Err(problem) if problem.status == 404 => {
            let document = create(service, &team).await?;
            session.remember_draft(service, document.summary.id).await?;
            document
        }
        kept => kept?,
    };
    Ok(format!("{}@{}", document.summary.id, document.version))
}

/// The caller's run of this number, whose team is to go on: that which the client sends, where it sends one.
pub(super) async fn earlier(
    service: &Scoped,
    number: u64,
    given: Option<&Map<String, Value>>,
) -> Result<RunId, Problem> {
    let not_found =
        || Problem::not_found(format!("There is no run {number} to go on after. Choose another."));
    let run = match service.numbered_run(number).await {
        Ok(NumberedRun::Begun(run)) => run,
        Ok(NumberedRun::Reserved(_)) => {
            return Err(Problem::conflict(format!(
                "The run {number} has not begun, so there is nothing to go on after. Choose another."
            )));
        }
        Err(problem) if problem.status == 404 => return Err(not_found()),
        Err(problem) => return Err(problem),
    };
    let refused = |problem: Problem| match problem.status {
        403 | 404 => not_found(),
        _ => problem,
    };
    service.own_run(run).await.map_err(refused)?;
    if let Some(given) = given {
        let workflow = service.run_summary(run).await?.request.workflow;
        let gone = || Problem::conflict(format!("The team of the run {number} is not there any more."));
        let DocumentReference { id, version } = workflow.document().ok_or_else(gone)?;
        let content = service.stored_document(id, version).await?.content;
        if component::written(&component::team_of(content)?) != component::written(&component::team(given)?) {
            return Err(Problem::conflict(format!(
                "The run {number} was of another team. Leave \"team_config\" out to go on with the one that it had, or \
                 leave \"after\" out to start anew."
            )));
        }
    }
    Ok(run)
}

async fn create(service: &Scoped, team: &Team) -> Result<Document, Problem> {
    let too_deep = || Problem::invalid("The team's parts are too deep within each other to be kept.");
    let content = content_of(team.clone()).ok_or_else(too_deep)?;
    let title = title_of(&team.name).ok_or_else(|| Problem::internal("A team has no title."))?;
    service.create_document(NewDocument { kind: kind(KIND)?, title, content }).await
}

/// Saves a team over what is there; the earlier version stays in the history.
async fn replace(service: &Scoped, id: DocumentId, team: &Team) -> Result<Document, Problem> {
    let too_deep = || Problem::invalid("The team's parts are too deep within each other to be kept.");
    let mut tries = 0;
    loop {
        let base = service.stored_document(id, None).await?.version;
        let content = content_of(team.clone()).ok_or_else(too_deep)?;
        match service.save_document(id, SaveDocument { base, content }).await {
            Err(problem) if problem.status == 409 && tries < TRIES => tries += 1,
            saved => return saved,
        }
    }
}

async fn team_row(service: &Scoped, document: Document) -> Result<TeamRow, Problem> {
    let row = row(service, &document.summary).await?;
    Ok(TeamRow { row, component: component::written(&component::team_of(document.content)?) })
}
