//! The graph: one line, into which a node for each stock grows.

use std::sync::Arc;

use engine::{Graph, Join, Work};
use protocol::NodeAdded;

use super::{
    analyse::Analyse,
    assignment::Assignment,
    choose::{Choose, Chosen},
    decide::DecideAndTrade,
    result::Conclude,
    scan::ScanMarket,
    state,
};
use crate::node::planned;

/// The phase of the analyses.
pub(super) const ANALYSES: &str = "Analyses";
/// The node that the analyses lead to.
pub(super) const DECIDE: &str = "portfolio";

/// Builds the graph.
///
/// # Errors
/// No analyst is selected, in a sentence.
pub(in crate::trading) fn graph(assignment: &Assignment) -> Result<Graph, String> {
    if assignment.analysts.is_empty() {
        return Err("No analyst is selected. Select at least one.".to_owned());
    }
    let mut graph = Graph::new();
    graph.append(state::ANALYSES);
    let plan = |id: &str, label: &str, role: &str, phase: &str| {
        let scope = Some(assignment.portfolio.to_string());
        Ok::<_, String>(NodeAdded { scope, ..planned(id, label, role, phase, None)? })
    };
    let scan = plan("scan", "Scan", "scan", "Scan")?;
    let choose = plan("choose_stocks", "Choose stocks", "plan", "Scan")?;
    let decide = plan(DECIDE, "Portfolio", "portfolio", "Portfolio")?;
    let conclude = plan("result", "Result", "report", "Portfolio")?;
    graph
        .flow(&scan.id, &choose.id)
        .flow(&choose.id, &decide.id)
        // A person may lead the work past an analysis.
        .join(&decide.id, Join::Reached)
        .flow(&decide.id, &conclude.id);
    graph
        .node(scan, ScanMarket(assignment.clone()))
        .node(choose, Choose(assignment.clone()))
        .node(decide, DecideAndTrade(assignment.clone()))
        .node(conclude, Conclude(assignment.clone()));
    let assignment = assignment.clone();
    graph.growing(move |_, spec| {
        let chosen: Chosen =
            serde_json::from_str(spec).map_err(|error| format!("It is no stock: {error}."))?;
        Ok(Arc::new(Analyse { assignment: assignment.clone(), chosen }) as Arc<dyn Work>)
    });
    Ok(graph)
}
