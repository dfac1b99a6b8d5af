//! The graph: a node that chooses who speaks, and one for each participant.

use std::sync::Arc;

use engine::{Graph, Route};
use protocol::{EdgeKind, NodeAdded, NodeId, NodeKind, Tier};
use teamfile::team::{Conduct, Role};

use super::{
    assistant::AssistantWork,
    crew::{COURSE, Crew, line},
    manager::ManagerWork,
    person::PersonWork,
};

/// Builds the graph.
pub(super) fn graph(crew: &Arc<Crew>) -> Graph {
    let mut graph = Graph::new();
    graph.append(COURSE);
    let tier = matches!(crew.team.conduct, Conduct::Selector(_)).then_some(Tier::Quick);
    let kind = if tier.is_some() { NodeKind::Agent } else { NodeKind::Code };
    let manager = planned(&crew.manager, "Who speaks next".to_owned(), "manager", kind, tier);
    graph.node(manager, ManagerWork(crew.clone()));
    for (participant, id) in crew.members() {
        let label = line(&participant.name, 60);
        let name = participant.name.clone();
        match &participant.role {
            Role::Assistant(assistant) => {
                let plan = planned(id, label, "person", NodeKind::Agent, Some(Tier::Mid));
                let assistant = assistant.as_ref().clone();
                graph.node(plan, AssistantWork { crew: crew.clone(), name, assistant });
            }
            // Everything else was refused before.
            _ => {
                let plan = planned(id, label, "person", NodeKind::Person, None);
                graph.node(plan, PersonWork { crew: crew.clone(), name });
            }
        }
    }
    connect(&mut graph, crew);
    graph
}

/// Draws who may follow whom. Which way is taken is known only at work.
fn connect(graph: &mut Graph, crew: &Crew) {
    let speaks = |id: &NodeId| Route {
        to: id.clone(),
        kind: EdgeKind::Conditional,
        condition: "speaks next".to_owned(),
    };
    graph.branch(&crew.manager, crew.nodes.iter().map(speaks).collect(), |_, _| Vec::new());
    for id in &crew.nodes {
        let manager = crew.manager.clone();
        let back =
            Route { to: manager.clone(), kind: EdgeKind::Loop, condition: "the turn is over".to_owned() };
        graph.branch(id, vec![back], move |_, _| vec![manager.clone()]);
    }
}

fn planned(id: &NodeId, label: String, role: &str, kind: NodeKind, tier: Option<Tier>) -> NodeAdded {
    NodeAdded {
        id: id.clone(),
        label,
        role: role.to_owned(),
        kind,
        phase: "Team".to_owned(),
        scope: None,
        owner: None,
        tier,
        planned_visits: 1,
    }
}
