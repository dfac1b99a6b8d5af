//! The order in which what the flow proposes is weighed.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use portfolio::candidates::{Candidate, prioritise};
use protocol::trading::{PortfolioView, Rating, Scan, ThesisAngle, Ticker};

use super::{book::Book, ratings::conviction, state};
use crate::{
    node::{cell, report, required},
    trading::{desk::closing_price, facts::CandidateFacts, seen::with_data},
};

/// Orders the flow's Buy and Overweight ratings by priority.
pub(super) struct Prioritise(pub(super) Book);

#[async_trait]
impl Work for Prioritise {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let ratings: Vec<Rating> = required(node, state::RATINGS)?;
        let scan: Option<Scan> = node.state().get(state::SCAN)?;
        let market = &self.0.prices.market;
        let candidates = ratings.iter().filter_map(|rating| {
            Some(Candidate {
                ticker: rating.ticker.clone(),
                sector: market.instrument(&rating.ticker).map(|it| it.sector.clone()).unwrap_or_default(),
                conviction: conviction(rating.grade, rating.confidence)?.to_string(),
                // A rating does not say which kind of thesis it rests on; the scan that has proposed the stock does.
                thesis: thesis(scan.as_ref(), &rating.ticker).map(|it| it.to_string()).unwrap_or_default(),
                rationale: rating.summary.clone(),
            })
        });
        let mut facts = Vec::new();
        for prioritised in prioritise(candidates.collect(), &view, None) {
            let ticker = prioritised.candidate.ticker;
            let Some(rating) = ratings.iter().find(|rating| rating.ticker == ticker) else { continue };
            let Some(conviction) = conviction(rating.grade, rating.confidence) else { continue };
            facts.push(CandidateFacts {
                price: closing_price(&self.0.prices.market, &ticker, self.0.date).await?,
                thesis: thesis(scan.as_ref(), &ticker),
                ticker,
                sector: prioritised.candidate.sector,
                grade: rating.grade,
                confidence: rating.confidence,
                conviction,
                rated_on: rating.date,
                summary: rating.summary.clone(),
                priority: prioritised.score,
                skip: prioritised.skip_reason,
            });
        }
        let mut seen = Vec::new();
        for candidate in &facts {
            seen.push(self.0.seen("Prioritiser", &candidate.ticker).await);
        }
        let markdown = with_data(&candidate_table(&facts, &ratings), &seen);
        node.emit(vec![report(state::CANDIDATES, "Candidates by priority", &markdown, Vec::new())]).await?;
        Outcome::default().set(state::CANDIDATES, facts)
    }
}

/// What the scan rests its proposal of a stock on, if it proposes it.
fn thesis(scan: Option<&Scan>, ticker: &Ticker) -> Option<ThesisAngle> {
    let proposed = scan?.stocks_to_investigate.iter().find(|stock| stock.ticker == *ticker)?;
    Some(proposed.thesis_angle)
}

fn candidate_table(candidates: &[CandidateFacts], ratings: &[Rating]) -> String {
    let mut text = String::new();
    if candidates.is_empty() {
        text.push_str("No rating of the flow is Buy or Overweight, so nothing is proposed.\n");
    } else {
        text.push_str("| stock | rating | rated on | priority | remark |\n|---|---|---|---|---|\n");
    }
    for candidate in candidates {
        let remark = candidate.skip.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "| {} | {}, {} confidence | {} | {} | {} |\n",
            candidate.ticker,
            candidate.grade,
            candidate.confidence,
            candidate.rated_on,
            candidate.priority.normalize(),
            cell(remark)
        ));
    }
    let passed_over =
        ratings.iter().filter(|rating| candidates.iter().all(|known| known.ticker != rating.ticker));
    let passed_over: Vec<String> =
        passed_over.map(|rating| format!("{} ({})", rating.ticker, rating.grade)).collect();
    if !passed_over.is_empty() {
        text.push_str(&format!("\nRated, but not proposed: {}.\n", passed_over.join(", ")));
    }
    text
}
