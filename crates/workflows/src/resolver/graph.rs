//! The graph of a task: a plan, a node for each step that appears with it, and the report.

use std::sync::Arc;

use engine::{Graph, Join, Work};
use protocol::{Tier, resolver::TaskPhase};

use super::{
    aggregator::Aggregator,
    assignment::Assignment,
    executor::{Executor, Planned},
    planner::Planner,
    state,
};
use crate::node::planned;

/// The phases, in their order.
pub(super) const PLAN: &str = TaskPhase::Plan.name();
pub(super) const STEPS: &str = TaskPhase::Steps.name();
pub(super) const REPORT: &str = TaskPhase::Report.name();
/// The node that all steps lead to.
pub(super) const AGGREGATOR: &str = "report";

/// Builds it.
///
/// # Errors
/// In a sentence, why it cannot be built.
pub(super) fn graph(assignment: &Assignment) -> Result<Graph, String> {
    let mut graph = Graph::new();
    graph.append(state::RESULTS);
    let planner = planned("planner", "Planner", "plan", PLAN, Some(Tier::Deep))?;
    let aggregator = planned(AGGREGATOR, "Report", "report", REPORT, Some(Tier::Deep))?;
    graph
        .flow(&planner.id, &aggregator.id)
        // A person may lead the work past a step.
        .join(&aggregator.id, Join::Reached);
    graph.node(planner, Planner(assignment.clone())).node(aggregator, Aggregator(assignment.clone()));
    let assignment = assignment.clone();
    graph.growing(move |_, spec| {
        let planned: Planned =
            serde_json::from_str(spec).map_err(|error| format!("It is no step of a plan: {error}."))?;
        Ok(Arc::new(Executor { assignment: assignment.clone(), planned }) as Arc<dyn Work>)
    });
    Ok(graph)
}
