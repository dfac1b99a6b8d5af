//! What tasks serve beside their runs: sessions, which follow from the runs of a flow.

mod maws;

use app::backend::Backend;
use axum::Router;
use protocol::{
    FlowId, Problem, RunFilter,
    resolver::{TaskRequest, TaskSession},
};

use crate::scope::{Gateway, Scoped};

/// The sockets.
pub fn sockets() -> Router<Gateway> {
    maws::sockets()
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
