//! The portfolio as the backtest has it, and the ratings of the day.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::trading::{AnalysisEnd, BacktestDay, DayAnalyses, DayAnalysis, Rating};

use super::{analyse::Analysed, state};
use crate::{node::product, trading::portfolio_run};

/// Puts together what the decision rests on.
pub(super) struct Collect(pub(super) BacktestDay);

#[async_trait]
impl Work for Collect {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let mut ended: Vec<Analysed> = node.state().get(state::ANALYSES)?.unwrap_or_default();
        let (mut analyses, mut ratings) = (Vec::new(), Vec::<Rating>::new());
        // In the order of the stocks: they end in any.
        for ticker in &self.0.tickers {
            match ended.iter().position(|it| it.analysis.ticker == *ticker) {
                Some(place) => {
                    let Analysed { analysis, rating } = ended.swap_remove(place);
                    analyses.push(analysis);
                    ratings.extend(rating);
                }
                None => analyses.push(DayAnalysis {
                    ticker: ticker.clone(),
                    run: None,
                    end: AnalysisEnd::Failed { reason: "The work was led past it.".to_owned() },
                }),
            }
        }
        let view = &self.0.portfolio;
        node.emit(vec![product(DayAnalyses { analyses }.product())?, product(view.product())?]).await?;
        portfolio_run::begin(Outcome::default(), view.clone(), &ratings)
    }
}
