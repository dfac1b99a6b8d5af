//! What trading serves beside its runs: portfolios, by REST and by sockets, what backtests come to, lessons,
//! and what is in tables of own prices.

mod backtest;
mod decision;
mod lessons;
mod prices;
mod stock;
pub mod vendors;

use std::{collections::BTreeSet, sync::Arc};

use app::families::trading::backend::TradingBackend;
use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::{Path as InPath, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
    routing::get,
};
use journal::Journal;
use market::Market;
use protocol::{
    Date, Problem, RunId,
    trading::{
        BacktestReport, CreatePortfolio, DecisionReport, ImportPortfolio, LessonFilter, LessonPage,
        PortfolioId, PortfolioSettings, PortfolioSummary, PortfolioView, PriceSpan, RiskReport, StartingCsv,
        StartingPreview, StockReport, TablePreview, Ticker, TransferMoney,
    },
};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tools::{SchemaError, Tool};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use workflows::trading::{Desk, DeskError, Lessons, StockPrices, Trading};

use crate::{
    error::ServeError,
    feeds::send,
    peer::{CloseReason, Disconnected, OpenedPoll, Peer},
    problem::{ProblemResponse, from_journal, no_such},
    rest::{JsonBody, Path, Query, Reply},
    scope::{Gateway, Scoped},
};

/// Characters of an idempotency key.
const LONGEST_KEY: usize = 64;

/// The portfolios, the prices that they are valued at, and the lessons of earlier ratings.
pub struct Portfolios {
    desk: Arc<Desk>,
    market: Arc<Market>,
    lessons: Arc<Lessons>,
}

impl Portfolios {
    /// The portfolios in this journal, at the prices of this market.
    ///
    /// # Errors
    /// The portfolios cannot be read.
    pub async fn open(journal: &Journal, market: Market) -> Result<Self, ServeError> {
        let market = Arc::new(market);
        let desk = Desk::open_default(journal.clone(), market.clone()).await?;
        let lessons = Arc::new(Lessons::new(journal.clone()));
        Ok(Self { desk: Arc::new(desk), market, lessons })
    }

    /// The family whose runs trade for them.
    pub fn family(&self, journal: &Journal) -> Trading {
        let family = Trading::new(journal.clone(), self.desk.clone(), self.market.clone());
        family.with_lessons(self.lessons.clone())
    }

    /// What agents of all families may ask of the market.
    ///
    /// # Errors
    /// Its schema cannot be used.
    pub fn prices_tool(&self) -> Result<Arc<dyn Tool>, SchemaError> {
        Ok(Arc::new(StockPrices::new(self.market.clone())?))
    }
}

impl Scoped {
    fn desk(&self) -> &Desk {
        &self.service().own.trading.desk
    }

    /// The whole id of a portfolio that is opened: of the one that is asked for, or made from its name.
    async fn new_portfolio_id(&self, asked: Option<PortfolioId>, name: &str) -> Result<PortfolioId, Problem> {
        match asked {
            Some(id) => self.caller().portfolio(&id).map_err(|_| {
                Problem::invalid(format!("{id} cannot be a portfolio's id: leave \"--\" out of it."))
            }),
            None => {
                let taken = self.portfolios().await?.into_iter().map(|portfolio| portfolio.id).collect();
                portfolio_id(name, &taken, |id| self.caller().portfolio(id).ok())
            }
        }
    }

    /// The newest day with prices.
    pub fn last_date(&self) -> Date {
        self.service().own.trading.market.last_date()
    }
}

#[async_trait]
impl TradingBackend for Scoped {
    async fn portfolios(&self) -> Result<Vec<PortfolioSummary>, Problem> {
        self.desk().list(|id| self.caller().owns_portfolio(id)).await.map_err(from_desk)
    }

    async fn create_portfolio(&self, request: CreatePortfolio) -> Result<PortfolioView, Problem> {
        self.caller().writer()?;
        let CreatePortfolio { id, name, cash, settings } = request;
        let id = self.new_portfolio_id(id, &name).await?;
        self.desk().open(id.clone(), &name, cash, settings).await.map_err(from_desk)?;
        self.desk().view(&id, None).await.map_err(from_desk)
    }

    async fn preview_portfolio(&self, table: StartingCsv) -> Result<StartingPreview, Problem> {
        self.caller().writer()?;
        self.desk().preview(&table).await.map_err(from_desk)
    }

    async fn import_portfolio(&self, request: ImportPortfolio) -> Result<PortfolioView, Problem> {
        self.caller().writer()?;
        let ImportPortfolio { id, name, table, settings } = request;
        let id = self.new_portfolio_id(id, &name).await?;
        self.desk().import(id.clone(), &name, &table, settings).await.map_err(from_desk)?;
        self.desk().view(&id, None).await.map_err(from_desk)
    }

