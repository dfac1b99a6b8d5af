//! What all agents of a scan that write a report have in common.

use engine::{NodeContext, NodeError, Outcome};
use protocol::{Figure, trading::MissingInput};
use serde::Serialize;

use super::{
    market_day::{MarketDay, unseen},
    state,
};
use crate::{
    agent::converse,
    node::{brief, report},
    prompt::Prompt,
    trading::{
        gaps::gap,
        seen::{Seen, with_data},
        tools::{ResearchTools, Tool},
    },
};

/// One of the agents.
pub(super) struct Scanner {
    pub(super) node: &'static str,
    pub(super) role: &'static str,
    pub(super) label: &'static str,
    pub(super) prompt: &'static str,
    /// The title of its report.
    pub(super) title: &'static str,
    /// The state's key of its report.
    pub(super) report: &'static str,
    pub(super) tools: &'static [Tool],
    /// What is missing where its tools give nothing; nothing is, where code measures all that it needs.
    pub(super) looks_up: Option<&'static str>,
}

/// What code found for an agent.
pub(super) struct Evidence<'f, F> {
    /// The figures of the prompt.
    pub(super) facts: &'f F,
    /// Where they are from.
    pub(super) seen: Vec<Seen>,
    /// What there is nothing of.
    pub(super) missing: Vec<MissingInput>,
    /// The figures that stand beside the report.
    pub(super) figures: Vec<Figure>,
}

impl Scanner {
    /// Has the report written.
    ///
    /// # Errors
    /// The model gives none, or the log cannot be written.
    pub(super) async fn write<F: Serialize + Sync>(
        &self,
        node: &NodeContext,
        day: &MarketDay,
        prompt: Prompt,
        evidence: Evidence<'_, F>,
    ) -> Result<Outcome, NodeError> {
        let Evidence { facts, mut seen, mut missing, figures } = evidence;
        let tools = ResearchTools::new(day.market.clone(), day.date, self.tools);
        let talk = converse(node, brief(node, prompt.facts(facts), None), &tools).await?;
        if let Some(input) = self.looks_up
            && let Some(reason) = gap(&talk.tools)
        {
            missing.push(MissingInput { input: input.to_owned(), reason });
        }
        seen.extend(talk.tools.iter().map(|used| Seen::of_tool(self.label, used)));
        seen.extend(unseen(self.label, &missing));
        let shown = with_data(&talk.answer, &seen);
        node.emit(vec![report(self.report, self.title, &shown, figures)]).await?;
        let inputs: Vec<&str> = missing.iter().map(|missing| missing.input.as_str()).collect();
        let without = format!("It did without: {}.", inputs.join("; "));
        let outcome = Outcome::default()
            .set(self.report, &talk.answer)?
            .set(state::SEEN, &seen)?
            .set(state::MISSING, &missing)?;
        Ok(if missing.is_empty() { outcome } else { outcome.degraded(without) })
    }
}
