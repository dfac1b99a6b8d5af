//! The review of what is held.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{
    LogLevel,
    trading::{PortfolioView, Rating},
};

use super::{
    answers::{read_reviews, review_schema},
    book::Book,
    state,
};
use crate::{
    agent::ask,
    node::{brief, cell, log, report, required},
    trading::{
        facts::{HoldingFacts, Review, ReviewFacts},
        memory::LESSONS,
        prompts::{prompt, roles},
        seen::{Seen, with_data},
        tools::{ResearchTools, Tool},
    },
};

/// What the reviewer may look up beside the figures that it is told.
const TOOLS: &[Tool] = &[Tool::StockData, Tool::News];

/// Has every holding reviewed, in one call.
pub(super) struct ReviewHoldings(pub(super) Book);

#[async_trait]
impl Work for ReviewHoldings {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let view: PortfolioView = required(node, state::PORTFOLIO)?;
        let ratings: Vec<Rating> = required(node, state::RATINGS)?;
        let mut holdings = Vec::new();
        for holding in &view.holdings {
            holdings.push(HoldingFacts {
                ticker: holding.ticker.clone(),
                sector: holding.sector.clone(),
                quantity: holding.quantity,
                average_cost: holding.average_cost,
                price: holding.price,
                market_value: holding.market_value,
                weight: holding.weight,
                unrealised_profit: holding.unrealised_profit,
                grade: ratings
                    .iter()
                    .find(|rating| rating.ticker == holding.ticker)
                    .map(|rating| rating.grade),
                market: self.0.figures(&holding.ticker).await?,
            });
        }
        let outcome = Outcome::default().set(state::HOLDINGS, &holdings)?;
        if holdings.is_empty() {
            node.emit(vec![log(LogLevel::Info, "Nothing is held, so there is nothing to review.")]).await?;
            return outcome.set(state::HOLDING_REVIEWS, Vec::<Review>::new());
        }
        let facts = ReviewFacts { date: self.0.date, holdings };
        let messages = prompt(roles::HOLDING_REVIEWER, self.0.header())
            .section(LESSONS, &self.0.lessons(node.state())?)
            .facts(&facts);
        let request = brief(node, messages, Some(review_schema()));
        let tools = ResearchTools::new(self.0.prices.market.clone(), self.0.date, TOOLS);
        let talk = ask(node, request, &tools, |text| read_reviews(text, &facts.holdings)).await?;
        let reviews = talk.answer;
        let mut markdown =
            String::from("| holding | recommendation | confidence | reason |\n|---|---|---|---|\n");
        for review in &reviews {
            let (word, reason) = (review.recommendation.label(), cell(&review.rationale));
            markdown
                .push_str(&format!("| {} | {word} | {} | {reason} |\n", review.ticker, review.confidence));
        }
        let told = facts
            .holdings
            .iter()
            .map(|holding| Seen::of_figures("Holding reviewer", &holding.ticker, holding.market.as_ref()));
        let looked_up = talk.tools.iter().map(|used| Seen::of_tool("Holding reviewer", used));
        let seen: Vec<Seen> = told.chain(looked_up).collect();
        let markdown = with_data(&markdown, &seen);
        node.emit(vec![report(state::HOLDING_REVIEWS, "Holding reviews", &markdown, Vec::new())]).await?;
        outcome.set(state::HOLDING_REVIEWS, reviews)
    }
}