    async fn configure_portfolio(
        &self,
        id: PortfolioId,
        settings: PortfolioSettings,
    ) -> Result<PortfolioView, Problem> {
        self.caller().writer()?;
        let id = self.caller().portfolio(&id)?;
        let now = self.desk().load(&id).await.map_err(from_desk)?;
        if *now.settings() != settings {
            let key = format!("settings/{}", Uuid::now_v7());
            self.desk().configure(&id, &key, settings).await.map_err(from_desk)?;
        }
        self.desk().view(&id, None).await.map_err(from_desk)
    }

    async fn transfer_money(
        &self,
        id: PortfolioId,
        transfer: TransferMoney,
    ) -> Result<PortfolioView, Problem> {
        self.caller().writer()?;
        let id = self.caller().portfolio(&id)?;
        let TransferMoney { key, date, amount, note } = transfer;
        let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
        if key.is_empty() || key.chars().count() > LONGEST_KEY || key.chars().any(char::is_control) {
            return Err(Problem::invalid(format!("A key must have 1 to {LONGEST_KEY} characters.")));
        }
        // Of its own kind: nobody can name the key of a decision.
        let key = format!("transfer/{key}");
        self.desk().transfer(&id, &key, date, amount, &note).await.map_err(from_desk)?;
        self.desk().view(&id, None).await.map_err(from_desk)
    }

    async fn portfolio(&self, id: PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, Problem> {
        self.desk().view(&self.caller().portfolio(&id)?, as_of).await.map_err(from_desk)
    }

    async fn risk(&self, id: PortfolioId) -> Result<RiskReport, Problem> {
        self.desk().risk(&self.caller().portfolio(&id)?).await.map_err(from_desk)
    }

    async fn stock(&self, ticker: Ticker, span: PriceSpan) -> Result<StockReport, Problem> {
        stock::read(self, &ticker, span).await
    }

    async fn decision(&self, run: RunId) -> Result<DecisionReport, Problem> {
        decision::read(self, run).await
    }

    async fn backtest(&self, run: RunId) -> Result<BacktestReport, Problem> {
        backtest::read(self, run).await
    }

    async fn lessons(&self, filter: LessonFilter) -> Result<LessonPage, Problem> {
        self.own_lessons(&filter).await
    }

    async fn preview_prices(&self, csv: String) -> Result<TablePreview, Problem> {
        self.caller().writer()?;
        Ok(prices::preview(&csv))
    }
}

/// An id made from a name: `Growth & income` becomes `growth_income`, then `growth_income_2`.
///
/// `full` makes the whole id of one that an account names.
fn portfolio_id(
    name: &str,
    taken: &BTreeSet<PortfolioId>,
    full: impl Fn(&PortfolioId) -> Option<PortfolioId>,
) -> Result<PortfolioId, Problem> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("_").to_ascii_lowercase().chars().take(24).collect();
    let candidates = (1..1000).filter_map(|number| match number {
        1 => full(&slug.parse().ok()?),
        number => full(&format!("{slug}_{number}").parse().ok()?),
    });
    candidates.into_iter().find(|id| !taken.contains(id)).ok_or_else(|| {
        Problem::invalid("The portfolio's name needs at least one letter or digit of a-z, 0-9.")
    })
}

fn from_desk(error: DeskError) -> Problem {
    let detail = error.to_string();
    match error {
        DeskError::NotFound(_) => Problem::not_found(detail),
        DeskError::Exists(_) => Problem::conflict(detail),
        DeskError::Invalid(_) => Problem::invalid(detail),
        DeskError::Journal(error) => from_journal(error),
        _ => Problem::internal(detail),
    }
}

/// The routes of the REST interface.
pub fn rest() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(portfolios, create_portfolio))
        .routes(routes!(import_portfolio))
        .routes(routes!(preview_portfolio))
        .routes(routes!(portfolio))
        .routes(routes!(configure_portfolio))
        .routes(routes!(transfer_money))
        .routes(routes!(risk))
        .routes(routes!(stock::stock))
        .routes(routes!(decision::decision))
        .merge(backtest::rest())
        .routes(routes!(lessons::lessons))
        .routes(routes!(prices::preview_prices))
}

/// All portfolios
#[utoipa::path(get, path = "/api/v1/portfolios", responses((status = 200, body = Vec<PortfolioSummary>)))]
async fn portfolios(service: Scoped) -> Reply<Vec<PortfolioSummary>> {
    Ok(Json(service.portfolios().await?))
}

/// Opens a portfolio
#[utoipa::path(post, path = "/api/v1/portfolios", request_body = CreatePortfolio, responses((status = 201, body = PortfolioView), (status = 409)))]
async fn create_portfolio(
    service: Scoped,
    JsonBody(request): JsonBody<CreatePortfolio>,
) -> Result<(StatusCode, Json<PortfolioView>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.create_portfolio(request).await?)))
}

/// Opens a portfolio that begins with what a table says
///
/// Its days begin at the close of `as_of`. A table with errors opens nothing, and the first ones are told by line.
#[utoipa::path(post, path = "/api/v1/portfolio-imports", request_body = ImportPortfolio, responses((status = 201, body = PortfolioView), (status = 409)))]
async fn import_portfolio(
    service: Scoped,
    JsonBody(request): JsonBody<ImportPortfolio>,
) -> Result<(StatusCode, Json<PortfolioView>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.import_portfolio(request).await?)))
}

