//! The graph: the analyses in as many lines as may be worked on at the same time, then the decision.

use engine::{Graph, Join};
use protocol::{
    NodeAdded, NodeKind,
    trading::{BacktestDay, Ticker},
};

use super::{analyse::Analyse, collect::Collect, state};
use crate::{
    node::node_id,
    trading::portfolio_run::{self, Book},
};

/// Builds the graph of a day; `book` names its day, and the market.
///
/// # Errors
/// No analyst or no stock is selected, in a sentence.
pub(in crate::trading) fn graph(day: &BacktestDay, book: &Book) -> Result<Graph, String> {
    if day.analysts.is_empty() {
        return Err("No analyst is selected. Select at least one.".to_owned());
    }
    if day.tickers.is_empty() {
        return Err("No stock is selected. Select at least one.".to_owned());
    }
    let mut graph = Graph::new();
    graph.append(state::ANALYSES);
    let collect = planned("collect", "Ratings", "load", "Decision", None)?;
    let plans = day.tickers.iter().enumerate().map(|(place, ticker)| plan(place, ticker));
    let plans = plans.collect::<Result<Vec<NodeAdded>, _>>()?;
    let lines = day.max_concurrent_pipelines.max(1) as usize;
    for (place, from) in plans.iter().enumerate() {
        graph.flow(&from.id, plans.get(place + lines).map_or(&collect.id, |next| &next.id));
    }
    // A person may lead the work past an analysis.
    graph.join(&collect.id, Join::Reached);
    let first = portfolio_run::decision(&mut graph, book)?;
    graph.flow(&collect.id, &first);
    graph.node(collect, Collect(day.clone()));
    for (plan, ticker) in plans.into_iter().zip(&day.tickers) {
        graph.node(plan, Analyse { ticker: ticker.clone(), day: day.clone() });
    }
    Ok(graph)
}

fn plan(place: usize, ticker: &Ticker) -> Result<NodeAdded, String> {
    // Symbols have letters that ids have not; the number keeps ids apart that differ in those alone.
    let in_id = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let symbol: String = ticker.as_str().chars().map(in_id).collect();
    let id = format!("analyse_{}_{symbol}", place + 1);
    planned(&id, ticker.as_str(), "market analysis", "Analyses", Some(ticker.to_string()))
}

fn planned(
    id: &str,
    label: &str,
    role: &str,
    phase: &str,
    scope: Option<String>,
) -> Result<NodeAdded, String> {
    Ok(NodeAdded {
        id: node_id(id)?,
        label: label.to_owned(),
        role: role.to_owned(),
        kind: NodeKind::Code,
        phase: phase.to_owned(),
        scope,
        owner: None,
        tier: None,
        planned_visits: 1,
    })
}
