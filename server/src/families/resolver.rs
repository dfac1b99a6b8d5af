//! What tasks serve beside their runs: sessions, which follow from the runs of a flow.

mod files;
mod maws;

use std::collections::BTreeMap;

use app::families::resolver::backend::ResolverBackend;
use async_trait::async_trait;
use axum::Router;
use backend::Backend;
use protocol::{
    FlowId, Problem, RunFilter, RunId,
    resolver::{SessionRun, TaskConversation, TaskRequest, TaskSession},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    problem::{no_run, no_such},
    scope::{Gateway, Scoped},
};

/// The sockets.
pub fn sockets() -> Router<Gateway> {
    maws::sockets()
}

/// The routes of the REST interface.
pub fn rest() -> OpenApiRouter<Gateway> {
    files::rest()
}

#[async_trait]
impl ResolverBackend for Scoped {
    async fn conversation(&self, name: FlowId) -> Result<TaskConversation, Problem> {
        let flow = named(self, name.as_str()).await?;
        let session = session(self, flow).await?;
        let Some(last) = session.runs.last() else {
            return Err(Problem::not_found("There is no session of this name. Choose one that is listed."));
        };
        let (last, task) = (last.run, last.task());
        let mut exchanges = BTreeMap::new();
        let mut views = BTreeMap::new();
        for run in session.runs.iter().map(|run| run.run) {
            // One that was deleted meanwhile has nothing to show.
            let Ok(view) = self.run(run).await else { continue };
            if !view.chats.is_empty() {
                exchanges.insert(run, view.chats.clone());
            }
            if run == last || Some(run) == task {
                views.insert(run, view);
            }
        }
        let last = views.remove(&last);
        let task = task.and_then(|task| views.remove(&task));
        Ok(TaskConversation { session, exchanges, last, task })
    }
}

/// The flow of a session that is named by the id of one of its runs, or by a name that clients choose themselves.
async fn named(service: &Scoped, name: &str) -> Result<FlowId, Problem> {
    match name.parse::<RunId>() {
        // Ids of runs alone are of version 7 here.
        Ok(run) if run.0.get_version_num() == 7 => {
            service.own_run(run).await.map_err(|_| no_run(run))?;
            let summary = service.readable(run).await?.clone();
            let flow = summary.request.flow.clone();
            SessionRun::of(summary).map(|_| flow).ok_or_else(|| no_run(run))
        }
        _ => name.parse().map_err(no_such),
    }
}

/// The caller's session in this flow, as it stands; one that has no run yet is idle.
async fn session(service: &Scoped, flow: FlowId) -> Result<TaskSession, Problem> {
    let mut runs = Vec::new();
    for kind in [TaskRequest::TASK, TaskRequest::REFINEMENT] {
        let filter = RunFilter {
            kind: kind.parse().ok(),
            flow: Some(flow.clone()),
            limit: u32::try_from(TaskSession::MOST_RUNS).ok(),
            ..RunFilter::default()
        };
        runs.extend(service.runs(filter).await?.runs);
    }
    Ok(TaskSession::new(flow, runs))
}