/// Looks at a table that a portfolio is to begin with, and opens nothing
#[utoipa::path(post, path = "/api/v1/portfolio-imports/preview", request_body = StartingCsv, responses((status = 200, body = StartingPreview)))]
async fn preview_portfolio(
    service: Scoped,
    JsonBody(table): JsonBody<StartingCsv>,
) -> Reply<StartingPreview> {
    Ok(Json(service.preview_portfolio(table).await?))
}

/// Lets a portfolio trade by other rules from now on
///
/// Orders that wait are filled by the new rules. How costs are counted stays as it was.
#[utoipa::path(put, path = "/api/v1/portfolios/{portfolio}/settings", params(("portfolio" = PortfolioId, Path, description = "Portfolio id")), request_body = PortfolioSettings, responses((status = 200, body = PortfolioView)))]
async fn configure_portfolio(
    service: Scoped,
    Path(portfolio): Path<String>,
    JsonBody(settings): JsonBody<PortfolioSettings>,
) -> Reply<PortfolioView> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    Ok(Json(service.configure_portfolio(portfolio, settings).await?))
}

/// Pays money into a portfolio, or takes it out
#[utoipa::path(post, path = "/api/v1/portfolios/{portfolio}/transfers", params(("portfolio" = PortfolioId, Path, description = "Portfolio id")), request_body = TransferMoney, responses((status = 200, body = PortfolioView)))]
async fn transfer_money(
    service: Scoped,
    Path(portfolio): Path<String>,
    JsonBody(transfer): JsonBody<TransferMoney>,
) -> Reply<PortfolioView> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    Ok(Json(service.transfer_money(portfolio, transfer).await?))
}

/// A portfolio at one day's prices
#[utoipa::path(get, path = "/api/v1/portfolios/{portfolio}", params(("portfolio" = PortfolioId, Path, description = "Portfolio id"), PortfolioQuery), responses((status = 200, body = PortfolioView)))]
async fn portfolio(
    service: Scoped,
    Path(portfolio): Path<String>,
    Query(query): Query<PortfolioQuery>,
) -> Reply<PortfolioView> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    Ok(Json(service.portfolio(portfolio, query.as_of).await?))
}

/// How much a portfolio may lose, as its past days say
#[utoipa::path(get, path = "/api/v1/portfolios/{portfolio}/risk", params(("portfolio" = PortfolioId, Path, description = "Portfolio id")), responses((status = 200, body = RiskReport)))]
async fn risk(service: Scoped, Path(portfolio): Path<String>) -> Reply<RiskReport> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    Ok(Json(service.risk(portfolio).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PortfolioQuery {
    /// The day of the prices; the day of the last decision if absent
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<Date>,
}

/// The sockets.
pub fn sockets() -> Router<Gateway> {
    Router::new().route("/ws/v1/portfolios/{portfolio}", get(follow).post(poll))
}

/// `WS /ws/v1/portfolios/{portfolio}`: the portfolio now, and again whenever it changes.
///
/// 404 before the upgrade for one that does not exist.
async fn follow(
    service: Scoped,
    InPath(portfolio): InPath<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    let portfolio = existing(&service, &portfolio).await?;
    let admission = service.admit_socket(None).await?;
    Ok(admission.upgrade(upgrade, move |peer| follow_portfolio(peer, service, portfolio)))
}

/// Opens a poll of the same.
async fn poll(service: Scoped, InPath(portfolio): InPath<String>) -> Result<OpenedPoll, ProblemResponse> {
    let portfolio = existing(&service, &portfolio).await?;
    let admission = service.admit_socket(None).await?;
    Ok(admission.poll(move |peer| follow_portfolio(peer, service, portfolio)))
}

async fn existing(service: &Scoped, portfolio: &str) -> Result<PortfolioId, Problem> {
    let portfolio: PortfolioId = portfolio.parse().map_err(no_such)?;
    let portfolio = service.caller().portfolio(&portfolio)?;
    service.portfolio(portfolio.clone(), None).await?;
    Ok(portfolio)
}

async fn follow_portfolio(mut peer: Peer, service: Scoped, id: PortfolioId) -> Result<(), Disconnected> {
    let mut changes = service.desk().changes();
    send_portfolio(&mut peer, &service, &id).await?;
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(changed) if changed != id => {}
                Ok(_) | Err(RecvError::Lagged(_)) => send_portfolio(&mut peer, &service, &id).await?,
                Err(RecvError::Closed) => return peer.end(CloseReason::Restart).await,
            },
            ended = peer.ended() => return peer.end(ended?).await,
        }
    }
}

async fn send_portfolio(peer: &mut Peer, service: &Scoped, id: &PortfolioId) -> Result<(), Disconnected> {
    let view = service.portfolio(id.clone(), None).await.map_err(|problem| {
        tracing::error!(%problem, "the portfolio cannot be read");
        Disconnected
    })?;
    send(peer, &view).await
}
