//! The portfolio run: review what is held, weigh what the flow's analyses propose, decide, trade.

mod answers;
mod ratings;

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Graph, NodeContext, NodeError, Outcome, State, Work};
use journal::Journal;
use market::MarketError;
use portfolio::{
    Entry,
    candidates::{Candidate, prioritise},
};
use protocol::{
    Date, Decimal, Figure, FlowId, LogLevel, NodeAdded, NodeKind, RunId, Tier, grouped, percent,
    trading::{
        Confidence, Decision, Measured, PortfolioId, PortfolioMetrics, PortfolioView, Rating, RejectedOrder,
        Side, Trade,
    },
};
use serde_json::Value;

use super::{
    desk::{BENCHMARK, CASH_EQUIVALENT, Desk, DeskError},
    facts::{
        CandidateFacts, DecisionFacts, HoldingFacts, MacroFacts, MarketFacts, MicroFacts, Missing, Review,
        ReviewFacts,
    },
    prompts::{prompt, roles},
    tools::Sources,
};
use crate::{
    agent::{NoTools, ask, converse},
    node::{brief, cell, log, node_id, product, report, required},
};
pub use answers::read_decision;
use answers::{decision_schema, read_reviews, review_schema};
use ratings::{conviction, ratings_of_flow};

/// Keys of the run's state.
mod state {
    pub const PORTFOLIO: &str = "portfolio";
    pub const RATINGS: &str = "ratings";
    pub const RISK_METRICS: &str = "risk_metrics";
    pub const HOLDINGS: &str = "holdings";
    pub const HOLDING_REVIEWS: &str = "holding_reviews";
    pub const CANDIDATES: &str = "prioritised_candidates";
    pub const INDEX: &str = "index";
    pub const MACRO_BRIEF: &str = "macro_brief";
    pub const MICRO_BRIEF: &str = "micro_brief";
    pub const DECISION: &str = "pm_decision";
    pub const DECIDED_BY: &str = "decided_by";
    pub const EXECUTION: &str = "execution_result";
    pub const CASH_SWEEP: &str = "cash_sweep";
}

/// What stands as the sector of a fund that follows a factor.
const FACTOR_FUND: &str = "Factor ETF";

/// The portfolio and the day of a run, and all that it works with.
#[derive(Clone)]
pub(super) struct Book {
    pub portfolio: PortfolioId,
    pub date: Date,
    pub flow: FlowId,
    pub desk: Arc<Desk>,
    pub journal: Journal,
    pub sources: Sources,
}

/// Builds the graph.
///
/// # Errors
/// Never with the node ids as they are.
pub(super) fn graph(task: &Book) -> Result<Graph, String> {
    let mut graph = Graph::new();
    let plan = |id: &str, label: &str, role: &str, phase: &str, tier: Option<Tier>| {
        Ok::<_, String>(NodeAdded {
            id: node_id(id)?,
            label: label.to_owned(),
            role: role.to_owned(),
            kind: if tier.is_some() { NodeKind::Agent } else { NodeKind::Code },
            phase: phase.to_owned(),
            scope: Some(task.portfolio.to_string()),
            owner: None,
            tier,
            planned_visits: 1,
        })
    };
    let load = plan("load_portfolio", "Load portfolio", "load", "Load", None)?;
    let risk = plan("compute_risk", "Compute risk", "risk", "Load", None)?;
    let review = plan("review_holdings", "Review holdings", "review", "Review", Some(Tier::Mid))?;
    let prioritise = plan("prioritise_candidates", "Prioritise candidates", "prioritise", "Review", None)?;
    let overview = plan("macro_summary", "Macro summary", "macro", "Summaries", Some(Tier::Mid))?;
    let detail = plan("micro_summary", "Micro summary", "micro", "Summaries", Some(Tier::Mid))?;
    let decision = plan("make_decision", "Make decision", "decision", "Decision", Some(Tier::Deep))?;
    let execute = plan("execute_trades", "Execute trades", "execute", "Execution", None)?;
    let sweep = plan("cash_sweep", "Cash sweep", "sweep", "Execution", None)?;

    graph
        .flow(&load.id, &risk.id)
        .flow(&risk.id, &review.id)
        .flow(&review.id, &prioritise.id)
        .flow(&prioritise.id, &overview.id)
        .flow(&prioritise.id, &detail.id)
        .flow(&overview.id, &decision.id)
        .flow(&detail.id, &decision.id)
        .flow(&decision.id, &execute.id)
        .flow(&execute.id, &sweep.id);
    graph
        .node(load, Load(task.clone()))
        .node(risk, Risk)
        .node(review, ReviewHoldings(task.clone()))
        .node(prioritise, Prioritise(task.clone()))
        .node(overview, MacroSummary(task.clone()))
        .node(detail, MicroSummary(task.clone()))
        .node(decision, Decide(task.clone()))
        .node(execute, Execute(task.clone()))
        .node(sweep, Sweep(task.clone()));
    Ok(graph)
}

