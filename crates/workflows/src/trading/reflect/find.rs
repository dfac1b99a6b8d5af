//! Which decisions a lesson is drawn from. A node appears for each.

use async_trait::async_trait;
use engine::{GrownNode, Growth, Join, NodeContext, NodeError, Outcome, Work};
use protocol::{EdgeAdded, EdgeKind, LogLevel, NodeAdded, NodeId, Tier, trading::UnscoredDecision};
use serde_json::json;

use super::{Hindsight, graph, state};
use crate::{
    node::{log, node_id},
    trading::{
        measured::{Found, measure},
        memory::{
            HORIZON_DAYS,
            due::{DueDecision, DueDecisions, LookBack},
        },
        stock_node::of_stock,
    },
};

/// The tool by which code looks for decisions.
const LOOK: &str = "find_decisions";
/// Lessons that are written at the same time.
const LINES: usize = 2;

/// Finds the decisions and scores them, once: what is found stands in the log.
pub(super) struct FindDecisions(pub(super) Hindsight);

#[async_trait]
impl Work for FindDecisions {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Hindsight { date, max_lessons, journal, lessons, market } = &self.0;
        let arguments = json!({ "date": date, "horizon_days": HORIZON_DAYS, "max_lessons": max_lessons });
        let looking = Box::pin(async {
            let look = LookBack {
                journal,
                lessons,
                market,
                owner: node.owner(),
                today: *date,
                most: *max_lessons as usize,
            };
            let value = look.due().await.map_err(|error| error.to_string())?;
            let is_degraded = !value.unscored.is_empty();
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded })
        });
        let found: DueDecisions = measure(node, LOOK, &arguments, looking).await?;
        node.emit(messages(&found).into_iter().map(|(level, text)| log(level, text)).collect()).await?;
        if !found.due.is_empty() {
            node.grow(growth(&found.due).map_err(NodeError::Failed)?).await?;
        }
        Outcome::default().set(state::FOUND, found)
    }
}

/// What a reader should know of it.
fn messages(found: &DueDecisions) -> Vec<(LogLevel, String)> {
    let mut messages = vec![match found.due.len() {
        0 => {
            let text = format!(
                "There is no decision without a lesson whose {HORIZON_DAYS} days have passed; nothing is asked."
            );
            (LogLevel::Info, text)
        }
        1 => (LogLevel::Info, "One decision is looked back at.".to_owned()),
        many => (LogLevel::Info, format!("{many} decisions are looked back at.")),
    }];
    if found.left > 0 {
        let text = format!("{} more are left for a later reflection.", found.left);
        messages.push((LogLevel::Info, text));
    }
    let unscored = found.unscored.iter().map(|UnscoredDecision { ticker, decided, reason }| {
        (LogLevel::Warning, format!("{ticker} of {decided} cannot be scored: {reason}"))
    });
    messages.extend(unscored);
    messages
}

/// A node for each decision. They stand in as many lines as are worked on at the same time.
fn growth(due: &[DueDecision]) -> Result<Growth, String> {
    let plans = due.iter().enumerate().map(|(place, due)| plan(place, due));
    let plans = plans.collect::<Result<Vec<NodeAdded>, _>>()?;
    let ids: Vec<NodeId> = plans.iter().map(|plan| plan.id.clone()).collect();
    let conclude = node_id(graph::CONCLUDE)?;
    let edges = ids.iter().enumerate().map(|(place, id)| EdgeAdded {
        from: id.clone(),
        to: ids.get(place + LINES).unwrap_or(&conclude).clone(),
        kind: EdgeKind::Flow,
        condition: None,
    });
    let nodes = plans.into_iter().zip(due).map(|(plan, due)| {
        let spec = serde_json::to_string(due).map_err(|error| error.to_string())?;
        Ok::<_, String>(GrownNode { plan, join: Join::All, spec: spec.into() })
    });
    Ok(Growth { edges: edges.collect(), nodes: nodes.collect::<Result<_, _>>()? })
}

fn plan(place: usize, due: &DueDecision) -> Result<NodeAdded, String> {
    let ticker = &due.rating.ticker;
    let label = format!("{ticker} {}", due.rating.date);
    of_stock("lesson", place, ticker, &label, "review", graph::LESSONS, Some(Tier::Mid))
}
