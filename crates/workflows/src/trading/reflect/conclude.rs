//! The result: what was learnt, what failed, and what could not be scored.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::trading::{ReflectedDecision, Reflection, ReflectionEnd, UnscoredDecision};

use super::{Hindsight, state};
use crate::{
    node::{cell, product, report, required},
    trading::memory::{
        HORIZON_DAYS,
        due::{DueDecision, DueDecisions},
    },
};

/// Says what came of the run.
pub(super) struct Conclude(pub(super) Hindsight);

#[async_trait]
impl Work for Conclude {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let DueDecisions { due, unscored, left } = required(node, state::FOUND)?;
        let ended: Vec<ReflectedDecision> = node.state().get(state::REFLECTED)?.unwrap_or_default();
        // In the order in which they were found: they end in any.
        let decisions = due.iter().map(|due| {
            let known = ended.iter().find(|ended| ended.decided_by == due.run).cloned();
            known.unwrap_or_else(|| ReflectedDecision {
                ticker: due.rating.ticker.clone(),
                decided: due.rating.date,
                decided_by: due.run,
                end: ReflectionEnd::Failed { reason: "The work was led past it.".to_owned() },
            })
        });
        let reflection = Reflection {
            date: self.0.date,
            horizon_days: HORIZON_DAYS,
            decisions: decisions.collect(),
            unscored,
            left,
        };
        let text = written(&reflection, &due);
        let made = product(reflection.product())?;
        node.emit(vec![made, report(state::RESULT, "Reflection", &text, Vec::new())]).await?;
        Outcome::default().set(state::RESULT, reflection)
    }
}

fn written(reflection: &Reflection, due: &[DueDecision]) -> String {
    let Reflection { date, horizon_days, decisions, unscored, left } = reflection;
    let mut text = format!(
        "Ratings as of {date}, {horizon_days} days after the first close that followed them, against the index.\n"
    );
    if decisions.is_empty() {
        text.push_str("\nThere was no decision to learn from.\n");
    } else {
        text.push_str(
            "\n| stock | rated | grade | outcome known | stock | index | came to |\n|---|---|---|---|---|---|---|\n",
        );
    }
    for (decision, due) in decisions.iter().zip(due) {
        let end = match &decision.end {
            ReflectionEnd::Written { verdict } => format!("a lesson: {verdict}"),
            ReflectionEnd::Known => "another run has the lesson".to_owned(),
            ReflectionEnd::Failed { reason } => format!("failed: {}", cell(reason)),
        };
        let score = &due.score;
        let shown = |value: &protocol::Decimal| protocol::percent(*value, 2);
        let index = score.index_return.known().map_or_else(|| "not known".to_owned(), shown);
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {index} | {end} |\n",
            decision.ticker,
            decision.decided,
            due.rating.grade,
            score.until,
            shown(&score.stock_return)
        ));
    }
    for UnscoredDecision { ticker, decided, reason } in unscored {
        text.push_str(&format!("\n- Not scored, {ticker} of {decided}: {reason}"));
    }
    if *left > 0 {
        text.push_str(&format!("\n\n{left} decisions are left for a later reflection.\n"));
    }
    text
}
