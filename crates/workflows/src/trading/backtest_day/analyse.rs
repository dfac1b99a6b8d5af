//! The analysis of one stock. One that fails stops no other.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, SubRun, Work};
use protocol::{
    RunStatus,
    trading::{AnalysisEnd, BacktestDay, DayAnalysis, Grade, Rating, Task, Ticker},
};
use serde::{Deserialize, Serialize};

use super::state;

/// Has one stock analysed.
pub(super) struct Analyse {
    pub(super) ticker: Ticker,
    pub(super) day: BacktestDay,
}

/// An analysis with the rating that it came to.
#[derive(Serialize, Deserialize)]
pub(super) struct Analysed {
    pub(super) analysis: DayAnalysis,
    pub(super) rating: Option<Rating>,
}

#[async_trait]
impl Work for Analyse {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let (ticker, date, analysts) = (self.ticker.clone(), self.day.date, self.day.analysts.clone());
        let prices = self.day.prices;
        let task = Task::Pipeline { ticker: ticker.clone(), date, analysts, portfolio: None, prices };
        let (run, end, rating) = match node.start(task.into()).await {
            Ok(below) => {
                let run = below.run;
                match rating_of(below) {
                    Ok(rating) => {
                        let (grade, confidence) = (rating.grade, rating.confidence);
                        (Some(run), AnalysisEnd::Rated { run, grade, confidence }, Some(rating))
                    }
                    Err(reason) => (Some(run), AnalysisEnd::Failed { reason }, None),
                }
            }
            // It cannot be run at all: there are no prices of it.
            Err(NodeError::Failed(reason)) => (None, AnalysisEnd::Failed { reason }, None),
            Err(error) => return Err(error),
        };
        let failed = match &end {
            AnalysisEnd::Failed { reason } => Some(reason.clone()),
            AnalysisEnd::Rated { .. } | AnalysisEnd::Known { .. } => None,
        };
        let is_unread = matches!(end, AnalysisEnd::Rated { grade: Grade::Review, .. });
        let analysed = Analysed { analysis: DayAnalysis { ticker, run, end }, rating };
        let outcome = Outcome::default().set(state::ANALYSES, analysed)?;
        Ok(match failed {
            Some(reason) => outcome.failed(reason),
            None if is_unread => outcome.degraded("REVIEW: the rating could not be read."),
            None => outcome,
        })
    }
}

fn rating_of(below: SubRun) -> Result<Rating, String> {
    let SubRun { status, error, products, .. } = below;
    if status != RunStatus::Succeeded {
        return Err(error.unwrap_or_else(|| format!("Its run has ended: {}.", status.label().to_lowercase())));
    }
    let rating = products.iter().rev().find_map(|product| product.document::<Rating>());
    rating.ok_or_else(|| "Its run ended without a rating.".to_owned())
}
