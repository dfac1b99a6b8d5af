//! The decision: which orders are given.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{
    LogLevel,
    trading::{Confidence, Decision, Grade, Order, PortfolioView, Rating, RejectedOrder, Side},
};

use super::{
    answers::{decision_schema, read_decision},
    book::Book,
    state,
};
use crate::{
    agent::{NoTools, ask},
    node::{brief, log, product, required},
    trading::{
        facts::{CandidateFacts, DecisionFacts},
        holdings::{PORTFOLIO, PortfolioBrief, portfolio_section},
        memory::LESSONS,
        prompts::{prompt, roles},
    },
};

/// Has the orders decided.
pub(super) struct Decide(pub(super) Book);

#[async_trait]
impl Work for Decide {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let portfolio = Some(PortfolioBrief::of(view.clone()));
        let facts = DecisionFacts {
            date: self.0.date,
            cash: view.cash,
            total: view.total,
            unrealised_profit: view.unrealised_profit,
            realised_profit: view.realised_profit,
            risk: required(node, state::RISK_METRICS)?,
            limits: view.constraints,
            index: required(node, state::INDEX)?,
            holdings: required(node, state::HOLDINGS)?,
            reviews: required(node, state::HOLDING_REVIEWS)?,
            candidates: required(node, state::CANDIDATES)?,
        };
        let messages = prompt(roles::DECISION_MAKER, self.0.header())
            .section(PORTFOLIO, &portfolio_section(Some(&portfolio), None))
            .section("Macro brief", node.state().text(state::MACRO_BRIEF))
            .section("Micro brief", node.state().text(state::MICRO_BRIEF))
            .section(LESSONS, &self.0.lessons(node.state())?)
            .facts(&facts);
        let request = brief(node, messages, Some(decision_schema()));
        let answer = ask(node, request, &NoTools, read_decision).await?.answer;

        let claimed = answer.confidence;
        let ratings: Vec<Rating> = required(node, state::RATINGS)?;
        let Concluded { decision, held_back } = concluded(answer, &ratings, &facts.candidates);
        let lowered = (claimed > decision.confidence).then(|| {
            let message = format!(
                "The model's confidence was {claimed}; it is lowered to {}, that of the weakest rating it buys on.",
                decision.confidence
            );
            log(LogLevel::Warning, message)
        });
        let mut bodies = vec![product(decision.product())?];
        for rejected in &held_back {
            bodies.push(product(rejected.product())?);
        }
        bodies.extend(lowered);
        node.emit(bodies).await?;
        let outcome =
            Outcome::default().set(state::DECISION, decision)?.set(state::DECIDED_BY, node.run())?;
        Ok(match held_back.len() {
            0 => outcome,
            count => outcome.degraded(format!(
                "{count} orders are left out: the ratings of their stocks could not be read (REVIEW)."
            )),
        })
    }
}

/// What an answer of the decision maker comes to.
pub(in crate::trading) struct Concluded {
    /// The decision.
    pub decision: Decision,
    /// The orders that were taken out of it.
    pub held_back: Vec<RejectedOrder>,
}

/// What an answer comes to: nothing is traded on a rating that could not be read, and the decision is no surer than the
/// ratings that it buys on.
pub(in crate::trading) fn concluded(
    mut decision: Decision,
    ratings: &[Rating],
    candidates: &[CandidateFacts],
) -> Concluded {
    let held_back = hold_back(&mut decision, ratings);
    decision.confidence = decision.confidence.min(confidence_limit(&decision, candidates));
    Concluded { decision, held_back }
}

/// Takes the orders for stocks out whose rating could not be read: nothing is traded on what nobody understood.
fn hold_back(decision: &mut Decision, ratings: &[Rating]) -> Vec<RejectedOrder> {
    let unread =
        |order: &Order| ratings.iter().find(|it| it.grade == Grade::Review && it.ticker == order.ticker);
    let (held_back, kept): (Vec<Order>, Vec<Order>) =
        decision.orders.drain(..).partition(|order| unread(order).is_some());
    decision.orders = kept;
    let rejected = held_back.into_iter().map(|order| {
        let reason = format!(
            "The rating of {} could not be read (REVIEW): nothing is traded on it before it is analysed again.",
            order.ticker
        );
        RejectedOrder { order, price: None, reasons: vec![reason] }
    });
    rejected.collect()
}

/// The lowest confidence of the ratings that the decision buys on; a purchase without a rating is low.
fn confidence_limit(decision: &Decision, candidates: &[CandidateFacts]) -> Confidence {
    let bought = decision.orders.iter().filter(|order| order.side == Side::Buy);
    let rated = bought.map(|order| {
        let candidate = candidates.iter().find(|candidate| candidate.ticker == order.ticker);
        candidate.map_or(Confidence::Low, |candidate| candidate.confidence)
    });
    rated.min().unwrap_or(Confidence::High)
}
