//! AgentOS's routes: its requests become commands, and events become its frames.

use std::{collections::HashMap, time::Duration};

use app::families::trading::backend::TradingBackend;
use axum::{
    Json, Router,
    extract::{Path, Query, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use backend::Backend;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use journal::{Encoded, JournalError, Subscription};
use protocol::{
    Body, Date, Event, Problem, RunFilter, RunId, RunStatus, WorkflowKind,
    trading::{Decision, PortfolioId, PortfolioSummary, PortfolioView, Task, Ticker},
};
use wire::agentos::{
    AccountRecord, Frame, Latest, MAIN_PORTFOLIO, PortfolioStage, PortfolioStageResponse, RerunNode,
    RerunResponse, RunRecord, Stream, Summary, SystemFrame, Trigger, TriggerResponse, calendar_day,
    start_run,
};

use crate::{
    peer::{CloseReason, Disconnected, Peer},
    problem::{Detail, from_journal},
    scope::{Gateway, Readable, Scoped},
    service::MOST_EVENTS,
    texts::Texts,
};

/// Milliseconds before each look for a run that another one is about to begin.
const BEGINS_WITHIN: [u64; 6] = [0, 10, 50, 250, 1_000, 4_000];

/// Runs in AgentOS's list; it has no paging.
const LISTED_RUNS: u32 = 200;

type Answer<T> = Result<Json<T>, Detail>;

/// The routes, at the addresses that AgentOS's clients use.
pub fn router() -> Router<Gateway> {
    Router::new()
        .route("/api/run/scan", post(scan))
        .route("/api/run/pipeline", post(pipeline))
        .route("/api/run/portfolio", post(portfolio_run))
        .route("/api/run/auto", post(auto))
        .route("/api/run/mock", post(mock))
        .route("/api/run/rerun-node", post(rerun_node))
        .route("/api/run/portfolio-stage", delete(portfolio_stage))
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
    let mut request = start_run(trigger, body, service.last_date()).map_err(Problem::from)?;
    let task = Task::of(&request.workflow);
    if let Some(Task::Portfolio { portfolio, .. } | Task::Auto { portfolio, .. }) = task {
        let portfolio = meant(service, portfolio).await?;
        let named = request.workflow.with("portfolio", portfolio.as_str().into());
        request.workflow = named.map_err(|error| Problem::invalid(error.to_string()))?;
    }
    Ok(Json(TriggerResponse::from(&service.start_run(request).await?)))
}

/// Makes a phase of a stock's analysis again: of a pipeline run, or of the one that another run has started for it.
async fn rerun_node(service: Scoped, body: Bytes) -> Answer<RerunResponse> {
    let not_found = || Problem::not_found("Run not found");
    let request = RerunNode::read(&body).map_err(Problem::from)?;
    let named = request.run().map_err(Problem::from)?.and_then(|run| run.parse::<RunId>().ok());
    let named = named.ok_or_else(not_found)?;
    service.readable(named).await.map_err(|_| not_found())?;
    let (phase, ticker) = request.phase().map_err(Problem::from)?;
    let analysis = analysis_of(&service, named, &ticker).await?.ok_or_else(|| {
        Problem::invalid(format!("This run has no analysis of {ticker}. Choose a node of one."))
    })?;
    let accepted = service.fork_run(analysis, phase.again()).await?;
    Ok(Json(RerunResponse::new(&accepted, phase)))
}

/// The pipeline run of this stock: the run itself, or the last that it has started.
async fn analysis_of(service: &Scoped, run: RunId, ticker: &Ticker) -> Result<Option<RunId>, Problem> {
    let is_analysis = |kind: &WorkflowKind, subject: Option<&str>| {
        kind.as_str() == Task::PIPELINE && subject == Some(ticker.as_str())
    };
    let summary = service.readable(run).await?;
    if is_analysis(summary.request.workflow.kind(), summary.subject.as_deref()) {
        return Ok(Some(run));
    }
    for below in service.run(run).await?.sub_runs.iter().rev() {
        let Ok(readable) = service.readable(below.run).await else { continue };
        if is_analysis(readable.request.workflow.kind(), readable.subject.as_deref()) {
            return Ok(Some(below.run));
        }
    }
    Ok(None)
}

async fn portfolio_stage(service: Scoped, body: Bytes) -> Answer<PortfolioStageResponse> {
    let mut stage = PortfolioStage::read(&body).map_err(Problem::from)?;
    stage.portfolio = shown(&service, stage.portfolio, None).await?.id;
    Ok(Json(stage.into()))
}

async fn runs(service: Scoped) -> Answer<Vec<RunRecord>> {
    // It knows of none that others have started.
    let filter = RunFilter { limit: Some(LISTED_RUNS), top: true, ..RunFilter::default() };
    let page = service.runs(filter).await?;
    Ok(Json(page.runs.iter().map(RunRecord::new).collect()))
}

async fn run(service: Scoped, Path(run): Path<String>) -> Answer<RunRecord> {
    let not_found = || Problem::not_found("Run not found");
    let run: RunId = run.parse().map_err(|_| not_found())?;
    let readable = service.readable(run).await.map_err(|_| not_found())?;
    let mut logs = Vec::new();
    let mut coming = vec![readable.run];
    while let Some(run) = coming.pop() {
        // One that was named and never begun has no log.
        let Ok(of_one) = service.readable(run).await else { continue };
        let log = whole_log(&of_one, &service.texts()).await?;
        coming.extend(log.iter().filter_map(started_below));
        logs.push(log);
    }
    Ok(Json(RunRecord::with_events(&readable, &logs)))
}

/// All events of a run, with whole texts.
async fn whole_log(run: &Readable<'_>, texts: &Texts) -> Result<Vec<Event>, Problem> {
    let mut log: Vec<Event> = Vec::new();
    loop {
        let after = log.last().map_or(0, |event| event.seq);
        let events = run.read(after, MOST_EVENTS).await?;
        if events.is_empty() {
            return Ok(log);
        }
        for mut event in events {
            load_texts(texts, &mut event).await?;
            log.push(event);
        }
    }
}

/// The run that this event says was started.
fn started_below(event: &Event) -> Option<RunId> {
    match &event.body {
        Body::SubRunStarted(started) => Some(started.run),
        _ => None,
    }
}

async fn portfolios(service: Scoped) -> Answer<Vec<AccountRecord>> {
    let mut accounts = Vec::new();
    for portfolio in newest_first(&service).await? {
        accounts.push(AccountRecord::from(&service.portfolio(portfolio.id, None).await?));
    }
    Ok(Json(accounts))
}

async fn portfolio(service: Scoped, Path(portfolio): Path<String>) -> Answer<AccountRecord> {
    Ok(Json(AccountRecord::from(&named(&service, &portfolio, None).await?)))
}

async fn latest(service: Scoped, Path(portfolio): Path<String>) -> Answer<Latest> {
    Ok(Json(Latest::from(&named(&service, &portfolio, None).await?)))
}

async fn summary(
    service: Scoped,
    Path(portfolio): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Detail> {
    let date = query.get("date").map(|date| calendar_day(date)).transpose().map_err(Problem::from)?;
    let view = named(&service, &portfolio, date).await?;
    let regime = last_regime(&service, &view, date).await?;
    Ok(match Summary::new(&view, regime.as_deref()) {
        Ok(summary) => Json(summary).into_response(),
        Err(none) => (StatusCode::NOT_FOUND, Json(none)).into_response(),
    })
}

/// The regime of the market as the portfolio's last decision up to a day saw it, where one of the newest runs has
/// decided.
async fn last_regime(
    service: &Scoped,
    portfolio: &PortfolioView,
    until: Option<Date>,
) -> Result<Option<String>, Problem> {
    let filter = RunFilter {
        kind: Task::PORTFOLIO.parse().ok(),
        status: Some(RunStatus::Succeeded),
        limit: Some(LISTED_RUNS),
        ..RunFilter::default()
    };
    let runs = service.runs(filter).await?.runs;
    let mut of_portfolio = runs.iter().filter(|run| {
        run.subject.as_deref() == Some(portfolio.id.as_str())
            && until.is_none_or(|until| run.as_of.is_some_and(|day| day <= until))
    });
    let Some(last) = of_portfolio.next() else { return Ok(None) };
    let decision: Option<Decision> = service.run(last.run).await?.documents().last();
    Ok(decision.map(|decision| decision.regime))
}

/// The portfolio that an address names.
async fn named(service: &Scoped, id: &str, as_of: Option<Date>) -> Result<PortfolioView, Problem> {
    let id = id.parse().map_err(|_| no_portfolio())?;
    shown(service, id, as_of).await
}

async fn shown(service: &Scoped, id: PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, Problem> {
    let id = meant(service, id).await?;
    let shown = service.portfolio(id, as_of).await;
    shown.map_err(|problem| if problem.status == 404 { no_portfolio() } else { problem })
}

fn no_portfolio() -> Problem {
    Problem::not_found("Portfolio not found")
}

/// The portfolio that a client means: [`MAIN_PORTFOLIO`] is an own one of exactly this id, or else the newest.
async fn meant(service: &Scoped, id: PortfolioId) -> Result<PortfolioId, Problem> {
    if id.as_str() != MAIN_PORTFOLIO {
        return Ok(id);
    }
    let own = newest_first(service).await?;
    let exact = service.caller().portfolio(&id).map_err(|_| no_portfolio())?;
    let exactly = own.iter().find(|portfolio| portfolio.id == exact);
    exactly.or(own.first()).map(|portfolio| portfolio.id.clone()).ok_or_else(no_portfolio)
}

/// The caller's portfolios in AgentOS's order.
async fn newest_first(service: &Scoped) -> Result<Vec<PortfolioSummary>, Problem> {
    let mut own = service.portfolios().await?;
    own.sort_by_key(|portfolio| std::cmp::Reverse(portfolio.opened_at));
    Ok(own)
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
        peer.send(Frame::System(SystemFrame::run_not_found(&name)).encode()).await?;
        return peer.complete().await;
    };
    let (run, texts) = (readable.run, service.texts());
    let log = readable.subscribe(0).await.map_err(|_| Disconnected)?;
    let mut logs = FuturesUnordered::new();
    logs.push(Followed { log, frames: Stream::default() }.next().boxed());
    // The last frame: it follows what is left of the runs below.
    let mut end = None;
    loop {
        let (mut followed, batch) = tokio::select! {
            next = logs.next() => match next {
                Some(Some(next)) => next,
                // A run below that never began.
                Some(None) => continue,
                None => break,
            },
            ended = peer.ended() => return peer.end(ended?).await,
        };
        let events = match batch {
            Ok(Some(events)) => events,
            Ok(None) => continue,
            Err(JournalError::Closed) => return peer.end(CloseReason::Restart).await,
            Err(_) => {
                let frame = SystemFrame::error("The log cannot be read. Connect again later.");
                peer.send(Frame::System(frame).encode()).await?;
                return peer.complete().await;
            }
        };
        for encoded in events {
            let unreadable = |problem: Problem| {
                tracing::error!(%run, %problem, "an event cannot be read");
                Disconnected
            };
            let mut event = encoded.decode().map_err(from_journal).map_err(unreadable)?;
            load_texts(&texts, &mut event).await.map_err(unreadable)?;
            if let Some(below) = started_below(&event) {
                logs.push(Followed::begin_below(&service, below).boxed());
            }
            match followed.frames.apply(&event) {
                Some(frame @ Frame::Event(_)) => peer.send(frame.encode()).await?,
                Some(frame @ Frame::System(_)) => end = Some(frame),
                None => {}
            }
        }
        logs.push(followed.next().boxed());
    }
    if let Some(end) = end {
        peer.send(end.encode()).await?;
    }
    peer.complete().await
}

/// A log that is followed, and what it becomes.
struct Followed {
    log: Subscription,
    frames: Stream,
}

/// What has been added to a log.
type Added = Result<Option<Vec<Encoded>>, JournalError>;

impl Followed {
    async fn next(mut self) -> Option<(Self, Added)> {
        let batch = self.log.next().await;
        Some((self, batch))
    }

    /// Follows a run that another one has named; `None` if it is not begun within a few seconds.
    async fn begin_below(service: &Scoped, run: RunId) -> Option<(Self, Added)> {
        // A log names a run just before that begins.
        for wait in BEGINS_WITHIN {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            if let Ok(readable) = service.readable(run).await
                && let Ok(log) = readable.subscribe(0).await
            {
                return Self { log, frames: Stream::of_run_below(run) }.next().await;
            }
        }
        None
    }
}

/// Loads long texts: AgentOS's events carry prompts and answers in full.
async fn load_texts(texts: &Texts, event: &mut Event) -> Result<(), Problem> {
    match event.body {
        // It has no form there for what a node changed in the state.
        Body::NodeFinished(_) => Ok(()),
        _ => texts.load_into(event).await,
    }
}
