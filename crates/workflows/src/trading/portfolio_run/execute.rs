//! The trades of a decision, made once, and what became of the spare cash.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, State, Work};
use market::DataKind;
use portfolio::Entry;
use protocol::{
    LogLevel, RunId,
    trading::{Decision, PendingOrder, RejectedOrder, Trade},
};
use serde_json::Value;

use super::{book::Book, state};
use crate::{
    node::{log, product, required},
    trading::desk::{CASH_EQUIVALENT, closing_price},
};

/// Carries the decision out, once.
pub(super) struct Execute(pub(super) Book);

#[async_trait]
impl Work for Execute {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Book { portfolio: id, date, desk, prices, .. } = &self.0;
        let decision: Decision = required(node, state::DECISION)?;
        let key = decision_key(required(node, state::DECIDED_BY)?, &decision)?;
        // A stop comes before the trades or after their record.
        let entry = node
            .commit(async {
                let entry = desk.decide_at(id, &key, node.run(), *date, &decision, prices).await?;
                let Carried { trades, waiting, rejected } = carried(&entry)?;
                let view = desk.view_at(id, *date, prices).await?;
                let executed = trades.iter().map(Trade::product);
                let waiting = waiting.iter().map(PendingOrder::product);
                let refused = rejected.iter().map(RejectedOrder::product);
                let products = executed.chain(waiting).chain(refused).chain([view.product()]).map(product);
                node.emit(products.collect::<Result<_, _>>()?).await?;
                Ok(entry)
            })
            .await?;
        let (rejected, orders) = (carried(&entry)?.rejected.len(), decision.orders.len());
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
pub(super) fn decision_key(run: RunId, decision: &Decision) -> Result<String, NodeError> {
    let orders = serde_json::to_string(&decision.orders)
        .map_err(|error| NodeError::failed(format!("The orders have no JSON form: {error}.")))?;
    Ok(format!("{run}/{}", journal::digest(&orders)?))
}

/// What became of the orders of a decision.
struct Carried<'e> {
    trades: &'e [Trade],
    waiting: &'e [PendingOrder],
    rejected: &'e [RejectedOrder],
}

fn carried(entry: &Entry) -> Result<Carried<'_>, NodeError> {
    match entry {
        Entry::Decided { trades, pending: waiting, rejected, .. } => {
            Ok(Carried { trades, waiting, rejected })
        }
        _ => Err(NodeError::failed("The ledger's entry of this run is no decision. Check the ledger.")),
    }
}

/// Says what became of the spare cash. It is swept together with the decision, in its own entry.
pub(super) struct Sweep(pub(super) Book);

#[async_trait]
impl Work for Sweep {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Entry::Decided { key, trades, pending, .. } = required(node, state::EXECUTION)? else {
            return Err(NodeError::failed(
                "The ledger's entry of this run is no decision. Check the ledger.",
            ));
        };
        let swept = trades.iter().find(|trade| trade.key == format!("{key}/sweep"));
        let price = match CASH_EQUIVALENT.parse() {
            Ok(ticker) => closing_price(&self.0.prices.market, &ticker, self.0.date).await?,
            Err(_) => None,
        };
        let (level, text) = match (swept, price) {
            (Some(trade), _) => {
                (LogLevel::Info, format!("Swept {} shares of {}.", trade.quantity.normalize(), trade.ticker))
            }
            (None, _) if !pending.is_empty() => {
                (LogLevel::Info, "Spare cash is swept when the orders are filled.".to_owned())
            }
            (None, Some(_)) => (LogLevel::Info, "No sweep was needed.".to_owned()),
            (None, None) => {
                let vendor = self.0.prices.market.name(DataKind::Prices);
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
