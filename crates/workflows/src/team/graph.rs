//! The graph: a node that says who speaks, and one for each participant. A team that takes part in another one is a
//! node with the same inside.

use std::sync::Arc;

use engine::{Graph, Route};
use protocol::{EdgeKind, NodeAdded, NodeId, NodeKind, Tier};
use teamfile::team::{Conduct, Participant, Process, Role};

use super::{
    assistant::AssistantWork,
    crew::{Crew, line},
    lead::LeadWork,
    person::PersonWork,
    society::VoiceWork,
};
use crate::node::node_id;

/// How many turns a run of a team may take, unless the team itself says more: teams talk for long, and end by their own
/// conditions.
const TURNS: u32 = 1_000;
/// Visits of a turn: that of whoever speaks, and that of whoever leads.
const STEPS_A_TURN: u32 = 2;

/// Builds the graph.
///
/// # Errors
/// The team cannot be run, in a sentence.
pub(super) fn graph(crew: &Arc<Crew>) -> Result<Graph, String> {
    let mut keys = Vec::new();
    let mut graph = level(crew, &mut keys)?;
    for key in keys {
        graph.append(&key);
    }
    let turns = crew.team.max_turns.unwrap_or_default().max(TURNS);
    // And whoever leads comes once more at the end.
    graph.takes_steps(STEPS_A_TURN.saturating_mul(turns).saturating_add(1));
    Ok(graph)
}

/// The node within a team that answers for it, where one voice does.
///
/// # Errors
/// Its name is no id.
pub(super) fn voice_id() -> Result<NodeId, String> {
    node_id("voice")
}

fn level(crew: &Arc<Crew>, keys: &mut Vec<String>) -> Result<Graph, String> {
    keys.push(crew.course_key().to_owned());
    let mut graph = Graph::new();
    let tier = leading_tier(&crew.team.conduct);
    let kind = if tier.is_some() { NodeKind::Agent } else { NodeKind::Code };
    graph.node(
        planned(&crew.lead, "Who speaks next".to_owned(), "manager", kind, tier),
        LeadWork(crew.clone()),
    );
    for (number, (participant, id)) in crew.team.participants.iter().zip(&crew.nodes).enumerate() {
        add(&mut graph, crew, number, participant, id, keys)?;
    }
    let voice = if crew.society().is_some() {
        let voice = voice_id()?;
        let plan = planned(&voice, "One answer".to_owned(), "assistant", NodeKind::Agent, Some(Tier::Mid));
        graph.node(plan, VoiceWork(crew.clone()));
        Some(voice)
    } else {
        None
    };
    connect(&mut graph, crew, voice);
    Ok(graph)
}

fn add(
    graph: &mut Graph,
    crew: &Arc<Crew>,
    number: usize,
    participant: &Participant,
    id: &NodeId,
    keys: &mut Vec<String>,
) -> Result<(), String> {
    let (label, name) = (line(&participant.name, 60), participant.name.clone());
    match &participant.role {
        Role::Assistant(assistant) => {
            let plan = planned(id, label, "assistant", NodeKind::Agent, Some(Tier::Mid));
            let assistant = assistant.as_ref().clone();
            graph.node(plan, AssistantWork { crew: crew.clone(), name, assistant });
        }
        Role::UserProxy => {
            let plan = planned(id, label, "person", NodeKind::Person, None);
            graph.node(plan, PersonWork { crew: crew.clone(), name });
        }
        Role::SocietyOfMind(_) | Role::Team { .. } => {
            let inner = crew.within(number).ok_or_else(|| format!("“{label}” is no team."))??;
            let inner = Arc::new(inner);
            let inside = level(&inner, keys)?;
            let plan = planned(id, label, "manager", NodeKind::Code, None);
            graph
                .group(plan, inside, move |state| inner.conclude(state))
                .map_err(|error| error.to_string())?;
        }
        Role::Unknown { .. } | Role::Missing { .. } => {
            return Err(format!(
                "It is not known what “{label}” is. Replace it by an assistant or a person."
            ));
        }
    }
    Ok(())
}

/// Draws who may follow whom. Which way is taken is known only at work.
fn connect(graph: &mut Graph, crew: &Crew, voice: Option<NodeId>) {
    let speaks = |id: &NodeId| Route {
        to: id.clone(),
        kind: EdgeKind::Conditional,
        condition: "speaks next".to_owned(),
    };
    let answers =
        voice.map(|to| Route { to, kind: EdgeKind::Conditional, condition: "the team has ended".to_owned() });
    graph.routes(&crew.lead, crew.nodes.iter().map(speaks).chain(answers));
    for id in &crew.nodes {
        let to = crew.lead.clone();
        graph.routes(id, [Route { to, kind: EdgeKind::Loop, condition: "the turn is over".to_owned() }]);
    }
}

/// The tier of the model that leads, where one does.
fn leading_tier(conduct: &Conduct) -> Option<Tier> {
    match conduct {
        Conduct::Selector(_) => Some(Tier::Quick),
        Conduct::MagenticOne(_) => Some(Tier::Deep),
        Conduct::Steps(steps) => {
            let is_led = matches!(steps.process, Process::Hierarchical { lead: None, .. });
            is_led.then_some(Tier::Quick)
        }
        Conduct::RoundRobin | Conduct::Swarm | Conduct::GraphFlow { .. } | Conduct::Unknown { .. } => None,
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
