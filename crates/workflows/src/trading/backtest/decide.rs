//! One decision: a run for the day, and the booking of what it decided.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, SubRun, Work};
use portfolio::Entry;
use protocol::{
    Date, LogLevel, RunStatus,
    trading::{
        AnalysisEnd, BacktestDay, BacktestPlan, BacktestStep, DayAnalyses, Decision, Task, ValuePoint,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    assignment::Backtest,
    book::{Book, without_past},
    schedule::Schedule,
    state,
};
use crate::node::{log, product, required};

/// Decisions in a row that come to nothing before the run ends: what fails again and again is no chance, and goes on
/// costing money.
const MOST_FAILURES: u32 = 3;

/// Has a day's decision taken, and books it.
pub(super) struct Decide(pub(super) Backtest);

/// What of one decision came to nothing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Failures {
    /// Whether the decision did.
    pub decision: bool,
    /// How many analyses did.
    pub analyses: u32,
}

#[async_trait]
impl Work for Decide {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let schedule: Schedule = required(node, state::SCHEDULE)?;
        let decided: usize = required(node, state::DECIDED)?;
        let Some(date) = schedule.decisions.get(decided).copied() else {
            return Err(NodeError::failed("All decisions are taken."));
        };
        let mut book = Book::read(&self.0, node.state())?;
        let BacktestPlan { tickers, analysts, max_concurrent_pipelines, prices, .. } = &self.0.plan;
        let task = Task::BacktestDay(Box::new(BacktestDay {
            date,
            tickers: tickers.clone(),
            analysts: analysts.clone(),
            max_concurrent_pipelines: *max_concurrent_pipelines,
            prices: *prices,
            portfolio: without_past(book.view(date)?),
        }));
        let below = node.start(task.into()).await?;
        let (decision, failed) = decision_of(&below);
        book.decide(date, below.run, decision.as_ref())?;

        let analyses: Option<DayAnalyses> =
            below.products.iter().rev().find_map(|product| product.document());
        let analyses = analyses.map(|found| found.analyses).unwrap_or_default();
        let is_failed = |end: &AnalysisEnd| matches!(end, AnalysisEnd::Failed { .. });
        let failures = Failures {
            decision: failed.is_some(),
            analyses: count(analyses.iter().filter(|analysis| is_failed(&analysis.end))),
        };
        let in_a_row: u32 = node.state().get(state::FAILED_IN_A_ROW)?.unwrap_or_default();
        let in_a_row = if failed.is_some() { in_a_row + 1 } else { 0 };
        if let Some(reason) = failed.as_ref().filter(|_| in_a_row >= MOST_FAILURES) {
            return Err(NodeError::failed(format!(
                "{MOST_FAILURES} decisions in a row came to nothing, the last one on {date}: {reason}"
            )));
        }

        let view = book.view(date)?;
        let earlier = decided.checked_sub(1).and_then(|last| schedule.decisions.get(last));
        let since = |day: Date| earlier.is_none_or(|earlier| day > *earlier);
        let step = BacktestStep {
            number: count(schedule.decisions.iter().take(decided + 1)),
            of: count(schedule.decisions.iter()),
            date,
            run: below.run,
            analyses,
            decision: decision.as_ref().map(Decision::headline),
            failed: failed.clone(),
            trades: book.portfolio().trades().iter().filter(|trade| since(trade.date)).cloned().collect(),
            refused: self.refused(node, book.booked())?,
            points: view.history.into_iter().filter(|point: &ValuePoint| since(point.date)).collect(),
        };
        let said = match &failed {
            Some(reason) => log(LogLevel::Error, format!("{date}: the decision came to nothing. {reason}")),
            None => log(LogLevel::Info, format!("{date}: {}.", step.decision.as_deref().unwrap_or_default())),
        };
        node.emit(vec![product(step.product())?, said]).await?;
        let outcome = Outcome::default()
            .set(state::ENTRIES, book.into_booked())?
            .set(state::DECIDED, decided + 1)?
            .set(state::FAILED_IN_A_ROW, in_a_row)?
            .set(state::FAILURES, failures)?;
        Ok(match failed {
            Some(reason) => outcome.failed(reason),
            None => outcome,
        })
    }
}

impl Decide {
    /// The orders that were refused since the step before: by the market's days, and by this decision.
    fn refused(&self, node: &NodeContext, booked: &[Entry]) -> Result<Vec<String>, NodeError> {
        let entries: Vec<Vec<Entry>> = node.state().get(state::ENTRIES)?.unwrap_or_default();
        // The last item is what the market's days before this decision did.
        let passed = entries.into_iter().next_back().unwrap_or_default();
        Ok(passed.iter().chain(booked).flat_map(refused_of).collect())
    }
}

/// The orders that an entry refused, each with its reasons.
pub(super) fn refused_of(entry: &Entry) -> Vec<String> {
    let rejected: Vec<_> = match entry {
        Entry::Decided { rejected, .. } => rejected.iter().collect(),
        Entry::Passed { refused, .. } => refused.iter().map(|refused| &refused.rejected).collect(),
        Entry::Opened { .. } | Entry::Configured { .. } | Entry::Transferred { .. } => Vec::new(),
    };
    let said = |rejected: &protocol::trading::RejectedOrder| {
        let order = &rejected.order;
        let reasons = rejected.reasons.join("; ");
        format!("{} {} {}: {reasons}", order.side, order.quantity.normalize(), order.ticker)
    };
    rejected.into_iter().map(said).collect()
}

/// What a day's run decided, or why that came to nothing.
fn decision_of(below: &SubRun) -> (Option<Decision>, Option<String>) {
    let SubRun { status, error, products, .. } = below;
    if *status != RunStatus::Succeeded {
        let reason =
            error.clone().unwrap_or_else(|| format!("Its run has ended: {}.", status.label().to_lowercase()));
        return (None, Some(reason));
    }
    match products.iter().rev().find_map(|product| product.document::<Decision>()) {
        Some(decision) => (Some(decision), None),
        None => (None, Some("Its run ended without a decision.".to_owned())),
    }
}

fn count<T>(counted: impl Iterator<Item = T>) -> u32 {
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}
