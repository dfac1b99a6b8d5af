//! The plans that follow the research debate.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};

use super::{
    Subject,
    debate::{debate, transcript},
    state::{self, seen},
};
use crate::{
    agent::{NoTools, converse},
    node::{brief, report},
    trading::{holdings::PORTFOLIO, memory::LESSONS, prompts::roles, seen::with_data},
};

/// A role that writes one plan.
pub(super) struct Plan {
    prompt: &'static str,
    key: &'static str,
    title: &'static str,
}

pub(super) const RESEARCH_PLAN: Plan =
    Plan { prompt: roles::RESEARCH_MANAGER, key: state::INVESTMENT_PLAN, title: "Investment plan" };
pub(super) const TRADE_PLAN: Plan =
    Plan { prompt: roles::TRADER, key: state::TRADER_PLAN, title: "Trader's proposal" };

/// The research manager, and the trader.
pub(super) struct PlanWork {
    pub(super) subject: Subject,
    pub(super) plan: &'static Plan,
}

#[async_trait]
impl Work for PlanWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let state = node.state();
        let messages = self
            .subject
            .prompt(self.plan.prompt, state)
            .section(PORTFOLIO, &self.subject.holdings(state)?)
            .section(LESSONS, &self.subject.lessons(state)?)
            .section("The debate", &transcript(&debate(state, state::INVESTMENT_DEBATE)?))
            .section("Investment plan", state.text(state::INVESTMENT_PLAN))
            .facts(&self.subject.facts(node, None)?);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let shown = with_data(&text, &seen(state)?);
        node.emit(vec![report(self.plan.key, self.plan.title, &shown, Vec::new())]).await?;
        Outcome::default().set(self.plan.key, text)
    }
}
