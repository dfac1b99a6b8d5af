//! The aggregator: one report from what all steps came to.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::resolver::{NotDone, StepResult, TaskPlan, TaskReport};

use super::{
    assignment::Assignment,
    facts::{AggregatorFacts, remarks, sorted_by_plan},
    prompts, state,
};
use crate::{
    agent::{NoTools, converse},
    node::{brief, product, required},
};

/// Writes the report.
pub(super) struct Aggregator(pub(super) Assignment);

#[async_trait]
impl Work for Aggregator {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let plan: TaskPlan = required(node, state::PLAN)?;
        let results: Vec<StepResult> = node.state().get(state::RESULTS)?.unwrap_or_default();
        let (done, not_done) = sorted_by_plan(&plan, &results);
        if done.is_empty() {
            return Err(NodeError::failed(format!(
                "No step of the plan came to a result, so there is nothing to report.\n{}",
                listed(&not_done)
            )));
        }
        let Assignment { request, context, .. } = &self.0;
        let count = done.len();
        let facts = AggregatorFacts {
            request: request.clone(),
            context: context.clone(),
            done,
            not_done,
            remarks: remarks(node).await?,
        };
        let messages = prompts::messages(prompts::AGGREGATOR, "Write the report.", &facts);
        let written = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let report = TaskReport {
            run: node.run(),
            request: request.clone(),
            markdown: with_gaps(&written, &facts.not_done),
            done: count,
            not_done: facts.not_done,
            refines: None,
        };
        node.emit(vec![product(report.product())?]).await?;
        Outcome::default().set(state::REPORT, report.markdown)
    }
}

/// The report with what could not be done, whatever its author says of that.
fn with_gaps(written: &str, not_done: &[NotDone]) -> String {
    match not_done {
        [] => written.to_owned(),
        gaps => format!("{written}\n\n## What could not be done\n\n{}", listed(gaps)),
    }
}

fn listed(not_done: &[NotDone]) -> String {
    let line = |NotDone { title, reason }: &NotDone| {
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("- **{title}**: {reason}")
    };
    not_done.iter().map(line).collect::<Vec<_>>().join("\n")
}
