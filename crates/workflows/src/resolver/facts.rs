//! What the agents are given to work with.

use engine::{NodeContext, NodeError};
use protocol::resolver::{NotDone, StepEnd, StepResult, TaskPlan};
use serde::{Deserialize, Serialize};

/// Bytes of one result in the prompt of another agent.
const LONGEST_RESULT: usize = 16 * 1024;

/// What the planner knows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlannerFacts {
    pub(super) request: String,
    pub(super) context: String,
    pub(super) most_steps: usize,
    pub(super) tools: Vec<ToolInShort>,
    pub(super) remarks: Vec<String>,
}

/// A tool that steps can use.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToolInShort {
    pub(super) name: String,
    pub(super) description: String,
}

/// What the agent of a step knows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExecutorFacts {
    pub(super) request: String,
    pub(super) context: String,
    pub(super) step: StepInShort,
    pub(super) brought: Vec<Brought>,
    pub(super) missing: Vec<NotDone>,
    pub(super) remarks: Vec<String>,
}

/// A step as its agent sees it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StepInShort {
    pub(super) title: String,
    pub(super) instruction: String,
}

/// What a step came to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Brought {
    pub(super) title: String,
    pub(super) text: String,
}

/// What the report is made of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AggregatorFacts {
    pub(super) request: String,
    pub(super) context: String,
    pub(super) done: Vec<Brought>,
    pub(super) not_done: Vec<NotDone>,
    pub(super) remarks: Vec<String>,
}

/// What a report is made anew of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RewriterFacts {
    pub(super) request: String,
    pub(super) context: String,
    pub(super) instruction: String,
    pub(super) report: String,
    pub(super) done: Vec<Brought>,
    pub(super) not_done: Vec<NotDone>,
    pub(super) remarks: Vec<String>,
}

/// What some steps came to, in the order in which they are named, whichever ended first: the results, and those
/// without one.
pub(super) fn sorted<'s>(
    steps: impl Iterator<Item = (&'s str, &'s str)>,
    results: &[StepResult],
) -> (Vec<Brought>, Vec<NotDone>) {
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for (id, title) in steps {
        let title = title.to_owned();
        match results.iter().rev().find(|result| result.step == id).map(|result| &result.end) {
            Some(StepEnd::Done { text }) => done.push(Brought { title, text: cut(text) }),
            Some(StepEnd::Failed { reason }) => not_done.push(NotDone { title, reason: reason.clone() }),
            None => not_done.push(NotDone { title, reason: "It was left out.".to_owned() }),
        }
    }
    (done, not_done)
}

/// The same for all steps of a plan.
pub(super) fn sorted_by_plan(plan: &TaskPlan, results: &[StepResult]) -> (Vec<Brought>, Vec<NotDone>) {
    sorted(plan.steps.iter().map(|step| (step.id.as_str(), step.title.as_str())), results)
}

/// What people have said to the node.
pub(super) async fn remarks(node: &NodeContext) -> Result<Vec<String>, NodeError> {
    Ok(node.inbox().await?.into_iter().map(|message| message.text).collect())
}

/// The beginning of a long text, which then says that it is one.
pub(super) fn cut(text: &str) -> String {
    if text.len() <= LONGEST_RESULT {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(LONGEST_RESULT);
    format!("{}\n[Cut: these are the first {kept} of {} bytes.]", &text[..kept], text.len())
}
