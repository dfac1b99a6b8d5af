//! Sockets of lists: changes of all runs, and of one portfolio. `POST` opens a poll in place of a socket.

use app::backend::Backend;
use axum::{
    extract::{Path, WebSocketUpgrade},
    response::Response,
};
use journal::RunChange;
use protocol::{Control, PortfolioId, Problem, RunFilter, RunStatus, RunSummary};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use crate::{
    peer::{Ending, Gone, Peer},
    polls::Opened,
    problem::{ProblemResponse, no_such},
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
pub async fn poll_runs(service: Scoped) -> Result<Opened, ProblemResponse> {
    let admission = service.admit_socket(None).await?;
    Ok(admission.poll(move |peer| follow_runs(peer, service)))
}

async fn follow_runs(mut peer: Peer, service: Scoped) -> Result<(), Gone> {
    // Subscribed before the list is read, so that no change is missed in between.
    let mut changes = service.run_changes();
    send_recent(&mut peer, &service).await?;
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Ok(RunChange::Grown(summary)) => send(&mut peer, &*summary).await?,
                Ok(RunChange::Removed { run, .. }) => peer.send(Control::Removed { run }.encode()).await?,
                Err(RecvError::Lagged(_)) => send_recent(&mut peer, &service).await?,
                Err(RecvError::Closed) => return peer.end(Ending::Restart).await,
            },
            ended = peer.ended() => return peer.end(ended?).await,
        }
    }
}

/// Runs that wait for a person first, however old, then recent ones.
async fn send_recent(peer: &mut Peer, service: &Scoped) -> Result<(), Gone> {
    let waiting = list(service, Some(RunStatus::Waiting)).await?;
    let recent = list(service, None).await?;
    let older = waiting.iter().filter(|run| recent.iter().all(|other| other.run != run.run));
    for summary in recent.iter().chain(older).rev() {
        send(peer, summary).await?;
    }
    Ok(())
}

/// One page of runs, newest first.
async fn list(service: &Scoped, status: Option<RunStatus>) -> Result<Vec<RunSummary>, Gone> {
    let filter = RunFilter { status, limit: Some(RECENT_RUNS), ..RunFilter::default() };
    let page = service.runs(filter).await.map_err(|error| {
        tracing::error!(%error, "the runs cannot be listed");
        Gone
    })?;
    Ok(page.runs)
}

/// `WS /ws/v1/portfolios/{portfolio}`: the portfolio now, and again whenever it changes.
///
/// 404 before the upgrade for a portfolio that does not exist.
pub async fn portfolio(
    service: Scoped,
    Path(portfolio): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    let portfolio = existing(&service, &portfolio).await?;
    let admission = service.admit_socket(None).await?;
    Ok(admission.upgrade(upgrade, move |peer| follow_portfolio(peer, service, portfolio)))
}

/// Opens a poll in place of the socket.
pub async fn poll_portfolio(
    service: Scoped,
    Path(portfolio): Path<String>,
) -> Result<Opened, ProblemResponse> {
    let portfolio = existing(&service, &portfolio).await?;
    let admission = service.admit_socket(None).await?;
    Ok(admission.poll(move |peer| follow_portfolio(peer, service, portfolio)))
}

async fn existing(service: &Scoped, portfolio: &str) -> Result<PortfolioId, Problem> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    let portfolio = service.portfolio_id(&portfolio)?;
    service.portfolio(portfolio.clone(), None).await?;
    Ok(portfolio)
}

async fn follow_portfolio(mut peer: Peer, service: Scoped, id: PortfolioId) -> Result<(), Gone> {
    let mut changes = service.portfolio_changes();
    send_portfolio(&mut peer, &service, &id).await?;
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(changed) if changed != id => {}
                Ok(_) | Err(RecvError::Lagged(_)) => send_portfolio(&mut peer, &service, &id).await?,
                Err(RecvError::Closed) => return peer.end(Ending::Restart).await,
            },
            ended = peer.ended() => return peer.end(ended?).await,
        }
    }
}

async fn send_portfolio(peer: &mut Peer, service: &Scoped, id: &PortfolioId) -> Result<(), Gone> {
    let view = service.portfolio(id.clone(), None).await.map_err(|problem| {
        tracing::error!(%problem, "the portfolio cannot be read");
        Gone
    })?;
    send(peer, &view).await
}

async fn send<T: Serialize>(peer: &mut Peer, message: &T) -> Result<(), Gone> {
    peer.send(serde_json::to_string(message).map_err(|_| Gone)?).await
}
