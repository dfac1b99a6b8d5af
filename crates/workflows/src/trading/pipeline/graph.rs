//! The graph: analysts in parallel, a screen, two debates in rounds, the decision.

use engine::{Graph, Join, Route, State};
use protocol::{EdgeKind, NodeAdded, NodeId, Tier, trading::Analyst};

use super::{
    ROUNDS, Subject,
    analysts::{AnalystWork, spec},
    debate::{AGGRESSIVE, BEAR, BULL, CONSERVATIVE, DebateWork, NEUTRAL},
    plan::{PlanWork, RESEARCH_PLAN, TRADE_PLAN},
    rating::RatingWork,
    screen::ScreenWork,
    state,
};
use crate::node::{node_id, planned};

/// Builds the graph.
///
/// # Errors
/// No analyst is selected, in a sentence.
pub(in crate::trading) fn graph(subject: &Subject, analysts: &[Analyst]) -> Result<Graph, String> {
    let selected: Vec<Analyst> =
        Analyst::all().into_iter().filter(|analyst| analysts.contains(analyst)).collect();
    if selected.is_empty() {
        return Err("No analyst is selected. Select at least one.".to_owned());
    }
    let mut graph = Graph::new();
    for list in
        [state::GAPS, state::SEEN, state::CRITICAL_CONDITIONS, state::INVESTMENT_DEBATE, state::RISK_DEBATE]
    {
        graph.append(list);
    }
    let scope = Some(subject.ticker.to_string());
    let plan = |node: &str, label: &str, role: &str, phase: &str, tier: Option<Tier>, visits: u32| {
        let node = planned(node, label, role, phase, tier)?;
        Ok::<_, String>(NodeAdded { scope: scope.clone(), planned_visits: visits, ..node })
    };

    let screen = node_id("screen")?;
    for analyst in &selected {
        let spec = spec(*analyst);
        let plan = plan(spec.node, spec.label, spec.role, "Analysts", Some(Tier::Quick), 1)?;
        let id = plan.id.clone();
        graph.node(plan, AnalystWork { subject: subject.clone(), analyst: *analyst });
        graph.flow(&id, &screen);
    }
    graph.node(
        plan("screen", "Critical screen", "screen", "Debate", None, 1)?,
        ScreenWork { subject: subject.clone(), selected },
    );
    // A person may lead the work past an analyst.
    graph.join(&screen, Join::Reached);
    for side in [&BULL, &BEAR] {
        let plan = plan(side.node, side.label, side.role, "Debate", Some(Tier::Mid), ROUNDS)?;
        graph.node(plan, DebateWork { subject: subject.clone(), voice: side });
    }
    graph.node(
        plan("research_manager", "Research manager", "research_manager", "Plan", Some(Tier::Deep), 1)?,
        PlanWork { subject: subject.clone(), plan: &RESEARCH_PLAN },
    );
    graph.node(
        plan("trader", "Trader", "trader", "Plan", Some(Tier::Mid), 1)?,
        PlanWork { subject: subject.clone(), plan: &TRADE_PLAN },
    );
    for voice in [&AGGRESSIVE, &CONSERVATIVE, &NEUTRAL] {
        let plan = plan(voice.node, voice.label, voice.role, "Risk debate", Some(Tier::Quick), ROUNDS)?;
        graph.node(plan, DebateWork { subject: subject.clone(), voice });
    }
    graph.node(
        plan("portfolio_manager", "Portfolio manager", "portfolio_manager", "Decision", Some(Tier::Deep), 1)?,
        RatingWork { subject: subject.clone() },
    );
    connect(&mut graph)?;
    Ok(graph)
}

/// Draws the edges after the screen.
fn connect(graph: &mut Graph) -> Result<(), String> {
    let screen = node_id("screen")?;
    let (bull, bear) = (node_id(BULL.node)?, node_id(BEAR.node)?);
    let (manager, trader) = (node_id("research_manager")?, node_id("trader")?);
    let (aggressive, conservative, neutral) =
        (node_id(AGGRESSIVE.node)?, node_id(CONSERVATIVE.node)?, node_id(NEUTRAL.node)?);
    let decision = node_id("portfolio_manager")?;

    let to =
        |to: &NodeId, kind, condition: &str| Route { to: to.clone(), kind, condition: condition.to_owned() };
    let routes = vec![
        to(&bull, EdgeKind::Conditional, "no critical condition"),
        to(&decision, EdgeKind::Conditional, "critical condition"),
    ];
    let (debate, cut_short) = (bull.clone(), decision.clone());
    graph.branch(&screen, routes, move |state, _| {
        vec![if is_aborted(state) { cut_short.clone() } else { debate.clone() }]
    });

    graph.flow(&bull, &bear);
    rounds(graph, &bear, &bull, &manager, &to);
    graph.flow(&manager, &trader).flow(&trader, &aggressive);
    graph.flow(&aggressive, &conservative).flow(&conservative, &neutral);
    rounds(graph, &neutral, &aggressive, &decision, &to);
    Ok(())
}

/// After its visit `last` sends the debate back to `first` until all rounds are held, then on to `next`.
fn rounds(
    graph: &mut Graph,
    last: &NodeId,
    first: &NodeId,
    next: &NodeId,
    to: &impl Fn(&NodeId, EdgeKind, &str) -> Route,
) {
    let routes = vec![
        to(first, EdgeKind::Loop, &format!("fewer than {ROUNDS} rounds")),
        to(next, EdgeKind::Conditional, &format!("{ROUNDS} rounds are held")),
    ];
    let (first, next) = (first.clone(), next.clone());
    graph.branch(last, routes, move |_, round| {
        vec![if round < ROUNDS { first.clone() } else { next.clone() }]
    });
}

fn is_aborted(state: &State) -> bool {
    matches!(state.get::<Option<String>>(state::ABORT), Ok(Some(Some(_))))
}
