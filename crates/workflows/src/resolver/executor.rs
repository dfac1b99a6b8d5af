//! The agent of one step. A step that comes to nothing stops no other.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::resolver::{NotDone, Step, StepEnd, StepResult};
use serde::{Deserialize, Serialize};
use tools::Wanted;

use super::{
    assignment::Assignment,
    facts::{ExecutorFacts, StepInShort, remarks, sorted},
    prompts, state,
};
use crate::{
    agent::ask,
    node::{brief, product},
};

/// How an answer begins that says why a step cannot be done.
pub(super) const NOT_DONE: &str = "NOT DONE:";
/// Bytes of a reason at most.
const LONGEST_REASON: usize = 2000;

/// A step with what it rests on: the ids and the titles of the steps before.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Planned {
    pub(super) step: Step,
    pub(super) rests_on: Vec<(String, String)>,
}

/// Carries out one step.
pub(super) struct Executor {
    pub(super) assignment: Assignment,
    pub(super) planned: Planned,
}

#[async_trait]
impl Work for Executor {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Planned { step, rests_on } = &self.planned;
        let results: Vec<StepResult> = node.state().get(state::RESULTS)?.unwrap_or_default();
        let before = rests_on.iter().map(|(id, title)| (id.as_str(), title.as_str()));
        let (brought, missing) = sorted(before, &results);
        let end = if brought.is_empty() && !missing.is_empty() {
            StepEnd::Failed { reason: without(&missing) }
        } else {
            let facts = ExecutorFacts {
                request: self.assignment.request.clone(),
                context: self.assignment.context.clone(),
                step: StepInShort { title: step.title.clone(), instruction: step.instruction.clone() },
                brought,
                missing,
                remarks: remarks(node).await?,
            };
            self.carried_out(node, &facts).await?
        };
        let failed = match &end {
            StepEnd::Done { .. } => None,
            StepEnd::Failed { reason } => Some(reason.clone()),
        };
        let result = StepResult { step: step.id.clone(), title: step.title.clone(), end };
        node.emit(vec![product(result.product())?]).await?;
        let outcome = Outcome::default().set(state::RESULTS, result)?;
        Ok(match failed {
            Some(reason) => outcome.failed(reason),
            None => outcome,
        })
    }
}

impl Executor {
    /// # Errors
    /// The whole run has to end: it was stopped, has reached a limit, or its log cannot be used.
    async fn carried_out(&self, node: &NodeContext, facts: &ExecutorFacts) -> Result<StepEnd, NodeError> {
        let offer = self.assignment.tools.offer(&Wanted::All).await;
        let messages = prompts::messages(prompts::EXECUTOR, "Carry out the step.", facts);
        match ask(node, brief(node, messages, None), &offer, read_end).await {
            Ok(conversation) => Ok(conversation.answer),
            Err(NodeError::Failed(reason) | NodeError::Model(reason)) => Ok(StepEnd::Failed { reason }),
            Err(error) => Err(error),
        }
    }
}

/// What an answer says of its step.
///
/// # Errors
/// It says nothing.
fn read_end(text: &str) -> Result<StepEnd, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Your answer was empty. Answer again.".to_owned());
    }
    let Some(reason) = text.trim_start_matches(['*', '#', '`', ' ']).strip_prefix(NOT_DONE) else {
        return Ok(StepEnd::Done { text: text.to_owned() });
    };
    match reason.trim_matches(['*', '`', ' ', '\n']) {
        "" => Err(format!("You did not say why. Answer again with \"{NOT_DONE}\" and the reason.")),
        reason => {
            Ok(StepEnd::Failed { reason: reason[..reason.floor_char_boundary(LONGEST_REASON)].to_owned() })
        }
    }
}

/// Why a step is not begun.
fn without(missing: &[NotDone]) -> String {
    let titles: Vec<&str> = missing.iter().map(|step| step.title.as_str()).collect();
    format!("It was not begun, as nothing that it rests on has a result: {}.", titles.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_by_its_beginning_that_a_step_cannot_be_done() {
        let failed = |reason: &str| StepEnd::Failed { reason: reason.to_owned() };
        assert_eq!(read_end("NOT DONE: no prices").unwrap(), failed("no prices"));
        assert_eq!(read_end(" **NOT DONE: no prices**\n").unwrap(), failed("no prices"));
        let done = "It was NOT DONE: by them, but by us.";
        assert_eq!(read_end(done).unwrap(), StepEnd::Done { text: done.to_owned() });
        assert!(read_end(" \n").is_err() && read_end("NOT DONE:").is_err());
        let long = read_end(&format!("NOT DONE: {}", "ä".repeat(5000))).unwrap();
        assert!(matches!(long, StepEnd::Failed { reason } if reason.len() <= LONGEST_REASON));
    }
}
