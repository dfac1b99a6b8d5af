//! Teams.

use serde_json::Value;

use super::{agent, condition, envelope::Envelope, fields::Fields, importer::Importer, kind::Kind, model};
use crate::{
    finding::{Problem, shown},
    limits::{DEEPEST_TEAM, MOST_PARTICIPANTS},
    place::{Place, Spot},
    speaking::{FINAL_ANSWER, SELECT_SPEAKER},
    team::{Activation, Conduct, Edge, Graph, GraphNode, Kept, MagenticOne, Selector, Team},
};

/// A team, `depth` levels within others.
pub(super) fn read(mut envelope: Envelope, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Team {
    importer.origin(spot);
    let name = name(&envelope, importer);
    let config = &mut envelope.config;
    config.take("name");
    let description = config.filled_text("description", importer);
    let participants = participants(config, spot, depth, importer);
    let termination = config.take("termination_condition").and_then(|value| {
        let spot = spot.part(["config", "termination_condition"], ["termination"]);
        condition::open(&value, &spot, importer)
    });
    let max_turns = config.small_count("max_turns", importer);
    let emit_team_events = config.truth("emit_team_events", importer).unwrap_or_default();
    let conduct = conduct(&mut envelope, spot, importer);
    let from_outside = envelope.description.take();
    let (conduct, kept) = match conduct {
        Some(conduct) => (conduct, envelope.rest(importer)),
        None => {
            let (provider, config) = envelope.into_kept();
            (Conduct::Unknown { provider, config }, Kept::new())
        }
    };
    let description = description.filter(|text| text != "A team of agents.").or(from_outside);
    Team {
        name,
        description: description.unwrap_or_default(),
        conduct,
        participants,
        termination,
        max_turns: max_turns.filter(|turns| *turns > 0),
        emit_team_events,
        kept,
    }
}

/// The label first. What AutoGen writes as a name is that of the class.
fn name(envelope: &Envelope, importer: &Importer<'_>) -> String {
    let is_own = |name: &&str| !name.trim().is_empty() && *name != envelope.class;
    let in_config = envelope.config.get("name").and_then(Value::as_str).filter(is_own);
    let named = envelope.own_label().or(in_config).map(str::to_owned);
    let named = named.or_else(|| Some(importer.title()).filter(|title| !title.is_empty()));
    named
        .unwrap_or_else(|| if envelope.class.is_empty() { "Team".to_owned() } else { envelope.class.clone() })
}

fn participants(
    config: &mut Fields,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Vec<crate::team::Participant> {
    let place = config.place.at("participants");
    let values = config.list("participants", importer).unwrap_or_default();
    if values.len() > MOST_PARTICIPANTS {
        importer.tell(&place, Problem::TooManyParticipants { count: values.len() });
    }
    let mut participants = Vec::new();
    for (number, value) in values.iter().enumerate().take(MOST_PARTICIPANTS) {
        let spot = Spot {
            file: place.at(number),
            document: spot.document.at("participants").at(participants.len()),
        };
        participants.extend(agent::open(value, &spot, depth, importer));
    }
    participants
}

/// Who speaks next; `None` for a kind that is not known.
fn conduct(envelope: &mut Envelope, spot: &Spot, importer: &mut Importer<'_>) -> Option<Conduct> {
    let (class, config) = (envelope.class.as_str(), &mut envelope.config);
    let is_unclear = Kind::of_class(class) != Some(Kind::Team);
    let spot = spot.part(["config"], ["conduct"]);
    Some(match class {
        "RoundRobinGroupChat" => Conduct::RoundRobin,
        "Swarm" => Conduct::Swarm,
        "SelectorGroupChat" => Conduct::Selector(selector(config, &spot, importer)),
        "MagenticOneGroupChat" => Conduct::MagenticOne(magentic_one(config, &spot, importer)),
        "GraphFlow" => Conduct::GraphFlow { graph: graph(config, importer) },
        _ if is_unclear && config.has("graph") => Conduct::GraphFlow { graph: graph(config, importer) },
        _ if is_unclear && config.has("selector_prompt") => {
            Conduct::Selector(selector(config, &spot, importer))
        }
        _ if is_unclear && config.has("max_stalls") => {
            Conduct::MagenticOne(magentic_one(config, &spot, importer))
        }
        _ => return None,
    })
}

pub(super) fn selector(config: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Selector {
    Selector {
        model: model::open(config, "model_client", spot, importer),
        profile: None,
        prompt: config.filled_text("selector_prompt", importer).filter(|prompt| prompt != SELECT_SPEAKER),
        allow_repeated_speaker: config.truth("allow_repeated_speaker", importer).unwrap_or_default(),
        max_attempts: config.small_count("max_selector_attempts", importer).unwrap_or(3).max(1),
        streaming: config.truth("model_client_streaming", importer).unwrap_or_default(),
        context: config.take("model_context").map(|value| {
            let spot = spot.part(["model_context"], ["context"]);
            condition::context(&value, &spot, importer)
        }),
    }
}

pub(super) fn magentic_one(config: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> MagenticOne {
    MagenticOne {
        model: model::open(config, "model_client", spot, importer),
        profile: None,
        max_stalls: config.small_count("max_stalls", importer).unwrap_or(3),
        final_answer_prompt: config
            .filled_text("final_answer_prompt", importer)
            .filter(|prompt| prompt != FINAL_ANSWER),
    }
}

fn graph(config: &mut Fields, importer: &mut Importer<'_>) -> Graph {
    let place = config.place.at("graph");
    let mut fields = Fields::new(config.object("graph", importer).unwrap_or_default(), place.clone());
    let nodes = match fields.take("nodes") {
        Some(Value::Object(nodes)) => nodes.into_iter().collect(),
        Some(Value::Array(nodes)) => nodes.into_iter().map(|node| (String::new(), node)).collect(),
        _ => Vec::new(),
    };
    let place = place.at("nodes");
    let nodes = nodes.into_iter().enumerate().filter_map(|(number, (key, node))| {
        let place = if key.is_empty() { place.at(number) } else { place.at(&key) };
        graph_node(key, node, place, importer)
    });
    let nodes = nodes.collect();
    let start = fields.filled_text("default_start_node", importer);
    fields.set_aside(importer);
    Graph { nodes, start }
}

fn graph_node(key: String, node: Value, place: Place, importer: &mut Importer<'_>) -> Option<GraphNode> {
    let Value::Object(node) = node else {
        importer.tell(&place, Problem::Misplaced { expected: "a node" });
        return None;
    };
    let mut fields = Fields::new(node, place.clone());
    let name = fields.filled_text("name", importer).unwrap_or(key);
    let activation = activation(&mut fields, "activation", importer);
    let edges = fields.list("edges", importer).unwrap_or_default();
    let edges = edges
        .into_iter()
        .enumerate()
        .filter_map(|(number, edge)| graph_edge(edge, place.at("edges").at(number), importer));
    let edges = edges.collect();
    Some(GraphNode { name, edges, activation, kept: fields.rest(importer) })
}

fn graph_edge(edge: Value, place: Place, importer: &mut Importer<'_>) -> Option<Edge> {
    let target = edge.get("target").and_then(Value::as_str).map(str::to_owned);
    let (Value::Object(edge), Some(target)) = (edge, target) else {
        importer.tell(&place, Problem::Misplaced { expected: "an edge with its target" });
        return None;
    };
    let mut fields = Fields::new(edge, place);
    fields.take("target");
    let edge = Edge {
        condition: fields.text("condition", importer).filter(|condition| !condition.is_empty()),
        group: fields.filled_text("activation_group", importer).unwrap_or_else(|| target.clone()),
        activation: activation(&mut fields, "activation_condition", importer),
        target,
    };
    // Conditions that are functions of Python have no text, and cannot be written by AutoGen either.
    fields.take("condition_function");
    fields.set_aside(importer);
    Some(edge)
}

fn activation(fields: &mut Fields, key: &str, importer: &mut Importer<'_>) -> Activation {
    match fields.text(key, importer).as_deref() {
        Some("any") => Activation::Any,
        _ => Activation::All,
    }
}

/// Whether teams are too deep within each other here, which is told.
pub(super) fn is_too_deep(depth: usize, place: &Place, importer: &mut Importer<'_>) -> bool {
    let is_too_deep = depth >= DEEPEST_TEAM;
    if is_too_deep {
        importer.tell(place, Problem::TeamTooDeep);
    }
    is_too_deep
}

/// A name for one who has none.
pub(super) fn unnamed(what: &str, place: &Place, importer: &mut Importer<'_>) -> String {
    let given = what.to_owned();
    importer.tell(place, Problem::Unnamed { given: shown(&given) });
    given
}
