//! The graph: one line, but for the two summaries.

use engine::{Graph, Join};
use protocol::{NodeAdded, NodeKind, Tier};

use super::{
    book::Book,
    decide::Decide,
    execute::{Execute, Sweep},
    load::{Load, Risk},
    prioritise::Prioritise,
    review::ReviewHoldings,
    summaries::{MacroSummary, MicroSummary},
};
use crate::node::node_id;

/// Builds the graph.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn graph(task: &Book) -> Result<Graph, String> {
    let mut graph = Graph::new();
    let plan = |id: &str, label: &str, role: &str, phase: &str, tier: Option<Tier>| {
        Ok::<_, String>(NodeAdded {
            id: node_id(id)?,
            label: label.to_owned(),
            role: role.to_owned(),
            kind: if tier.is_some() { NodeKind::Agent } else { NodeKind::Code },
            phase: phase.to_owned(),
            scope: Some(task.portfolio.to_string()),
            owner: None,
            tier,
            planned_visits: 1,
        })
    };
    let load = plan("load_portfolio", "Load portfolio", "load", "Load", None)?;
    let risk = plan("compute_risk", "Compute risk", "risk", "Load", None)?;
    let review = plan("review_holdings", "Review holdings", "review", "Review", Some(Tier::Mid))?;
    let prioritise = plan("prioritise_candidates", "Prioritise candidates", "prioritise", "Review", None)?;
    let overview = plan("macro_summary", "Macro summary", "macro", "Summaries", Some(Tier::Mid))?;
    let detail = plan("micro_summary", "Micro summary", "micro", "Summaries", Some(Tier::Mid))?;
    let decision = plan("make_decision", "Make decision", "decision", "Decision", Some(Tier::Deep))?;
    let execute = plan("execute_trades", "Execute trades", "execute", "Execution", None)?;
    let sweep = plan("cash_sweep", "Cash sweep", "sweep", "Execution", None)?;

    graph
        .flow(&load.id, &risk.id)
        .flow(&risk.id, &review.id)
        .flow(&review.id, &prioritise.id)
        .flow(&prioritise.id, &overview.id)
        .flow(&prioritise.id, &detail.id)
        .flow(&overview.id, &decision.id)
        .flow(&detail.id, &decision.id)
        // A person may lead the work past a summary.
        .join(&decision.id, Join::Reached)
        .flow(&decision.id, &execute.id)
        .flow(&execute.id, &sweep.id);
    graph
        .node(load, Load(task.clone()))
        .node(risk, Risk(task.clone()))
        .node(review, ReviewHoldings(task.clone()))
        .node(prioritise, Prioritise(task.clone()))
        .node(overview, MacroSummary(task.clone()))
        .node(detail, MicroSummary(task.clone()))
        .node(decision, Decide(task.clone()))
        .node(execute, Execute(task.clone()))
        .node(sweep, Sweep(task.clone()));
    Ok(graph)
}
