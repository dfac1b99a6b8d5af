//! AgentOS's routes: its requests become Pitwall's, Pitwall's log becomes its frames.

use std::sync::Arc;

use app::backend::Backend;
use axum::{
    Json, Router,
    extract::{Path, State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use journal::{Encoded, JournalError};
use protocol::{Body, Event, PortfolioView, Problem, RunFilter, RunId};
use serde_json::json;
use wire::agentos::{
    Account, Defaults, Latest, RunRecord, Stream, Summary, SystemFrame, Trigger, TriggerResponse,
    portfolio_named, start_run,
};

use crate::{
    peer::{Gone, Peer},
    problem::from_journal,
    service::{MOST_EVENTS, Service},
};

/// Runs in AgentOS's list; it has no paging.
const LISTED_RUNS: u32 = 200;

/// An error as AgentOS's clients read it: `{"detail": "…"}`.
struct Detail(Problem);

impl<T: Into<Problem>> From<T> for Detail {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Detail {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "detail": self.0.detail }))).into_response()
    }
}

type Answer<T> = Result<Json<T>, Detail>;

/// The routes, at the addresses that AgentOS's clients use.
pub fn router() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/run/pipeline", post(pipeline))
        .route("/api/run/portfolio", post(portfolio_run))
        .route("/api/run/mock", post(mock))
        .route("/api/run/", get(runs))
        .route("/api/run/{run}", get(run))
        .route("/api/portfolios/", get(portfolios))
        .route("/api/portfolios/{portfolio}", get(portfolio))
        .route("/api/portfolios/{portfolio}/summary", get(summary))
        .route("/api/portfolios/{portfolio}/latest", get(latest))
        .route("/ws/stream/{run}", get(stream))
}

async fn pipeline(State(service): State<Arc<Service>>, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Pipeline, &body).await
}

async fn portfolio_run(State(service): State<Arc<Service>>, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Portfolio, &body).await
}

async fn mock(State(service): State<Arc<Service>>, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Mock, &body).await
}

async fn trigger(service: &Service, trigger: Trigger, body: &[u8]) -> Answer<TriggerResponse> {
    let request = start_run(trigger, body, &defaults(service).await?).map_err(Problem::from)?;
    Ok(Json(TriggerResponse::from(&service.start(request).await?)))
}

async fn runs(State(service): State<Arc<Service>>) -> Answer<Vec<RunRecord>> {
    let filter = RunFilter { limit: Some(LISTED_RUNS), ..RunFilter::default() };
    let page = service.runs(filter).await?;
    Ok(Json(page.runs.iter().map(RunRecord::new).collect()))
}

async fn run(State(service): State<Arc<Service>>, Path(run): Path<String>) -> Answer<RunRecord> {
    let not_found = || Problem::not_found("Run not found");
    let run: RunId = run.parse().map_err(|_| not_found())?;
    let summary = service.journal.summary(run).await.map_err(from_journal)?.ok_or_else(not_found)?;
    let mut log: Vec<Event> = Vec::new();
    loop {
        let after = log.last().map_or(0, |event| event.seq);
        let events = service.journal.read(run, after, MOST_EVENTS).await.map_err(from_journal)?;
        if events.is_empty() {
            break;
        }
        for mut event in events {
            make_whole(&service, &mut event).await?;
            log.push(event);
        }
    }
    Ok(Json(RunRecord::with_events(&summary, &log)))
}

async fn portfolios(State(service): State<Arc<Service>>) -> Answer<Vec<Account>> {
    let mut accounts = Vec::new();
    for portfolio in service.portfolios().await? {
        accounts.push(Account::from(&service.portfolio_view(&portfolio.id, None).await?));
    }
    Ok(Json(accounts))
}

async fn portfolio(State(service): State<Arc<Service>>, Path(portfolio): Path<String>) -> Answer<Account> {
    Ok(Json(Account::from(&named(&service, &portfolio).await?)))
}

async fn latest(State(service): State<Arc<Service>>, Path(portfolio): Path<String>) -> Answer<Latest> {
    Ok(Json(Latest::from(&named(&service, &portfolio).await?)))
}

async fn summary(State(service): State<Arc<Service>>, Path(portfolio): Path<String>) -> Answer<Summary> {
    Ok(Json(Summary::new(&named(&service, &portfolio).await?, None)))
}

async fn named(service: &Service, portfolio: &str) -> Result<PortfolioView, Problem> {
    let not_found = || Problem::not_found("Portfolio not found");
    let id = portfolio_named(portfolio, &defaults(service).await?).map_err(|_| not_found())?;
    service.portfolio_view(&id, None).await
}

/// The newest day with prices, and the oldest portfolio.
async fn defaults(service: &Service) -> Result<Defaults, Problem> {
    let portfolios = service.portfolios().await?;
    let first = portfolios.into_iter().next().ok_or_else(|| Problem::not_found("Portfolio not found"))?;
    Ok(Defaults { date: service.prices.last_date(), portfolio: first.id })
}

/// `WS /ws/stream/{run}`: always from the first event on, then a system frame and a normal close.
async fn stream(
    State(service): State<Arc<Service>>,
    Path(run): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let sockets = service.sockets.clone();
    sockets.upgrade(upgrade, move |peer| follow(peer, service, run))
}

async fn follow(mut peer: Peer, service: Arc<Service>, name: String) -> Result<(), Gone> {
    let known = match name.parse::<RunId>() {
        Ok(run) => service.journal.last_seq(run).await.ok().flatten().map(|_| run),
        Err(_) => None,
    };
    let Some(run) = known else {
        peer.send(wire::agentos::Frame::System(SystemFrame::run_not_found(&name)).encode()).await?;
        return peer.complete().await;
    };
    let mut log = service.journal.subscribe(run, 0).await.map_err(|_| Gone)?;
    let mut stream = Stream::default();
    loop {
        let batch = tokio::select! {
            batch = log.next() => batch,
            ended = peer.ended() => {
                ended?;
                return peer.restart().await;
            }
        };
        let Ok(Some(events)) = batch else {
            if let Err(JournalError::Closed) = batch {
                return peer.restart().await;
            }
            if batch.is_err() {
                let frame = SystemFrame::error("The log cannot be read. Connect again later.");
                peer.send(wire::agentos::Frame::System(frame).encode()).await?;
            }
            return peer.complete().await;
        };
        for event in events {
            let frame = frame(&service, &mut stream, &event).await.map_err(|error| {
                tracing::error!(%run, %error, "an event cannot be read");
                Gone
            })?;
            if let Some(frame) = frame {
                peer.send(frame).await?;
            }
        }
    }
}

async fn frame(service: &Service, stream: &mut Stream, event: &Encoded) -> Result<Option<String>, Problem> {
    let mut event = event.decode().map_err(from_journal)?;
    make_whole(service, &mut event).await?;
    Ok(stream.apply(&event).map(|frame| frame.encode()))
}

/// AgentOS's events carry prompts and answers in full.
async fn make_whole(service: &Service, event: &mut Event) -> Result<(), Problem> {
    if matches!(event.body, Body::NodeFinished(_)) {
        return Ok(()); // It has no form there for what a node changed in the state.
    }
    for text in event.body.texts_mut() {
        if text.stored().is_some() {
            *text = service.journal.resolve(text).await.map_err(from_journal)?.into();
        }
    }
    Ok(())
}
