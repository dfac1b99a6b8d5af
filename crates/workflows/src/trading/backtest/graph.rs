//! The graph: days pass, a decision is taken, and so on to the last day.

use engine::{Graph, NodeError, Route, State};
use protocol::{EdgeKind, NodeAdded, NodeId};

use super::{
    assignment::Backtest,
    decide::Decide,
    pass_days::PassDays,
    plan_days::PlanDays,
    result::Conclude,
    schedule::{Schedule, most_decisions},
    state,
};
use crate::node::planned;

/// Visits beside those that each decision takes: the plan, the last days, the result.
const OTHER_STEPS: u32 = 3;

/// Builds the graph. What it plans says how far it has come: so many decisions as there will be, where that can be
/// known before, or else as there can be.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn graph(backtest: &Backtest, expected: Option<u32>) -> Result<Graph, String> {
    let plan = &backtest.plan;
    let most = most_decisions(plan.from, plan.to, plan.rhythm);
    let decisions = expected.unwrap_or(most);
    let mut graph = Graph::new();
    graph.append(state::DAYS).append(state::ENTRIES).append(state::FAILURES);
    graph.takes_steps(most.saturating_mul(2).saturating_add(OTHER_STEPS));
    let plan = |id: &str, label: &str, role: &str, phase: &str, planned_visits: u32| {
        Ok::<_, String>(NodeAdded { planned_visits, ..planned(id, label, role, phase, None)? })
    };
    let days = plan("plan_days", "Trading days", "plan", "Plan", 1)?;
    let pass = plan("pass_days", "Market days", "market", "Decisions", decisions.saturating_add(1))?;
    let decide = plan("decide", "Decision", "decision", "Decisions", decisions)?;
    let conclude = plan("result", "Result", "report", "Result", 1)?;
    graph.flow(&days.id, &pass.id);
    let to =
        |to: &NodeId, kind, condition: &str| Route { to: to.clone(), kind, condition: condition.to_owned() };
    let routes = vec![
        to(&decide.id, EdgeKind::Conditional, "a decision is due"),
        to(&conclude.id, EdgeKind::Conditional, "the last day is over"),
    ];
    let (due, over) = (decide.id.clone(), conclude.id.clone());
    graph.branch(&pass.id, routes, move |state, _| {
        vec![if is_due(state).unwrap_or(false) { due.clone() } else { over.clone() }]
    });
    let again = pass.id.clone();
    let back = vec![to(&pass.id, EdgeKind::Loop, "the market goes on")];
    graph.branch(&decide.id, back, move |_, _| vec![again.clone()]);
    graph
        .node(days, PlanDays(backtest.clone()))
        .node(pass, PassDays(backtest.clone()))
        .node(decide, Decide(backtest.clone()))
        .node(conclude, Conclude(backtest.clone()));
    Ok(graph)
}

fn is_due(state: &State) -> Result<bool, NodeError> {
    let decided: usize = state.get(state::DECIDED)?.unwrap_or_default();
    let schedule: Option<Schedule> = state.get(state::SCHEDULE)?;
    Ok(schedule.is_some_and(|schedule| decided < schedule.decisions.len()))
}
