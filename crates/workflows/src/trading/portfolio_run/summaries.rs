//! The briefs that the decision rests on: one about the market, one about holdings and candidates.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use market::DataKind;

use super::{book::Book, state};
use crate::{
    agent::{NoTools, converse},
    node::{brief, report, required},
    trading::{
        desk::BENCHMARK,
        facts::{MacroFacts, MarketFacts, MicroFacts, Missing},
        memory::LESSONS,
        prompts::{prompt, roles},
        seen::{Seen, with_data},
    },
};

/// The brief where there is nothing that it could rest on: no model is asked for one.
const NO_DATA: &str = "NO DATA AVAILABLE: there are no prices of an index or of a factor fund, and the flow has no scan, \
                       so that the market's regime is not known.";
/// What stands as the sector of a fund that follows a factor.
const FACTOR_FUND: &str = "Factor ETF";

/// Has the brief about the market as a whole written.
pub(super) struct MacroSummary(pub(super) Book);

#[async_trait]
impl Work for MacroSummary {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let index = match BENCHMARK.parse() {
            Ok(ticker) => self.0.figures(&ticker).await?,
            Err(_) => None,
        };
        let market = &self.0.prices.market;
        let mut factors = Vec::new();
        for fund in market.instruments().iter().filter(|instrument| instrument.sector == FACTOR_FUND) {
            factors.extend(self.0.figures(&fund.ticker).await?);
        }
        let reason =
            format!("{} has prices of stocks, an index and funds only.", market.name(DataKind::Prices));
        let missing = vec![Missing { input: "rates, credit and implied volatility".to_owned(), reason }];
        let scan = node.state().get(state::SCAN)?;
        let facts = MacroFacts { date: self.0.date, index, factors, scan, missing };
        let text = if facts.is_empty() {
            NO_DATA.to_owned()
        } else {
            let messages = prompt(roles::MACRO, self.0.header()).facts(&facts);
            converse(node, brief(node, messages, None), &NoTools).await?.answer
        };
        let figures = facts.index.as_ref().map(MarketFacts::report).unwrap_or_default();
        let measured = facts.index.iter().chain(&facts.factors);
        let seen =
            measured.map(|measured| Seen::of_figures("Macro summary", &measured.ticker, Some(measured)));
        let missing = facts
            .missing
            .iter()
            .map(|missing| Seen::without("Macro summary", &missing.input, &missing.reason));
        let shown = with_data(&text, &seen.chain(missing).collect::<Vec<_>>());
        node.emit(vec![report(state::MACRO_BRIEF, "Macro brief", &shown, figures)]).await?;
        let without_index = facts.index.is_none();
        let outcome = Outcome::default().set(state::INDEX, facts.index)?.set(state::MACRO_BRIEF, text)?;
        Ok(if without_index {
            outcome.degraded(format!("There are no prices of {BENCHMARK}."))
        } else {
            outcome
        })
    }
}

/// Has the brief about holdings and candidates written.
pub(super) struct MicroSummary(pub(super) Book);

#[async_trait]
impl Work for MicroSummary {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let facts = MicroFacts {
            date: self.0.date,
            holdings: required(node, state::HOLDINGS)?,
            reviews: required(node, state::HOLDING_REVIEWS)?,
            candidates: required(node, state::CANDIDATES)?,
        };
        let messages = prompt(roles::MICRO, self.0.header())
            .section(LESSONS, &self.0.lessons(node.state())?)
            .facts(&facts);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let holdings = facts.holdings.iter();
        let seen = holdings
            .map(|holding| Seen::of_figures("Micro summary", &holding.ticker, holding.market.as_ref()));
        let shown = with_data(&text, &seen.collect::<Vec<_>>());
        node.emit(vec![report(state::MICRO_BRIEF, "Micro brief", &shown, Vec::new())]).await?;
        Outcome::default().set(state::MICRO_BRIEF, text)
    }
}
