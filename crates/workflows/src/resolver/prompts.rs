//! The roles of the agents, each with the rules of the house.

use llm::Message;
use serde::Serialize;

use crate::prompt::Prompt;

const HOUSE_RULES: &str = include_str!("prompts/house_rules.md");

pub(super) const PLANNER: &str = include_str!("prompts/planner.md");
pub(super) const EXECUTOR: &str = include_str!("prompts/executor.md");
pub(super) const AGGREGATOR: &str = include_str!("prompts/aggregator.md");
pub(super) const REWRITER: &str = include_str!("prompts/rewriter.md");

/// What an agent of this role is asked. All that people, models and tools have written stands in the facts.
pub(super) fn messages(role: &str, task: &str, facts: &impl Serialize) -> Vec<Message> {
    Prompt::new(format!("{role}\n{HOUSE_RULES}"), task).facts(facts)
}
