//! A report that is written anew: one agent, and what the task has found. No step is done again.

use async_trait::async_trait;
use engine::{Graph, NodeContext, NodeError, Outcome, Work};
use journal::Journal;
use protocol::{
    RunId, Tier,
    resolver::{Refined, TaskPhase, TaskReport},
};
use serde_json::json;

use super::{
    facts::{RewriterFacts, cut, remarks, sorted_by_plan},
    prompts, state,
    stored::{StoredTask, read_task},
};
use crate::{
    agent::{NoTools, converse},
    measured::{Found, measure},
    node::{brief, planned, product},
};

/// The phase.
pub(super) const REFINEMENT: &str = TaskPhase::Refinement.name();
/// The tool by which code reads what the task has found.
const LOOK: &str = "read_task";

/// What is to be written anew, and how.
#[derive(Clone)]
pub(super) struct Rewrite {
    /// The run of the earlier report.
    pub(super) of: RunId,
    /// The task that both rest on.
    pub(super) task: RunId,
    pub(super) instruction: String,
    pub(super) journal: Journal,
}

/// Builds the graph.
///
/// # Errors
/// In a sentence, why it cannot be built.
pub(super) fn graph(rewrite: Rewrite) -> Result<Graph, String> {
    let mut graph = Graph::new();
    graph.node(planned("rewriter", "Refinement", "report", REFINEMENT, Some(Tier::Deep))?, Rewriter(rewrite));
    Ok(graph)
}

/// Writes the report anew.
struct Rewriter(Rewrite);

#[async_trait]
impl Work for Rewriter {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Rewrite { of, task, instruction, journal } = &self.0;
        // Boxed, so that the future of the whole visit stays small.
        let reading = Box::pin(async {
            let value = read_task(journal, *task, *of).await?;
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        let stored: StoredTask = measure(node, LOOK, &json!({ "task": task, "report": of }), reading).await?;
        let StoredTask { request, context, plan, results, report } = stored;
        let (done, not_done) = sorted_by_plan(&plan, &results);
        let count = done.len();
        let facts = RewriterFacts {
            request,
            context,
            instruction: instruction.clone(),
            report: cut(&report.markdown),
            done,
            not_done,
            remarks: remarks(node).await?,
        };
        let messages = prompts::messages(prompts::REWRITER, "Write the report anew.", &facts);
        let markdown = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let report = TaskReport {
            run: node.run(),
            request: facts.request,
            markdown,
            done: count,
            not_done: facts.not_done,
            refines: Some(Refined { of: *of, instruction: instruction.clone() }),
        };
        node.emit(vec![product(report.product())?]).await?;
        Outcome::default().set(state::REPORT, report.markdown)
    }
}
