//! The scan: that of the flow, or a run of its own.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, SubRun, Work};
use protocol::{
    LogLevel, RunId, RunStatus, RunSummary,
    trading::{Scan, Task},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{assignment::Assignment, state};
use crate::{
    node::log,
    trading::{
        flow::results_of_flow,
        measured::{Found, measure},
    },
};

/// The tool by which code looks for a scan that the flow has already.
const LOOK: &str = "find_scan";

/// Has the market scanned.
pub(super) struct ScanMarket(pub(super) Assignment);

/// A scan with the run that made it.
#[derive(Serialize, Deserialize)]
struct Known {
    run: RunId,
    scan: Scan,
}

#[async_trait]
impl Work for ScanMarket {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Assignment { portfolio, date, max_tickers, desk, prices, .. } = &self.0;
        // Said before anything is paid for that the portfolio's run could not use.
        let last = desk.load(portfolio).await?.last_date();
        if let Some(last) = last.filter(|last| date < last) {
            return Err(NodeError::failed(format!(
                "{date} lies before the last decision of {portfolio} on {last}. Choose {last} or a later day."
            )));
        }
        let known = if self.0.force { None } else { self.known(node).await? };
        let Known { run, scan } = match known {
            Some(known) => {
                let message = format!("The flow has a scan as of {date} already; it is not made again.");
                node.emit(vec![log(LogLevel::Info, message)]).await?;
                known
            }
            None => {
                node.emit(vec![log(LogLevel::Info, "Phase 1/3: the market is scanned.")]).await?;
                let task = Task::Scan { date: *date, max_tickers: *max_tickers, prices: prices.table };
                let known = scanned(node.start(task.into()).await?)?;
                let message =
                    format!("{} stocks are worth an analysis.", known.scan.stocks_to_investigate.len());
                node.emit(vec![log(LogLevel::Info, message)]).await?;
                known
            }
        };
        Outcome::default().set(state::SCAN, scan)?.set(state::SCANNED_BY, run)
    }
}

impl ScanMarket {
    /// The newest scan of the flow as of the same day.
    async fn known(&self, node: &NodeContext) -> Result<Option<Known>, NodeError> {
        let Assignment { date, flow, journal, prices, .. } = &self.0;
        let looking = Box::pin(async {
            let is_same_day = |run: &RunSummary| run.as_of == Some(*date);
            let results =
                results_of_flow::<Scan>(journal, node.owner(), flow, Task::SCAN, prices.table, is_same_day)
                    .await;
            let mut finished = results.map_err(|error| error.to_string())?.finished.into_iter();
            let value = finished.next().map(|found| Known { run: found.run.run, scan: found.result });
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        measure(node, LOOK, &json!({ "date": date }), looking).await
    }
}

fn scanned(below: SubRun) -> Result<Known, NodeError> {
    let SubRun { run, status, error, products } = below;
    if status != RunStatus::Succeeded {
        let why = error.unwrap_or_else(|| status.label().to_lowercase());
        return Err(NodeError::failed(format!("The scan came to nothing: {why}")));
    }
    let scan = products.iter().rev().find_map(|product| product.document::<Scan>());
    let scan = scan.ok_or_else(|| NodeError::failed("The scan ended without a result."))?;
    Ok(Known { run, scan })
}
