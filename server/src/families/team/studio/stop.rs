//! How clients stop a run.

use backend::Backend;
use protocol::{Problem, RunId, RunSummary, document::DocumentReference, team::LEAD};

use super::{component, log};
use crate::scope::Scoped;

/// Stops a run. A team with a condition that somebody outside of it makes hold is told to end, and does so after the
/// present turn. One that was told before, and every other, is stopped at once.
///
/// # Errors
/// 404: there is no such run of the caller's. 409: it is over.
pub(super) async fn stop(service: &Scoped, run: RunId, reason: String) -> Result<(), Problem> {
    if let Ok(readable) = service.readable(run).await
        && hears_outside(service, &readable).await?
        && !log::whole(&readable, &service.texts()).await?.is_told_to_end()
    {
        let lead = LEAD.parse().map_err(|_| Problem::internal("Whoever leads a team has no id."))?;
        return service.tell(run, lead, reason).await;
    }
    service.stop_run(run, Some(reason)).await.map(drop)
}

/// Whether the team of a run has such a condition. One whose document is gone is taken for one without.
async fn hears_outside(service: &Scoped, run: &RunSummary) -> Result<bool, Problem> {
    let named = run.request.workflow.text("team").and_then(|named| named.parse().ok());
    let Some(DocumentReference { id, version }) = named else { return Ok(false) };
    match service.stored_document(id, version).await {
        Ok(found) => Ok(component::team_of(found.content)?.hears_outside()),
        Err(problem) if problem.status == 404 => Ok(false),
        Err(problem) => Err(problem),
    }
}
