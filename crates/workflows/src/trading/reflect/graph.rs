//! The graph: a look back, into which a node for each decision grows, and the result.

use std::sync::Arc;

use engine::{Graph, Join, Work};

use super::{conclude::Conclude, find::FindDecisions, hindsight::Hindsight, state, write::WriteLesson};
use crate::{node::planned, trading::memory::due::DueDecision};

/// The phase in which decisions are looked for.
pub(super) const LOOK_BACK: &str = "Look back";
/// The phase of the lessons.
pub(super) const LESSONS: &str = "Lessons";
/// The node that the lessons lead to.
pub(super) const CONCLUDE: &str = "result";

/// Builds the graph.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn graph(hindsight: &Hindsight) -> Result<Graph, String> {
    let mut graph = Graph::new();
    graph.append(state::REFLECTED);
    let plan = |id: &str, label: &str, role: &str, phase: &str| planned(id, label, role, phase, None);
    let find = plan("find_decisions", "Find decisions", "gather", LOOK_BACK)?;
    let conclude = plan(CONCLUDE, "Result", "report", "Result")?;
    // A person may lead the work past a lesson.
    graph.flow(&find.id, &conclude.id).join(&conclude.id, Join::Reached);
    graph.node(find, FindDecisions(hindsight.clone())).node(conclude, Conclude(hindsight.clone()));
    let hindsight = hindsight.clone();
    graph.growing(move |_, spec| {
        let due: DueDecision =
            serde_json::from_str(spec).map_err(|error| format!("It is no decision: {error}."))?;
        Ok(Arc::new(WriteLesson { hindsight: hindsight.clone(), due }) as Arc<dyn Work>)
    });
    Ok(graph)
}
