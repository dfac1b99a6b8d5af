//! The portfolio's run, which decides and trades on the analyses of the flow.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, SubRun, Work};
use protocol::{
    LogLevel, Product, RunId, RunStatus,
    trading::{Decision, PendingOrder, RejectedOrder, Task, Trade},
};
use serde::{Deserialize, Serialize};

use super::{assignment::Assignment, state};
use crate::node::log;

/// Has the portfolio decide.
pub(super) struct DecideAndTrade(pub(super) Assignment);

/// What came of the portfolio's run.
#[derive(Serialize, Deserialize)]
pub(super) struct Decided {
    pub(super) run: RunId,
    pub(super) decision: String,
    pub(super) trades: u32,
    #[serde(default)]
    pub(super) waiting: u32,
    pub(super) rejected: u32,
}

#[async_trait]
impl Work for DecideAndTrade {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Assignment { portfolio, date, prices, .. } = &self.0;
        let prices = Some(prices.table.into());
        node.emit(vec![log(LogLevel::Info, "Phase 3/3: the portfolio decides.")]).await?;
        let task = Task::Portfolio { portfolio: portfolio.clone(), date: *date, prices };
        let SubRun { run, status, error, products } = node.start(task.into()).await?;
        if status != RunStatus::Succeeded {
            let why = error.unwrap_or_else(|| status.label().to_lowercase());
            return Err(NodeError::failed(format!("The portfolio's run came to nothing: {why}")));
        }
        let decision = products.iter().rev().find_map(|product| product.document::<Decision>());
        let decision =
            decision.ok_or_else(|| NodeError::failed("The portfolio's run ended without a decision."))?;
        let count = |is: fn(&Product) -> bool| {
            u32::try_from(products.iter().filter(|product| is(product)).count()).unwrap_or(u32::MAX)
        };
        let decided = Decided {
            run,
            decision: decision.headline(),
            trades: count(Product::holds::<Trade>),
            waiting: count(Product::holds::<PendingOrder>),
            rejected: count(Product::holds::<RejectedOrder>),
        };
        let Decided { trades, waiting, rejected, .. } = &decided;
        let message = match waiting {
            0 => format!("{trades} orders executed, {rejected} rejected."),
            waiting => format!("{trades} orders executed, {waiting} wait for a price, {rejected} rejected."),
        };
        node.emit(vec![log(LogLevel::Info, message)]).await?;
        Outcome::default().set(state::DECISION, decided)
    }
}
