//! The market's days up to the next decision.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{Date, LogLevel};
use serde_json::json;

use super::{
    assignment::Backtest,
    book::Book,
    market_days::{Passed, gather},
    schedule::Schedule,
    state,
};
use crate::{
    node::{log, required},
    trading::measured::{Found, measure},
};

/// The tool by which code looks for what the market did.
pub(super) const LOOK: &str = "market_days";

/// Lets the days up to the next decision pass, or the rest where none is left.
pub(super) struct PassDays(pub(super) Backtest);

#[async_trait]
impl Work for PassDays {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let schedule: Schedule = required(node, state::SCHEDULE)?;
        let decided: usize = required(node, state::DECIDED)?;
        let after = match decided.checked_sub(1) {
            Some(last) => schedule.decisions.get(last).copied(),
            None => self.0.plan.from.yesterday().ok(),
        };
        let until = schedule.decisions.get(decided).copied().or(schedule.last());
        let until = until.ok_or_else(|| NodeError::failed("The backtest has no days."))?;
        let Passed { days, remarks } = self.days(node, after, until).await?;
        let mut book = Book::read(&self.0, node.state())?;
        for day in &days {
            book.pass(day)?;
        }
        node.emit(remarks.into_iter().map(|remark| log(LogLevel::Warning, remark)).collect()).await?;
        Outcome::default().set(state::DAYS, days)?.set(state::ENTRIES, book.into_booked())
    }
}

impl PassDays {
    async fn days(&self, node: &NodeContext, after: Option<Date>, until: Date) -> Result<Passed, NodeError> {
        let instruments = self.0.instruments();
        let arguments = json!({ "tickers": instruments, "after": after, "until": until });
        measure(node, LOOK, &arguments, async {
            let found = gather(&self.0.market, &instruments, after, until).await?;
            let is_degraded = !found.passed.remarks.is_empty();
            Ok(Found { value: found.passed, vendor: found.vendors.join(", "), is_degraded })
        })
        .await
    }
}
