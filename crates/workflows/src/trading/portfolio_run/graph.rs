//! The graph: one line, but for the two summaries.

use engine::{Graph, Join, Outcome};
use protocol::{
    NodeAdded, NodeId, Tier,
    trading::{PortfolioView, Rating},
};

use super::{
    book::Book,
    decide::Decide,
    execute::{Execute, Sweep},
    load::{Load, Risk},
    prioritise::Prioritise,
    review::ReviewHoldings,
    state,
    summaries::{MacroSummary, MicroSummary},
};
use crate::node::{node_id, planned};

/// The node whose decision is carried out.
pub(super) const DECISION: &str = "make_decision";
/// The node that carries it out.
pub(super) const EXECUTION: &str = "execute_trades";

/// Builds the graph.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn graph(task: &Book) -> Result<Graph, String> {
    let mut graph = Graph::new();
    let load = plan(task, "load_portfolio", "Load portfolio", "load", "Load", None)?;
    let execute = plan(task, EXECUTION, "Execute trades", "execute", "Execution", None)?;
    let sweep = plan(task, "cash_sweep", "Cash sweep", "sweep", "Execution", None)?;
    let loaded = load.id.clone();
    graph.node(load, Load(task.clone()));
    let first = decision(&mut graph, task)?;
    graph.flow(&loaded, &first).flow(&node_id(DECISION)?, &execute.id).flow(&execute.id, &sweep.id);
    graph.node(execute, Execute(task.clone())).node(sweep, Sweep(task.clone()));
    Ok(graph)
}

/// Adds the nodes from a portfolio and its ratings, as [`begin`] leaves them in the state, to a decision. Returns the
/// first of them.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn decision(graph: &mut Graph, task: &Book) -> Result<NodeId, String> {
    let risk = plan(task, "compute_risk", "Compute risk", "risk", "Load", None)?;
    let review = plan(task, "review_holdings", "Review holdings", "review", "Review", Some(Tier::Mid))?;
    let prioritise =
        plan(task, "prioritise_candidates", "Prioritise candidates", "prioritise", "Review", None)?;
    let overview = plan(task, "macro_summary", "Macro summary", "macro", "Summaries", Some(Tier::Mid))?;
    let detail = plan(task, "micro_summary", "Micro summary", "micro", "Summaries", Some(Tier::Mid))?;
    let decision = plan(task, DECISION, "Make decision", "decision", "Decision", Some(Tier::Deep))?;
    let first = risk.id.clone();

    graph
        .flow(&risk.id, &review.id)
        .flow(&review.id, &prioritise.id)
        .flow(&prioritise.id, &overview.id)
        .flow(&prioritise.id, &detail.id)
        .flow(&overview.id, &decision.id)
        .flow(&detail.id, &decision.id)
        // A person may lead the work past a summary.
        .join(&decision.id, Join::Reached);
    graph
        .node(risk, Risk(task.clone()))
        .node(review, ReviewHoldings(task.clone()))
        .node(prioritise, Prioritise(task.clone()))
        .node(overview, MacroSummary(task.clone()))
        .node(detail, MicroSummary(task.clone()))
        .node(decision, Decide(task.clone()));
    Ok(first)
}

/// What a decision begins with: the portfolio, whose trades and daily values agents do not need, and ratings.
///
/// # Errors
/// They have no JSON form.
pub(in crate::trading) fn begin(
    outcome: Outcome,
    view: PortfolioView,
    ratings: &[Rating],
) -> Result<Outcome, engine::NodeError> {
    // Agents need neither the trades nor the daily values, and the state is written with each run.
    let view = PortfolioView { trades: Vec::new(), history: Vec::new(), ..view };
    outcome.set(state::PORTFOLIO, view)?.set(state::RATINGS, ratings)
}

fn plan(
    task: &Book,
    id: &str,
    label: &str,
    role: &str,
    phase: &str,
    tier: Option<Tier>,
) -> Result<NodeAdded, String> {
    let scope = Some(task.portfolio.to_string());
    Ok(NodeAdded { scope, ..planned(id, label, role, phase, tier)? })
}