impl Book {
    fn header(&self) -> String {
        format!("Portfolio: {}. Day of the decision: {}.", self.portfolio, self.date)
    }

    /// The figures of an instrument; `None` if there are no prices of it.
    async fn figures(&self, ticker: &protocol::trading::Ticker) -> Result<Option<MarketFacts>, NodeError> {
        match MarketFacts::measure(self.sources.prices.as_ref(), ticker, self.date).await {
            Ok(facts) => Ok(Some(facts)),
            Err(MarketError::UnknownTicker { .. }) => Ok(None),
            Err(error) => Err(NodeError::failed(error.to_string())),
        }
    }
}

impl From<DeskError> for NodeError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Journal(error) => Self::Journal(error),
            error => Self::failed(error.to_string()),
        }
    }
}

/// Loads the portfolio at the day's prices, and the ratings of the flow.
struct Load(Book);

#[async_trait]
impl Work for Load {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Book { portfolio: id, date, desk, journal, flow, .. } = &self.0;
        let last = desk.load(id).await?.last_date();
        if let Some(last) = last.filter(|last| date < last) {
            return Err(NodeError::failed(format!(
                "{date} lies before the last decision of {id} on {last}. Choose {last} or a later day."
            )));
        }
        let view = desk.view(id, Some(*date)).await?;
        let found = ratings_of_flow(journal, node.owner(), flow, *date).await?;
        let mut bodies = vec![product(view.product())?];
        bodies.extend(found.remarks.into_iter().map(|remark| log(LogLevel::Warning, remark)));
        if found.ratings.is_empty() {
            let message =
                format!("The flow {flow} has no ratings up to {date}, so there is nothing new to buy.");
            bodies.push(log(LogLevel::Info, message));
        }
        node.emit(bodies).await?;
        // Agents need neither the trades nor the daily values, and the state is written with each run.
        let view = PortfolioView { trades: Vec::new(), history: Vec::new(), ..view };
        Outcome::default().set(state::PORTFOLIO, view)?.set(state::RATINGS, found.ratings)
    }
}

/// Reports the risk figures.
struct Risk;

#[async_trait]
impl Work for Risk {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let figures = risk_figures(&view);
        let mut markdown =
            String::from("Losses are negative in all figures.\n\n| figure | value |\n|---|---|\n");
        for figure in &figures {
            markdown.push_str(&format!("| {} | {} |\n", figure.label, figure.value));
        }
        node.emit(vec![report(state::RISK_METRICS, "Risk figures", &markdown, figures)]).await?;
        Outcome::default().set(state::RISK_METRICS, view.metrics)
    }
}

fn risk_figures(view: &PortfolioView) -> Vec<Figure> {
    let number = |value: &Decimal| grouped(*value, 2);
    let fraction = |value: &Decimal| percent(*value, 2);
    let money = |value: &Decimal| grouped(*value, 2);
    let source = format!("the portfolio's ledger and {} daily returns", view.metrics.days);
    let figure =
        |label: &str, value: String| Figure { label: label.to_owned(), value, source: source.clone() };
    let PortfolioMetrics { sharpe, sortino, value_at_risk, max_drawdown, beta, .. } = &view.metrics;
    let mut figures = vec![
        figure("Total value, US dollars", shown(&view.total, money)),
        figure("Cash, US dollars", grouped(view.cash, 2)),
        figure("Unrealised profit, US dollars", shown(&view.unrealised_profit, money)),
        figure("Sharpe ratio", shown(sharpe, number)),
        figure("Sortino ratio", shown(sortino, number)),
        figure("Value at risk, 1 day at 5 %", shown(value_at_risk, fraction)),
        figure("Max drawdown", shown(max_drawdown, fraction)),
        figure("Beta", shown(beta, number)),
    ];
    let weights = view.allocation.iter();
    figures.extend(
        weights.map(|sector| figure(&format!("Weight of {}", sector.sector), percent(sector.weight, 2))),
    );
    figures
}

