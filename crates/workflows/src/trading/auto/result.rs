//! The result: what was analysed, what failed, and what was decided.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::trading::{AnalysisEnd, AnalysisReason, AutoResult, StockAnalysis};

use super::{assignment::Assignment, choose::Chosen, decide::Decided, state};
use crate::node::{cell, product, report, required};

/// Says what came of the run.
pub(super) struct Conclude(pub(super) Assignment);

#[async_trait]
impl Work for Conclude {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let chosen: Vec<Chosen> = required(node, state::CHOSEN)?;
        let ended: Vec<StockAnalysis> = node.state().get(state::ANALYSES)?.unwrap_or_default();
        let Decided { run, decision, trades, waiting, rejected } = required(node, state::DECISION)?;
        // In the order of the choice: they end in any.
        let analyses = chosen.iter().map(|chosen| {
            let known = ended.iter().find(|ended| ended.ticker == chosen.ticker).cloned();
            known.unwrap_or_else(|| StockAnalysis {
                ticker: chosen.ticker.clone(),
                because: chosen.because,
                end: AnalysisEnd::Failed { reason: "The work was led past it.".to_owned() },
            })
        });
        let result = AutoResult {
            date: self.0.date,
            portfolio: self.0.portfolio.clone(),
            scan: required(node, state::SCANNED_BY)?,
            analyses: analyses.collect(),
            portfolio_run: run,
            decision,
            trades,
            waiting,
            rejected,
        };
        let made = product(result.product())?;
        node.emit(vec![made, report(state::RESULT, "Automatic run", &written(&result), Vec::new())]).await?;
        Outcome::default().set(state::RESULT, result)
    }
}

fn written(result: &AutoResult) -> String {
    let failed = result.analyses.iter().filter(|it| matches!(it.end, AnalysisEnd::Failed { .. })).count();
    let mut text = match failed {
        0 => "**Completed without errors.**".to_owned(),
        1 => "**Completed with errors: 1 analysis failed.**".to_owned(),
        failed => format!("**Completed with errors: {failed} analyses failed.**"),
    };
    text.push_str(&format!(
        " The portfolio {} decided as of {}: {}; {} executed, {} rejected.\n",
        result.portfolio, result.date, result.decision, result.trades, result.rejected
    ));
    if result.analyses.is_empty() {
        text.push_str("\nNothing was analysed.\n");
    } else {
        text.push_str("\n| stock | because | came to |\n|---|---|---|\n");
    }
    for StockAnalysis { ticker, because, end } in &result.analyses {
        let because = match because {
            AnalysisReason::Scan => "the scan proposed it",
            AnalysisReason::Holding => "it is held",
        };
        let end = match end {
            AnalysisEnd::Rated { grade, confidence, .. } => grade.with_confidence(*confidence),
            AnalysisEnd::Known { grade, confidence, .. } => {
                format!("{}, as the flow had it already", grade.with_confidence(*confidence))
            }
            AnalysisEnd::Failed { reason } => format!("failed: {}", cell(reason)),
        };
        text.push_str(&format!("| {ticker} | {because} | {end} |\n"));
    }
    text
}
