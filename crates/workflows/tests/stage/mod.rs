//! A journal, a desk and an engine on a folder of their own, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Allowance, Engine, EngineOptions};
use journal::Journal;
use llm::{ChatModel, ChatRequest, ModelRegistry, Rehearsal, Script, Turn};
use market::{DataKind, Market, Outcome, PriceHistory, Sample, Vendor};
use protocol::{
    AccountId, Body, CallId, Date, Decimal, Event, NodeId, NodeStatus, RunId, RunRequest, RunView, Workflow,
    trading::{Analyst, PortfolioId, Rating, Task, Ticker},
};
use workflows::{
    Families, Rehearsed,
    trading::{Desk, Trading, rehearsal::TradingRehearsal},
};

/// Everything that a server would open.
pub struct Stage {
    pub journal: Journal,
    pub desk: Arc<Desk>,
    pub engine: Engine,
    pub market: Arc<Market>,
    folder: tempfile::TempDir,
}

impl Stage {
    /// With the rehearsal at full speed.
    pub async fn new() -> Self {
        Self::with_script(TradingRehearsal).await
    }

    /// With another script in the place of the configured model.
    pub async fn with_script(script: impl Script + 'static) -> Self {
        let script = Arc::new(Rehearsed(Arc::new(script)));
        Self::with_model(Arc::new(Rehearsal::new(script, Some(0)))).await
    }

    /// With a rehearsal so slow that a run does not end by itself.
    pub async fn slow() -> Self {
        let model = Rehearsal::new(Arc::new(TradingRehearsal), Some(1));
        Self::with_model(Arc::new(model)).await
    }

    /// With another model in the place of the configured one.
    pub async fn with_model(model: Arc<dyn ChatModel>) -> Self {
        Self::open(tempfile::tempdir().unwrap(), model, Market::sample().unwrap()).await
    }

    /// With the data of another market.
    pub async fn with_market(market: Market) -> Self {
        Self::open(tempfile::tempdir().unwrap(), Self::rehearsal(), market).await
    }

    /// With another script and the data of another market.
    pub async fn with_script_and_market(script: impl Script + 'static, market: Market) -> Self {
        let script = Arc::new(Rehearsed(Arc::new(script)));
        Self::open(tempfile::tempdir().unwrap(), Arc::new(Rehearsal::new(script, Some(0))), market).await
    }

    /// The same folder after a restart of the server, with another script in the place of the configured model.
    pub async fn restarted_with(self, script: impl Script + 'static) -> Self {
        self.engine.shut_down().await;
        self.journal.close().await;
        let script = Arc::new(Rehearsed(Arc::new(script)));
        let model = Arc::new(Rehearsal::new(script, Some(0)));
        Self::open(self.folder, model, Market::sample().unwrap()).await
    }

    fn rehearsal() -> Arc<dyn ChatModel> {
        Arc::new(Rehearsal::new(Arc::new(Rehearsed(Arc::new(TradingRehearsal))), Some(0)))
    }

    async fn open(folder: tempfile::TempDir, model: Arc<dyn ChatModel>, market: Market) -> Self {
        let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
        let market = Arc::new(market);
        let desk = Arc::new(Desk::open_default(journal.clone(), market.clone()).await.unwrap());
        let trading = Trading::new(journal.clone(), desk.clone(), market.clone());
        let families =
            Families::new(vec![Arc::new(trading)], journal.documents(), ModelRegistry::of(model), None)
                .unwrap();
        let engine = Engine::new(
            journal.clone(),
            Arc::new(families),
            Arc::new(Allowance::default()),
            EngineOptions::default(),
        );
        Self { journal, desk, engine, market, folder }
    }

    /// The same folder after a restart of the server.
    pub async fn restarted(self) -> Self {
        self.engine.shut_down().await;
        self.journal.close().await;
        let model = Arc::new(Rehearsal::new(Arc::new(TradingRehearsal), Some(0)));
        Self::open(self.folder, model, Market::sample().unwrap()).await
    }

    /// Runs a pipeline with all analysts to its end.
    pub async fn pipeline(&self, ticker: &str, date: &str, flow: &str) -> RunView {
        self.run(pipeline(ticker, date, flow)).await
    }

