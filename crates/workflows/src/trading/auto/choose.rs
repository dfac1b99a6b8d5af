//! Which stocks are analysed: those of the scan, and those that are held. A node appears for each.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engine::{GrownNode, Growth, Join, NodeContext, NodeError, Outcome, Work};
use protocol::{
    EdgeAdded, EdgeKind, LogLevel, NodeAdded, NodeId,
    trading::{AnalysisReason, Scan, Ticker},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{assignment::Assignment, graph, state};
use crate::{
    node::{log, node_id, required},
    trading::{
        desk::CASH_EQUIVALENT,
        measured::{Found, measure},
        stock_node::of_stock,
    },
};

/// The tool by which code reads what is held.
const LOOK: &str = "list_holdings";

/// A stock that is to be analysed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Chosen {
    pub(super) ticker: Ticker,
    pub(super) because: AnalysisReason,
}

/// Chooses the stocks.
pub(super) struct Choose(pub(super) Assignment);

#[async_trait]
impl Work for Choose {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let scan: Scan = required(node, state::SCAN)?;
        let Assignment { portfolio, date, max_tickers, max_concurrent_pipelines, desk, prices, .. } = &self.0;
        let arguments = json!({ "portfolio": portfolio, "date": date });
        let looking = Box::pin(async {
            let view = desk.view_at(portfolio, *date, prices).await.map_err(|error| error.to_string())?;
            let value = view.holdings.into_iter().map(|holding| holding.ticker).collect();
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        let held: Vec<Ticker> = measure(node, LOOK, &arguments, looking).await?;
        let found = scan.stocks_to_investigate.into_iter().map(|stock| stock.ticker);
        let chosen = chosen(found.take(*max_tickers as usize), held);
        let message = match chosen.as_slice() {
            [] => log(LogLevel::Warning, "The scan found no stock and none is held, so none is analysed."),
            chosen => {
                let tickers: Vec<&str> = chosen.iter().map(|chosen| chosen.ticker.as_str()).collect();
                let (tickers, lines) = (tickers.join(", "), *max_concurrent_pipelines);
                log(LogLevel::Info, format!("Phase 2/3, to be analysed, {lines} at a time: {tickers}."))
            }
        };
        node.emit(vec![message]).await?;
        if !chosen.is_empty() {
            node.grow(growth(&chosen, *max_concurrent_pipelines as usize).map_err(NodeError::Failed)?)
                .await?;
        }
        Outcome::default().set(state::CHOSEN, chosen)
    }
}

/// Each stock once: those of the scan first. Cash needs no analysis.
fn chosen(found: impl Iterator<Item = Ticker>, held: Vec<Ticker>) -> Vec<Chosen> {
    let mut known = BTreeSet::new();
    let found = found.map(|ticker| Chosen { ticker, because: AnalysisReason::Scan });
    let held = held.into_iter().filter(|ticker| ticker.as_str() != CASH_EQUIVALENT);
    let held = held.map(|ticker| Chosen { ticker, because: AnalysisReason::Holding });
    found.chain(held).filter(|chosen| known.insert(chosen.ticker.clone())).collect()
}

/// A node for each stock. They stand in as many lines as may be worked on at the same time: while the first of a line
/// waits for its run, the place of this one is free, as it would not be if nodes waited for each other at work.
fn growth(chosen: &[Chosen], lines: usize) -> Result<Growth, String> {
    let lines = lines.max(1);
    let plans = chosen.iter().enumerate().map(|(place, chosen)| plan(place, chosen));
    let plans = plans.collect::<Result<Vec<NodeAdded>, _>>()?;
    let ids: Vec<NodeId> = plans.iter().map(|plan| plan.id.clone()).collect();
    let decide = node_id(graph::DECIDE)?;
    let edges = ids.iter().enumerate().map(|(place, id)| EdgeAdded {
        from: id.clone(),
        to: ids.get(place + lines).unwrap_or(&decide).clone(),
        kind: EdgeKind::Flow,
        condition: None,
    });
    let nodes = plans.into_iter().zip(chosen).map(|(plan, chosen)| {
        let spec = serde_json::to_string(chosen).map_err(|error| error.to_string())?;
        Ok::<_, String>(GrownNode { plan, join: Join::All, spec: spec.into() })
    });
    Ok(Growth { edges: edges.collect(), nodes: nodes.collect::<Result<_, _>>()? })
}

fn plan(place: usize, chosen: &Chosen) -> Result<NodeAdded, String> {
    let ticker = &chosen.ticker;
    of_stock("analyse", place, ticker, ticker.as_str(), "market analysis", graph::ANALYSES, None)
}
