//! AgentOS's routes: its requests become commands, and events become its frames.

use app::{backend::Backend, families::trading::backend::TradingBackend};
use axum::{
    Json, Router,
    extract::{Path, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use journal::{Encoded, JournalError};
use protocol::{Body, Event, Problem, RunFilter, RunId, trading::PortfolioView};
use serde_json::json;
use wire::agentos::{
    AccountRecord, Defaults, Latest, RunRecord, Stream, Summary, SystemFrame, Trigger, TriggerResponse,
    portfolio_named, start_run,
};

use crate::{
    peer::{CloseReason, Disconnected, Peer},
    problem::from_journal,
    scope::{Gateway, Scoped},
    service::MOST_EVENTS,
    texts::Texts,
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
pub fn router() -> Router<Gateway> {
    Router::new()
        .route("/api/run/scan", post(scan))
        .route("/api/run/pipeline", post(pipeline))
        .route("/api/run/portfolio", post(portfolio_run))
        .route("/api/run/auto", post(auto))
        .route("/api/run/mock", post(mock))
        .route("/api/run/", get(runs))
        .route("/api/run/{run}", get(run))
        .route("/api/portfolios/", get(portfolios))
        .route("/api/portfolios/{portfolio}", get(portfolio))
        .route("/api/portfolios/{portfolio}/summary", get(summary))
        .route("/api/portfolios/{portfolio}/latest", get(latest))
        .route("/ws/stream/{run}", get(stream))
}

async fn scan(service: Scoped, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Scan, &body).await
}

async fn auto(service: Scoped, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Auto, &body).await
}

async fn pipeline(service: Scoped, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Pipeline, &body).await
}

async fn portfolio_run(service: Scoped, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Portfolio, &body).await
}

async fn mock(service: Scoped, body: Bytes) -> Answer<TriggerResponse> {
    trigger(&service, Trigger::Mock, &body).await
}

async fn trigger(service: &Scoped, trigger: Trigger, body: &[u8]) -> Answer<TriggerResponse> {
    let request = start_run(trigger, body, &defaults(service).await?).map_err(Problem::from)?;
    Ok(Json(TriggerResponse::from(&service.start_run(request).await?)))
}

async fn runs(service: Scoped) -> Answer<Vec<RunRecord>> {
    let filter = RunFilter { limit: Some(LISTED_RUNS), ..RunFilter::default() };
    let page = service.runs(filter).await?;
    Ok(Json(page.runs.iter().map(RunRecord::new).collect()))
}

async fn run(service: Scoped, Path(run): Path<String>) -> Answer<RunRecord> {
    let not_found = || Problem::not_found("Run not found");
    let run: RunId = run.parse().map_err(|_| not_found())?;
    let readable = service.readable(run).await.map_err(|_| not_found())?;
    let texts = service.texts();
    let mut log: Vec<Event> = Vec::new();
    loop {
        let after = log.last().map_or(0, |event| event.seq);
        let events = readable.read(after, MOST_EVENTS).await?;
        if events.is_empty() {
            break;
        }
        for mut event in events {
            load_texts(&texts, &mut event).await?;
            log.push(event);
        }
    }
    Ok(Json(RunRecord::with_events(&readable, &log)))
}

async fn portfolios(service: Scoped) -> Answer<Vec<AccountRecord>> {
    let mut accounts = Vec::new();
    for portfolio in service.portfolios().await? {
        accounts.push(AccountRecord::from(&service.portfolio(portfolio.id, None).await?));
    }
    Ok(Json(accounts))
}

async fn portfolio(service: Scoped, Path(portfolio): Path<String>) -> Answer<AccountRecord> {
    Ok(Json(AccountRecord::from(&named(&service, &portfolio).await?)))
}

async fn latest(service: Scoped, Path(portfolio): Path<String>) -> Answer<Latest> {
    Ok(Json(Latest::from(&named(&service, &portfolio).await?)))
}

async fn summary(service: Scoped, Path(portfolio): Path<String>) -> Answer<Summary> {
    Ok(Json(Summary::new(&named(&service, &portfolio).await?, None)))
}

async fn named(service: &Scoped, portfolio: &str) -> Result<PortfolioView, Problem> {
    let not_found = || Problem::not_found("Portfolio not found");
    let id = portfolio_named(portfolio, &defaults(service).await?).map_err(|_| not_found())?;
    service.portfolio(id, None).await
}

/// The latest day with prices, and the oldest portfolio.
async fn defaults(service: &Scoped) -> Result<Defaults, Problem> {
    let portfolios = service.portfolios().await?;
    let first = portfolios.into_iter().next().ok_or_else(|| Problem::not_found("Portfolio not found"))?;
    Ok(Defaults { date: service.last_date(), portfolio: first.id })
}

/// `WS /ws/stream/{run}`: the log from its first event, then a system frame and a normal close.
async fn stream(
    service: Scoped,
    Path(run): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Detail> {
    let id = run.parse::<RunId>().ok();
    let admission = service.admit_socket(id).await?;
    Ok(admission.upgrade(upgrade, move |peer| follow(peer.foreign(), service, run)))
}

async fn follow(mut peer: Peer, service: Scoped, name: String) -> Result<(), Disconnected> {
    let readable = match name.parse::<RunId>() {
        Ok(run) => service.readable(run).await.ok(),
        Err(_) => None,
    };
    let Some(readable) = readable else {
        peer.send(wire::agentos::Frame::System(SystemFrame::run_not_found(&name)).encode()).await?;
        return peer.complete().await;
    };
    let (run, texts) = (readable.run, service.texts());
    let mut log = readable.subscribe(0).await.map_err(|_| Disconnected)?;
    let mut stream = Stream::default();
    loop {
        let batch = tokio::select! {
            batch = log.next() => batch,
            ended = peer.ended() => return peer.end(ended?).await,
        };
        let Ok(Some(events)) = batch else {
            if let Err(JournalError::Closed) = batch {
                return peer.end(CloseReason::Restart).await;
            }
            if batch.is_err() {
                let frame = SystemFrame::error("The log cannot be read. Connect again later.");
                peer.send(wire::agentos::Frame::System(frame).encode()).await?;
            }
            return peer.complete().await;
        };
        for event in events {
            let frame = frame(&texts, &mut stream, &event).await.map_err(|error| {
                tracing::error!(%run, %error, "an event cannot be read");
                Disconnected
            })?;
            if let Some(frame) = frame {
                peer.send(frame).await?;
            }
        }
    }
}

async fn frame(texts: &Texts, stream: &mut Stream, event: &Encoded) -> Result<Option<String>, Problem> {
    let mut event = event.decode().map_err(from_journal)?;
    load_texts(texts, &mut event).await?;
    Ok(stream.apply(&event).map(|frame| frame.encode()))
}

/// Loads long texts: AgentOS's events carry prompts and answers in full.
async fn load_texts(texts: &Texts, event: &mut Event) -> Result<(), Problem> {
    match event.body {
        // It has no form there for what a node changed in the state.
        Body::NodeFinished(_) => Ok(()),
        _ => texts.load_into(event).await,
    }
}
