//! The analysis of one stock: that of the flow, or a run of its own. One that fails stops no other.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, SubRun, Work};
use protocol::{
    LogLevel, RunId, RunStatus, RunSummary,
    trading::{AnalysisEnd, Grade, Rating, StockAnalysis, Task},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{assignment::Assignment, choose::Chosen, state};
use crate::{
    node::log,
    trading::{
        flow::results_of_flow,
        measured::{Found, measure},
    },
};

/// The tool by which code looks for an analysis that the flow has already.
const LOOK: &str = "find_analysis";

/// Has one stock analysed.
pub(super) struct Analyse {
    pub(super) assignment: Assignment,
    pub(super) chosen: Chosen,
}

/// A rating with the run that made it.
#[derive(Serialize, Deserialize)]
struct Known {
    run: RunId,
    rating: Rating,
}

#[async_trait]
impl Work for Analyse {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Chosen { ticker, because } = &self.chosen;
        let known = if self.assignment.force { None } else { self.known(node).await? };
        let end = match known {
            Some(Known { run, rating }) => {
                let message = format!("The flow has an analysis of {ticker} already; it is not made again.");
                node.emit(vec![log(LogLevel::Info, message)]).await?;
                AnalysisEnd::Known { run, grade: rating.grade, confidence: rating.confidence }
            }
            None => self.analysed(node).await?,
        };
        if let AnalysisEnd::Rated { grade, confidence, .. } = &end {
            let level = if *grade == Grade::Review { LogLevel::Warning } else { LogLevel::Info };
            node.emit(vec![log(level, grade.with_confidence(*confidence))]).await?;
        }
        let failed = match &end {
            AnalysisEnd::Failed { reason } => Some(reason.clone()),
            AnalysisEnd::Rated { .. } | AnalysisEnd::Known { .. } => None,
        };
        let is_unread = matches!(end, AnalysisEnd::Rated { grade: Grade::Review, .. });
        let analysis = StockAnalysis { ticker: ticker.clone(), because: *because, end };
        let outcome = Outcome::default().set(state::ANALYSES, analysis)?;
        if let Some(reason) = &failed {
            node.emit(vec![log(LogLevel::Warning, format!("The analysis of {ticker} failed: {reason}"))])
                .await?;
        }
        Ok(match failed {
            Some(reason) => outcome.failed(reason),
            None if is_unread => outcome.degraded("REVIEW: the rating could not be read."),
            None => outcome,
        })
    }
}

impl Analyse {
    /// The newest analysis of the flow as of the same day.
    async fn known(&self, node: &NodeContext) -> Result<Option<Known>, NodeError> {
        let Assignment { date, flow, journal, prices, .. } = &self.assignment;
        let ticker = &self.chosen.ticker;
        let looking = Box::pin(async {
            let is_same = |run: &RunSummary| {
                run.as_of == Some(*date) && run.subject.as_deref() == Some(ticker.as_str())
            };
            let results =
                results_of_flow::<Rating>(journal, node.owner(), flow, Task::PIPELINE, prices.table, is_same)
                    .await;
            let mut finished = results.map_err(|error| error.to_string())?.finished.into_iter();
            // What could not be read is no analysis to go on from, nor is what was made before it.
            let newest = finished.next().filter(|found| found.result.grade != Grade::Review);
            let value = newest.map(|found| Known { run: found.run.run, rating: found.result });
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        measure(node, LOOK, &json!({ "ticker": ticker, "date": date }), looking).await
    }

    /// # Errors
    /// The whole run has to end: it was stopped, has reached a limit, or its log cannot be used.
    async fn analysed(&self, node: &NodeContext) -> Result<AnalysisEnd, NodeError> {
        let Assignment { date, analysts, portfolio, prices, .. } = &self.assignment;
        let (ticker, analysts) = (self.chosen.ticker.clone(), analysts.clone());
        let task = Task::Pipeline {
            ticker,
            date: *date,
            analysts,
            portfolio: Some(portfolio.clone()),
            prices: prices.table,
        };
        match node.start(task.into()).await {
            Ok(below) => Ok(rated(below)),
            // It cannot be run at all: there are no prices of it.
            Err(NodeError::Failed(reason)) => Ok(AnalysisEnd::Failed { reason }),
            Err(error) => Err(error),
        }
    }
}

fn rated(below: SubRun) -> AnalysisEnd {
    let SubRun { run, status, error, products } = below;
    if status != RunStatus::Succeeded {
        let reason =
            error.unwrap_or_else(|| format!("Its run has ended: {}.", status.label().to_lowercase()));
        return AnalysisEnd::Failed { reason };
    }
    match products.iter().rev().find_map(|product| product.document::<Rating>()) {
        Some(Rating { grade, confidence, .. }) => AnalysisEnd::Rated { run, grade, confidence },
        None => AnalysisEnd::Failed { reason: "Its run ended without a rating.".to_owned() },
    }
}
