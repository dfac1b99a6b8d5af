//! The socket of the list of runs: what changes among them. `POST` opens a poll of the same.

use axum::{extract::WebSocketUpgrade, response::Response};
use backend::Backend;
use journal::RunChange;
use protocol::{Control, RunFilter, RunStatus, RunSummary};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use crate::{
    peer::{CloseReason, Disconnected, OpenedPoll, Peer},
    problem::ProblemResponse,
    scope::Scoped,
};

/// Runs of each kind in the snapshot for a new or lagging client.
const RECENT_RUNS: u32 = 100;

/// `WS /ws/v1/feed`: the summaries of what waits for a person and of recent runs, then each that changes.
pub async fn runs(service: Scoped, upgrade: WebSocketUpgrade) -> Result<Response, ProblemResponse> {
    let admission = service.admit_socket(None).await?;
    Ok(admission.upgrade(upgrade, move |peer| follow_runs(peer, service)))
}

/// Opens a poll in place of the socket.
pub async fn poll_runs(service: Scoped) -> Result<OpenedPoll, ProblemResponse> {
    let admission = service.admit_socket(None).await?;
    Ok(admission.poll(move |peer| follow_runs(peer, service)))
}

async fn follow_runs(mut peer: Peer, service: Scoped) -> Result<(), Disconnected> {
    // Subscribed before the list is read, so that no change is missed in between.
    let mut changes = service.run_changes();
    send_recent(&mut peer, &service).await?;
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Ok(RunChange::Grown(summary)) => send(&mut peer, &*summary).await?,
                Ok(RunChange::Removed { run, .. }) => peer.send(Control::Removed { run }.encode()).await?,
                Err(RecvError::Lagged(_)) => send_recent(&mut peer, &service).await?,
                Err(RecvError::Closed) => return peer.end(CloseReason::Restart).await,
            },
            ended = peer.ended() => return peer.end(ended?).await,
        }
    }
}

/// Runs that wait for a person first, however old, then recent ones.
async fn send_recent(peer: &mut Peer, service: &Scoped) -> Result<(), Disconnected> {
    let waiting = list(service, Some(RunStatus::Waiting)).await?;
    let recent = list(service, None).await?;
    let older = waiting.iter().filter(|run| recent.iter().all(|other| other.run != run.run));
    for summary in recent.iter().chain(older).rev() {
        send(peer, summary).await?;
    }
    Ok(())
}

/// One page of runs, newest first.
async fn list(service: &Scoped, status: Option<RunStatus>) -> Result<Vec<RunSummary>, Disconnected> {
    // There may be many more of those that others have started, and what is known of them stands on their pages.
    let filter = RunFilter { status, limit: Some(RECENT_RUNS), top: true, ..RunFilter::default() };
    let page = service.runs(filter).await.map_err(|error| {
        tracing::error!(%error, "the runs cannot be listed");
        Disconnected
    })?;
    Ok(page.runs)
}

pub(crate) async fn send<T: Serialize>(peer: &mut Peer, message: &T) -> Result<(), Disconnected> {
    peer.send(serde_json::to_string(message).map_err(|_| Disconnected)?).await
}
