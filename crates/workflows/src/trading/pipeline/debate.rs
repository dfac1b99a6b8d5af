//! The research debate and the risk debate.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, State, Work};
use serde::{Deserialize, Serialize};

use super::{Subject, state};
use crate::{
    agent::{NoTools, converse},
    node::brief,
    trading::{facts::LastPoint, holdings::PORTFOLIO, memory::LESSONS, prompts::roles},
};

/// A voice in one of the debates.
pub(super) struct Voice {
    pub(super) node: &'static str,
    pub(super) role: &'static str,
    pub(super) label: &'static str,
    prompt: &'static str,
    debate: &'static str,
}

pub(super) const BULL: Voice = Voice {
    node: "bull_researcher",
    role: "bull",
    label: "Bull researcher",
    prompt: roles::BULL,
    debate: state::INVESTMENT_DEBATE,
};
pub(super) const BEAR: Voice = Voice {
    node: "bear_researcher",
    role: "bear",
    label: "Bear researcher",
    prompt: roles::BEAR,
    debate: state::INVESTMENT_DEBATE,
};
pub(super) const AGGRESSIVE: Voice = Voice {
    node: "aggressive_analyst",
    role: "aggressive",
    label: "Aggressive analyst",
    prompt: roles::AGGRESSIVE,
    debate: state::RISK_DEBATE,
};
pub(super) const CONSERVATIVE: Voice = Voice {
    node: "conservative_analyst",
    role: "conservative",
    label: "Conservative analyst",
    prompt: roles::CONSERVATIVE,
    debate: state::RISK_DEBATE,
};
pub(super) const NEUTRAL: Voice = Voice {
    node: "neutral_analyst",
    role: "neutral",
    label: "Neutral analyst",
    prompt: roles::NEUTRAL,
    debate: state::RISK_DEBATE,
};

/// One contribution to a debate.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DebateTurn {
    speaker: String,
    round: u32,
    text: String,
}

pub(super) fn transcript(turns: &[DebateTurn]) -> String {
    let turns = turns.iter().map(|turn| format!("### {}, round {}\n{}", turn.speaker, turn.round, turn.text));
    turns.collect::<Vec<_>>().join("\n\n")
}

pub(super) fn debate(state: &State, key: &str) -> Result<Vec<DebateTurn>, NodeError> {
    Ok(state.get(key)?.unwrap_or_default())
}

/// The sentence that a contribution begins with.
pub(super) fn headline(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let bold = line.strip_prefix("**").and_then(|line| line.split_once("**")).map(|(bold, _)| bold);
    bold.unwrap_or(line).chars().take(240).collect()
}

/// A turn in a debate.
pub(super) struct DebateWork {
    pub(super) subject: Subject,
    pub(super) voice: &'static Voice,
}

#[async_trait]
impl Work for DebateWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let state = node.state();
        let turns = debate(state, self.voice.debate)?;
        let last =
            turns.last().map(|turn| LastPoint { speaker: turn.speaker.clone(), text: headline(&turn.text) });
        let facts = self.subject.facts(node, last)?;
        let prompt = self.subject.prompt(self.voice.prompt, state);
        let prompt = match self.voice.debate {
            state::RISK_DEBATE => prompt
                .section(PORTFOLIO, &self.subject.holdings(state)?)
                .section("Trader's proposal", state.text(state::TRADER_PLAN)),
            _ => prompt.section(LESSONS, &self.subject.lessons(state)?),
        };
        let messages = prompt.section("The debate so far", &transcript(&turns)).facts(&facts);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let turn = DebateTurn { speaker: self.voice.role.to_owned(), round: node.visit(), text };
        Outcome::default().set(self.voice.debate, turn)
    }
}

#[cfg(test)]
mod tests {
    use super::headline;

    #[test]
    fn the_headline_is_the_bold_sentence_that_a_turn_begins_with() {
        assert_eq!(headline("\n## Turn\n**Take half.** The rest waits."), "Take half.");
        assert_eq!(headline("Plain words"), "Plain words");
        assert_eq!(headline(""), "");
    }
}
