//! The graph: three scanners side by side, smart money after the sectors, then one line.

use engine::{Graph, Join};
use protocol::{NodeAdded, NodeId, Tier};

use super::{
    deep_dive::{self, DeepDive},
    geopolitics::{self, Geopolitics},
    market_day::MarketDay,
    movers::{self, Movers},
    report::Scanner,
    sectors::{self, Sectors},
    smart_money::{self, SmartMoney},
    state,
    synthesis::{self, Synthesis},
};
use crate::node::{node_id, planned};

/// Builds the graph.
///
/// # Errors
/// Never with the node ids as they are.
pub(in crate::trading) fn graph(day: &MarketDay) -> Result<Graph, String> {
    let mut graph = Graph::new();
    graph.append(state::MISSING).append(state::SEEN);
    let plan = |node: &str, label: &str, role: &str, phase: &str, tier: Tier| {
        let scope = Some("market".to_owned());
        Ok::<_, String>(NodeAdded { scope, ..planned(node, label, role, phase, Some(tier))? })
    };
    let scanner =
        |scanner: &Scanner, phase, tier| plan(scanner.node, scanner.label, scanner.role, phase, tier);
    graph
        .node(scanner(&geopolitics::SCANNER, "Scanners", Tier::Quick)?, Geopolitics(day.clone()))
        .node(scanner(&movers::SCANNER, "Scanners", Tier::Quick)?, Movers(day.clone()))
        .node(scanner(&sectors::SCANNER, "Scanners", Tier::Quick)?, Sectors(day.clone()))
        .node(scanner(&smart_money::SCANNER, "Smart money", Tier::Quick)?, SmartMoney(day.clone()))
        .node(scanner(&deep_dive::SCANNER, "Deep dive", Tier::Mid)?, DeepDive(day.clone()))
        .node(
            plan(synthesis::NODE, synthesis::LABEL, "macro decision", "Synthesis", Tier::Deep)?,
            Synthesis(day.clone()),
        );
    let id = |scanner: &Scanner| node_id(scanner.node);
    let deep_dive: NodeId = id(&deep_dive::SCANNER)?;
    graph
        .flow(&id(&sectors::SCANNER)?, &id(&smart_money::SCANNER)?)
        .flow(&id(&geopolitics::SCANNER)?, &deep_dive)
        .flow(&id(&movers::SCANNER)?, &deep_dive)
        .flow(&id(&smart_money::SCANNER)?, &deep_dive)
        // A person may lead the work past a scanner.
        .join(&deep_dive, Join::Reached)
        .flow(&deep_dive, &node_id(synthesis::NODE)?);
    Ok(graph)
}