    /// Runs the main portfolio to its end.
    pub async fn portfolio(&self, date: &str, flow: &str) -> RunView {
        self.run(portfolio(date, flow)).await
    }

    pub async fn run(&self, request: RunRequest) -> RunView {
        let run = self.engine.start(request, AccountId::local()).await.unwrap();
        self.end(run).await
    }

    /// The view of a run after its last event.
    pub async fn end(&self, run: RunId) -> RunView {
        let mut log = self.journal.subscribe(run, 0).await.unwrap();
        while log.next().await.unwrap().is_some() {}
        RunView::fold(&self.events(run).await).unwrap()
    }

    /// The next question that a run asks a person.
    pub async fn question(&self, run: RunId) -> CallId {
        let mut log = self.journal.subscribe(run, 0).await.unwrap();
        loop {
            for event in log.next().await.unwrap().expect("a question before the end") {
                if let Body::InputRequested(asked) = event.decode().unwrap().body {
                    return asked.input;
                }
            }
        }
    }

    pub async fn events(&self, run: RunId) -> Vec<Event> {
        let mut events = self.journal.read(run, 0, 10_000).await.unwrap();
        // What was brought forth is looked at whole.
        for event in &mut events {
            if let Body::Produced(product) = &mut event.body {
                product.data = self.journal.resolve(&product.data).await.unwrap().into();
            }
        }
        events
    }
}

pub fn pipeline(ticker: &str, date: &str, flow: &str) -> RunRequest {
    let task = Task::Pipeline {
        ticker: ticker.parse().unwrap(),
        date: date.parse().unwrap(),
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    };
    request(task, flow)
}

pub fn portfolio(date: &str, flow: &str) -> RunRequest {
    request(Task::Portfolio { portfolio: main_portfolio(), date: date.parse().unwrap(), prices: None }, flow)
}

pub fn request(workflow: impl Into<Workflow>, flow: &str) -> RunRequest {
    RunRequest::new(workflow.into(), flow.parse().unwrap())
}

pub fn scan(date: &str, max_tickers: u32, flow: &str) -> RunRequest {
    request(Task::Scan { date: date.parse().unwrap(), max_tickers, prices: None }, flow)
}

/// An automatic run of the main portfolio with all analysts.
pub fn auto(date: &str, max_tickers: u32, flow: &str) -> RunRequest {
    let task = Task::Auto {
        portfolio: main_portfolio(),
        date: date.parse().unwrap(),
        max_tickers,
        max_concurrent_pipelines: 2,
        analysts: Analyst::all(),
        force: false,
        prices: None,
    };
    request(task, flow)
}

/// The rating that a run ended with.
pub fn rating(view: &RunView) -> Option<Rating> {
    view.documents().last()
}

pub fn main_portfolio() -> PortfolioId {
    "main_portfolio".parse().unwrap()
}

pub fn status(view: &RunView, node: &str) -> NodeStatus {
    let node: NodeId = node.parse().unwrap();
    view.node(&node).unwrap().status
}

/// Plays like the rehearsal, but for the turns that `change` takes over.
pub struct Changed<F>(pub F);

impl<F: Fn(&ChatRequest) -> Option<Turn> + Send + Sync> Script for Changed<F> {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        match (self.0)(request) {
            Some(turn) => Ok(turn),
            None => TradingRehearsal.turn(request),
        }
    }
}

/// The bundled sample with other prices from the day after this one on.
pub fn market_changed_after(last: &str) -> Market {
    let market = Market::sample().unwrap();
    let changed = ChangedAfter { last: last.parse().unwrap(), sample: market.built_in().clone() };
    market.with_order(DataKind::Prices, vec![Arc::new(changed)])
}

struct ChangedAfter {
    last: Date,
    sample: Arc<Sample>,
}

#[async_trait]
impl Vendor for ChangedAfter {
    fn name(&self) -> &str {
        self.sample.name()
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let mut answer = self.sample.prices(ticker, as_of).await?;
        let later = answer.data.days.iter_mut().filter(|price| price.date > self.last);
        for (place, price) in later.enumerate() {
            let factor = if place % 2 == 0 { Decimal::new(13, 1) } else { Decimal::new(6, 1) };
            price.close = (price.close * factor).round_dp(3);
        }
        Ok(answer)
    }
}