fn shown<T>(measured: &Measured<T>, show: impl Fn(&T) -> String) -> String {
    match measured {
        Measured::Known(value) => show(value),
        Measured::Unknown(reason) => format!("unknown: {reason}"),
    }
}

/// Has every holding reviewed, in one call.
struct ReviewHoldings(Book);

#[async_trait]
impl Work for ReviewHoldings {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let ratings: Vec<Rating> = required(node, state::RATINGS)?;
        let mut holdings = Vec::new();
        for holding in &view.holdings {
            holdings.push(HoldingFacts {
                ticker: holding.ticker.clone(),
                sector: holding.sector.clone(),
                quantity: holding.quantity,
                average_cost: holding.average_cost,
                price: holding.price,
                market_value: holding.market_value,
                weight: holding.weight,
                unrealised_profit: holding.unrealised_profit,
                grade: ratings
                    .iter()
                    .find(|rating| rating.ticker == holding.ticker)
                    .map(|rating| rating.grade),
                market: self.0.figures(&holding.ticker).await?,
            });
        }
        let outcome = Outcome::default().set(state::HOLDINGS, &holdings)?;
        if holdings.is_empty() {
            node.emit(vec![log(LogLevel::Info, "Nothing is held, so there is nothing to review.")]).await?;
            return outcome.set(state::HOLDING_REVIEWS, Vec::<Review>::new());
        }
        let facts = ReviewFacts { date: self.0.date, holdings };
        let messages = prompt(roles::HOLDING_REVIEWER, self.0.header()).facts(&facts);
        let request = brief(node, messages, Some(review_schema()));
        let reviews = ask(node, request, &NoTools, |text| read_reviews(text, &facts.holdings)).await?.answer;
        let mut markdown =
            String::from("| holding | recommendation | confidence | reason |\n|---|---|---|---|\n");
        for review in &reviews {
            let (word, reason) = (review.recommendation.label(), cell(&review.rationale));
            markdown
                .push_str(&format!("| {} | {word} | {} | {reason} |\n", review.ticker, review.confidence));
        }
        node.emit(vec![report(state::HOLDING_REVIEWS, "Holding reviews", &markdown, Vec::new())]).await?;
        outcome.set(state::HOLDING_REVIEWS, reviews)
    }
}

/// Orders the flow's Buy and Overweight ratings by priority.
struct Prioritise(Book);

#[async_trait]
impl Work for Prioritise {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let ratings: Vec<Rating> = required(node, state::RATINGS)?;
        let prices = &self.0.sources.prices;
        let candidates = ratings.iter().filter_map(|rating| {
            Some(Candidate {
                ticker: rating.ticker.clone(),
                sector: prices.instrument(&rating.ticker).map(|it| it.sector.clone()).unwrap_or_default(),
                conviction: conviction(rating.grade, rating.confidence)?.to_string(),
                // A rating does not say which kind of thesis it rests on.
                thesis: String::new(),
                rationale: rating.summary.clone(),
            })
        });
        let mut facts = Vec::new();
        for prioritised in prioritise(candidates.collect(), &view, None) {
            let ticker = prioritised.candidate.ticker;
            let Some(rating) = ratings.iter().find(|rating| rating.ticker == ticker) else { continue };
            let Some(conviction) = conviction(rating.grade, rating.confidence) else { continue };
            facts.push(CandidateFacts {
                price: self.0.desk.price(&ticker, self.0.date).await?,
                ticker,
                sector: prioritised.candidate.sector,
                grade: rating.grade,
                confidence: rating.confidence,
                conviction,
                rated_on: rating.date,
                summary: rating.summary.clone(),
                priority: prioritised.score,
                skip: prioritised.skip_reason,
            });
        }
        let markdown = candidate_table(&facts, &ratings);
        node.emit(vec![report(state::CANDIDATES, "Candidates by priority", &markdown, Vec::new())]).await?;
        Outcome::default().set(state::CANDIDATES, facts)
    }
}

