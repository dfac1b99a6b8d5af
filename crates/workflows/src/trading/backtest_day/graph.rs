//! The graph: the analyses in as many lines as may be worked on at the same time, then the decision.

use engine::{Graph, Join};
use protocol::{
    NodeAdded,
    trading::{BacktestDay, Ticker},
};

use super::{analyse::Analyse, collect::Collect, state};
use crate::{
    node::planned,
    trading::{
        portfolio_run::{self, Book},
        stock_node::of_stock,
    },
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
    of_stock("analyse", place, ticker, ticker.as_str(), "market analysis", "Analyses", None)
}