fn candidate_table(candidates: &[CandidateFacts], ratings: &[Rating]) -> String {
    let mut text = String::new();
    if candidates.is_empty() {
        text.push_str("No rating of the flow is Buy or Overweight, so nothing is proposed.\n");
    } else {
        text.push_str("| stock | rating | rated on | priority | remark |\n|---|---|---|---|---|\n");
    }
    for candidate in candidates {
        let remark = candidate.skip.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "| {} | {}, {} confidence | {} | {} | {} |\n",
            candidate.ticker,
            candidate.grade,
            candidate.confidence,
            candidate.rated_on,
            candidate.priority.normalize(),
            cell(remark)
        ));
    }
    let passed_over =
        ratings.iter().filter(|rating| candidates.iter().all(|known| known.ticker != rating.ticker));
    let passed_over: Vec<String> =
        passed_over.map(|rating| format!("{} ({})", rating.ticker, rating.grade)).collect();
    if !passed_over.is_empty() {
        text.push_str(&format!("\nRated, but not proposed: {}.\n", passed_over.join(", ")));
    }
    text
}

/// Has the brief about the market as a whole written.
struct MacroSummary(Book);

#[async_trait]
impl Work for MacroSummary {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let index = match BENCHMARK.parse() {
            Ok(ticker) => self.0.figures(&ticker).await?,
            Err(_) => None,
        };
        let vendor = &self.0.sources.prices;
        let mut factors = Vec::new();
        for fund in vendor.instruments().iter().filter(|instrument| instrument.sector == FACTOR_FUND) {
            factors.extend(self.0.figures(&fund.ticker).await?);
        }
        let reason = format!("{} has prices of stocks, an index and funds only.", vendor.name());
        let missing = vec![Missing { input: "rates, credit and implied volatility".to_owned(), reason }];
        let facts = MacroFacts { date: self.0.date, index, factors, missing };
        let messages = prompt(roles::MACRO, self.0.header()).facts(&facts);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let figures = facts.index.as_ref().map(MarketFacts::report).unwrap_or_default();
        node.emit(vec![report(state::MACRO_BRIEF, "Macro brief", &text, figures)]).await?;
        let without_index = facts.index.is_none();
        let outcome = Outcome::default().set(state::INDEX, facts.index)?.set(state::MACRO_BRIEF, text)?;
        Ok(if without_index {
            outcome.degraded(format!("There are no prices of {BENCHMARK}."))
        } else {
            outcome
        })
    }
}

/// Has the brief about holdings and candidates written.
struct MicroSummary(Book);

#[async_trait]
impl Work for MicroSummary {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let facts = MicroFacts {
            date: self.0.date,
            holdings: required(node, state::HOLDINGS)?,
            reviews: required(node, state::HOLDING_REVIEWS)?,
            candidates: required(node, state::CANDIDATES)?,
        };
        let messages = prompt(roles::MICRO, self.0.header()).facts(&facts);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        node.emit(vec![report(state::MICRO_BRIEF, "Micro brief", &text, Vec::new())]).await?;
        Outcome::default().set(state::MICRO_BRIEF, text)
    }
}

/// Has the orders decided.
struct Decide(Book);

#[async_trait]
impl Work for Decide {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let facts = DecisionFacts {
            date: self.0.date,
            cash: view.cash,
            total: view.total,
            unrealised_profit: view.unrealised_profit,
            realised_profit: view.realised_profit,
            risk: required(node, state::RISK_METRICS)?,
            limits: view.constraints,
            index: required(node, state::INDEX)?,
            holdings: required(node, state::HOLDINGS)?,
            reviews: required(node, state::HOLDING_REVIEWS)?,
            candidates: required(node, state::CANDIDATES)?,
        };
        let messages = prompt(roles::DECISION_MAKER, self.0.header())
            .section("Macro brief", node.state().text(state::MACRO_BRIEF))
            .section("Micro brief", node.state().text(state::MICRO_BRIEF))
            .facts(&facts);
        let request = brief(node, messages, Some(decision_schema()));
        let mut decision = ask(node, request, &NoTools, read_decision).await?.answer;

        let limit = confidence_limit(&decision, &facts.candidates);
        let lowered = (decision.confidence > limit).then(|| {
            let claimed = decision.confidence;
            let message = format!(
                "The model's confidence was {claimed}; it is lowered to {limit}, that of the weakest rating it buys on."
            );
            log(LogLevel::Warning, message)
        });
        decision.confidence = decision.confidence.min(limit);
        let bodies = [product(decision.product())?].into_iter().chain(lowered);
        node.emit(bodies.collect()).await?;
        Outcome::default().set(state::DECISION, decision)?.set(state::DECIDED_BY, node.run())
    }
}

/// The lowest confidence of the ratings that the decision buys on; a purchase without a rating is low.
fn confidence_limit(decision: &Decision, candidates: &[CandidateFacts]) -> Confidence {
    let bought = decision.orders.iter().filter(|order| order.side == Side::Buy);
    let rated = bought.map(|order| {
        let candidate = candidates.iter().find(|candidate| candidate.ticker == order.ticker);
        candidate.map_or(Confidence::Low, |candidate| candidate.confidence)
    });
    rated.min().unwrap_or(Confidence::High)
}

/// Carries the decision out, once.
struct Execute(Book);

#[async_trait]
impl Work for Execute {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Book { portfolio: id, date, desk, .. } = &self.0;
        let decision: Decision = required(node, state::DECISION)?;
        let key = decision_key(required(node, state::DECIDED_BY)?, &decision)?;
        // A stop comes before the trades or after their record.
        let entry = node
            .commit(async {
                let entry = desk.decide(id, &key, Some(node.run()), *date, &decision).await?;
                let (trades, rejected) = decided(&entry)?;
                let view = desk.view(id, Some(*date)).await?;
                let executed = trades.iter().map(Trade::product);
                let refused = rejected.iter().map(RejectedOrder::product);
                let products = executed.chain(refused).chain([view.product()]).map(product);
                node.emit(products.collect::<Result<_, _>>()?).await?;
                Ok(entry)
            })
            .await?;
        let (_, rejected) = decided(&entry)?;
        let (rejected, orders) = (rejected.len(), decision.orders.len());
        let outcome = Outcome::default().set(state::EXECUTION, entry)?;
        Ok(match rejected {
            0 => outcome,
            _ => outcome.degraded(format!("{rejected} of {orders} orders were rejected.")),
        })
    }

    fn subject(&self, state: &State) -> Option<Value> {
        let decision: Decision = state.get(state::DECISION).ok().flatten()?;
        serde_json::to_value(decision.orders).ok()
    }
}

/// Names a decision for good: the run that made it, and its orders. However often it is carried
/// out, after a crash or in a run that takes it over, it trades once; with other orders it is another.
fn decision_key(run: RunId, decision: &Decision) -> Result<String, NodeError> {
    let orders = serde_json::to_string(&decision.orders)
        .map_err(|error| NodeError::failed(format!("The orders have no JSON form: {error}.")))?;
    Ok(format!("{run}/{}", journal::digest(&orders)?))
}

fn decided(entry: &Entry) -> Result<(&[Trade], &[RejectedOrder]), NodeError> {
    match entry {
        Entry::Decided { trades, rejected, .. } => Ok((trades, rejected)),
        Entry::Opened { .. } => {
            Err(NodeError::failed("The ledger's entry of this run is no decision. Check the ledger."))
        }
    }
}

/// Says what became of the spare cash. It is swept together with the decision, in its own entry.
struct Sweep(Book);

#[async_trait]
impl Work for Sweep {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Entry::Decided { key, trades, .. } = required(node, state::EXECUTION)? else {
            return Err(NodeError::failed(
                "The ledger's entry of this run is no decision. Check the ledger.",
            ));
        };
        let swept = trades.iter().find(|trade| trade.key == format!("{key}/sweep"));
        let price = match CASH_EQUIVALENT.parse() {
            Ok(ticker) => self.0.desk.price(&ticker, self.0.date).await?,
            Err(_) => None,
        };
        let (level, text) = match (swept, price) {
            (Some(trade), _) => {
                (LogLevel::Info, format!("Swept {} shares of {}.", trade.quantity.normalize(), trade.ticker))
            }
            (None, Some(_)) => (LogLevel::Info, "No sweep was needed.".to_owned()),
            (None, None) => {
                let vendor = self.0.sources.prices.name();
                let text = format!(
                    "Nothing was swept: {vendor} has no price for {CASH_EQUIVALENT}, so cash stays cash."
                );
                (LogLevel::Warning, text)
            }
        };
        node.emit(vec![log(level, text.clone())]).await?;
        let outcome = Outcome::default().set(state::CASH_SWEEP, &text)?;
        Ok(if level == LogLevel::Warning { outcome.degraded(text) } else { outcome })
    }
}
