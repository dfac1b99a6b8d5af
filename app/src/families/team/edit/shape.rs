//! Who hands to whom in a team, read from its JSON as it stands, whatever is wrong with it: nodes and edges for the
//! drawing of graphs that runs have, and the same in words.

use std::collections::{BTreeSet, HashMap};

use protocol::{EdgeAdded, EdgeKind, NodeAdded, NodeId, NodeKind};
use serde_json::Value;

use super::change::{self, graph};
use crate::{
    components::icon::IconName,
    graph::{layout::Layout, tree::Tree},
};

/// Participants that are drawn at most, those of inner teams included.
const MOST_DRAWN: usize = 120;
/// Teams within each other that are drawn at most.
const DEEPEST: usize = 4;

/// A team as a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Who takes part, and whoever leads.
    pub(super) nodes: Vec<Drawn>,
    edges: Vec<EdgeAdded>,
    /// Participants that are not drawn, as there are too many.
    pub(super) left_out: usize,
}

/// A node with what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawn {
    pub(super) plan: NodeAdded,
    /// The sign of what it is.
    pub(super) icon: IconName,
    /// Where in the document it is said.
    pub(super) place: String,
    /// What it is, in a few words.
    pub(super) what: String,
}

/// A way that is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) line: String,
    pub(super) head: String,
    /// Whether it is taken only sometimes.
    pub(super) is_conditional: bool,
    /// Who hands to whom and when.
    pub(super) words: String,
}

impl Shape {
    /// The team at this place of a document.
    pub(super) fn of(document: &Value, place: &str) -> Self {
        let mut shape = Self::default();
        if let Some(team) = document.pointer(place) {
            shape.team(team, place, None, DEEPEST);
        }
        shape
    }

    /// Where all stands, with every inner team open.
    pub(super) fn layout(&self) -> Layout {
        let nodes: Vec<&NodeAdded> = self.nodes.iter().map(|node| &node.plan).collect();
        let tree = Tree::new(&nodes);
        let groups: BTreeSet<usize> = (0..nodes.len()).filter(|node| tree.is_group(*node)).collect();
        Layout::new(&nodes, &self.edges.iter().collect::<Vec<_>>(), &tree, &groups)
    }

    /// The ways as a layout has them.
    pub(super) fn ways(&self, layout: &Layout) -> Vec<Way> {
        let ways = layout.wires.iter().map(|wire| {
            let edges = || wire.edges.iter().filter_map(|edge| self.edges.get(*edge));
            let words: Vec<String> = edges().map(|edge| self.in_words(edge)).collect();
            Way {
                line: wire.line.clone(),
                head: wire.head.clone(),
                is_conditional: edges().all(|edge| edge.condition.is_some()),
                words: words.join("; "),
            }
        });
        ways.collect()
    }

    /// Every way in words, in the order of the team.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.edges.iter().map(|edge| self.in_words(edge)).collect()
    }

    fn in_words(&self, edge: &EdgeAdded) -> String {
        let label = |id: &NodeId| {
            let found = self.nodes.iter().find(|node| node.plan.id == *id);
            found.map(|node| node.plan.label.as_str()).unwrap_or_default()
        };
        let way = format!("{} → {}", label(&edge.from), label(&edge.to));
        match &edge.condition {
            Some(condition) => format!("{way}, {condition}"),
            None => way,
        }
    }

    fn team(&mut self, team: &Value, place: &str, within: Option<&NodeId>, levels: usize) {
        let conduct = team.get("conduct").unwrap_or(&Value::Null);
        let kind = conduct.get("kind").and_then(Value::as_str).unwrap_or_default();
        let names = change::names(team);
        let depths = depths(kind, team, &names);
        let lead = match kind {
            "selector" => Some(("Selector", "A model chooses who speaks")),
            "magentic_one" => Some(("Orchestrator", "A model plans and leads")),
            "steps" if conduct.pointer("/process/kind").and_then(Value::as_str) == Some("hierarchical") => {
                conduct.pointer("/process/lead").is_none().then_some(("Lead", "A model says who does a step"))
            }
            _ => None,
        };
        let lead = lead.and_then(|(label, what)| {
            let id = id_within(within, "lead")?;
            let plan = planned(&id, label, 0);
            self.nodes.push(Drawn { plan, icon: IconName::Route, place: format!("{place}/conduct"), what: what.to_owned() });
            Some(id)
        });
        let mut ids = Vec::new();
        for (number, participant) in change::participants(team).iter().enumerate() {
            let id = id_within(within, &(number + 1).to_string());
            let Some(id) = id.filter(|_| self.nodes.len() < MOST_DRAWN) else {
                self.left_out += 1;
                ids.push(None);
                continue;
            };
            let role = participant.get("role").unwrap_or(&Value::Null);
            let role_kind = role.get("kind").and_then(Value::as_str).unwrap_or_default();
            let (icon, what) = match role_kind {
                "assistant" => (IconName::Robot, "Agent"),
                "user_proxy" => (IconName::Person, "Person"),
                "society_of_mind" => (IconName::People, "Team with one voice"),
                "team" => (IconName::People, "Team"),
                _ => (IconName::Help, "Of an unknown kind"),
            };
            let description = participant.get("description").and_then(Value::as_str).unwrap_or_default();
            let what = if description.is_empty() { what } else { description };
            let phase = depths.get(number).copied().unwrap_or_default() + usize::from(lead.is_some());
            let name = names.get(number).map(String::as_str).unwrap_or_default();
            let at = format!("{place}/participants/{number}");
            let plan = planned(&id, name, phase);
            self.nodes.push(Drawn { plan, icon, place: at.clone(), what: what.to_owned() });
            ids.push(Some(id.clone()));
            if let Some(inner) = role.get("team").filter(|_| levels > 0) {
                self.team(inner, &format!("{at}/role/team"), Some(&id), levels - 1);
            }
        }
        self.ways_of(&Level { team, kind, conduct, names, depths, ids, lead });
    }

    /// The ways between those of one team.
    fn ways_of(&mut self, level: &Level<'_>) {
        let Level { team, kind, conduct, names, depths, ids, lead } = level;
        let by_name = |name: &str| names.iter().position(|known| known == name);
        let id = |number: usize| ids.get(number).cloned().flatten();
        match (*kind, lead) {
            (_, Some(lead)) => {
                let condition = match *kind {
                    "selector" => "where the model names it",
                    "steps" => "where the model gives it a step",
                    _ => "where the plan needs it",
                };
                ids.iter().flatten().for_each(|to| self.way(lead, to, EdgeKind::Flow, Some(condition.to_owned())));
            }
            ("round_robin", None) => {
                let count = ids.len();
                for number in 0..count {
                    let next = (number + 1) % count;
                    if let (Some(from), Some(to), true) = (id(number), id(next), count > 1) {
                        let kind = if next == 0 { EdgeKind::Loop } else { EdgeKind::Flow };
                        self.way(&from, &to, kind, (next == 0).then(|| "until the team ends".to_owned()));
                    }
                }
            }
            ("swarm", None) => {
                for (number, participant) in change::participants(team).iter().enumerate() {
                    let handoffs = participant.pointer("/role/handoffs").and_then(Value::as_array);
                    for handoff in handoffs.into_iter().flatten() {
                        let target = handoff.get("target").and_then(Value::as_str).and_then(by_name);
                        if let (Some(from), Some(to)) = (id(number), target.and_then(id)) {
                            let kind = if target <= Some(number) { EdgeKind::Loop } else { EdgeKind::Flow };
                            self.way(&from, &to, kind, Some("where it hands over".to_owned()));
                        }
                    }
                }
            }
            ("graph_flow", None) => {
                for (node, edge) in graph::edges(team) {
                    let target = edge.get("target").and_then(Value::as_str).and_then(by_name);
                    let Some((from, to)) = by_name(node).zip(target) else { continue };
                    if let (Some(from_id), Some(to_id)) = (id(from), id(to)) {
                        let text = edge.get("condition").and_then(Value::as_str);
                        let condition = text.map(|text| format!("where the message has “{text}”"));
                        let kind = if depths.get(to) <= depths.get(from) { EdgeKind::Loop } else { EdgeKind::Flow };
                        self.way(&from_id, &to_id, kind, condition);
                    }
                }
            }
            ("steps", None) => {
                let steps = conduct.get("steps").and_then(Value::as_array);
                let agents = steps.into_iter().flatten().map(|step| step.get("agent")?.as_str().and_then(by_name));
                let agents: Vec<Option<usize>> = agents.collect();
                for pair in agents.windows(2) {
                    let [Some(from), Some(to)] = *pair else { continue };
                    if let (Some(from_id), Some(to_id)) = (id(from), id(to)) {
                        let kind = if to <= from { EdgeKind::Loop } else { EdgeKind::Flow };
                        self.way(&from_id, &to_id, kind, None);
                    }
                }
            }
            _ => {}
        }
    }

    fn way(&mut self, from: &NodeId, to: &NodeId, kind: EdgeKind, condition: Option<String>) {
        self.edges.push(EdgeAdded { from: from.clone(), to: to.clone(), kind, condition });
    }
}

/// One team of those that are drawn, with the ids of its participants: `None` for those that are left out.
struct Level<'t> {
    team: &'t Value,
    kind: &'t str,
    conduct: &'t Value,
    names: Vec<String>,
    depths: Vec<usize>,
    ids: Vec<Option<NodeId>>,
    lead: Option<NodeId>,
}

fn planned(id: &NodeId, label: &str, column: usize) -> NodeAdded {
    NodeAdded {
        id: id.clone(),
        label: if label.trim().is_empty() { "(without a name)".to_owned() } else { label.to_owned() },
        role: "agent".to_owned(),
        kind: NodeKind::Agent,
        phase: column.to_string(),
        scope: None,
        owner: None,
        tier: None,
        planned_visits: 1,
    }
}

fn id_within(within: Option<&NodeId>, name: &str) -> Option<NodeId> {
    let name: NodeId = name.parse().ok()?;
    match within {
        Some(outer) => outer.within(&name).ok(),
        None => Some(name),
    }
}

/// How many ways lead to each participant of a graph at most, without those that lead back; 0 for all in other teams,
/// which stand below one another.
fn depths(kind: &str, team: &Value, names: &[String]) -> Vec<usize> {
    let mut depths = vec![0; names.len()];
    if kind != "graph_flow" {
        return depths;
    }
    let places: HashMap<&str, usize> = names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let mut next = vec![Vec::new(); names.len()];
    let mut has_source = vec![false; names.len()];
    for (from, edge) in graph::edges(team) {
        let target = edge.get("target").and_then(Value::as_str);
        if let Some((from, to)) = places.get(from).zip(target.and_then(|target| places.get(target))) {
            next[*from].push(*to);
            has_source[*to] = true;
        }
    }
    let start = team.pointer("/conduct/graph/start").and_then(Value::as_str).and_then(|start| places.get(start));
    let free = (0..names.len()).filter(|node| !has_source[*node]);
    let beginnings: Vec<usize> = start.copied().into_iter().chain(free).chain(0..names.len()).collect();
    // The nodes from the last to the first: an edge to one that is still open leads back.
    let (mut state, mut order) = (vec![0_u8; names.len()], Vec::new());
    let mut onward = vec![Vec::new(); names.len()];
    for beginning in beginnings {
        let mut open = vec![(beginning, 0)];
        while let Some((node, edge)) = open.pop() {
            if edge == 0 {
                if state[node] != 0 {
                    continue;
                }
                state[node] = 1;
            }
            match next[node].get(edge) {
                Some(to) => {
                    open.push((node, edge + 1));
                    if state[*to] != 1 {
                        onward[node].push(*to);
                    }
                    if state[*to] == 0 {
                        open.push((*to, 0));
                    }
                }
                None => {
                    state[node] = 2;
                    order.push(node);
                }
            }
        }
    }
    for node in order.into_iter().rev() {
        for to in &onward[node] {
            depths[*to] = depths[*to].max(depths[node] + 1);
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(team: Value) -> Shape {
        Shape::of(&json!({ "team": team }), "/team")
    }

    fn agents(names: &[&str]) -> Vec<Value> {
        names.iter().map(|name| json!({ "name": name, "role": { "kind": "assistant" } })).collect()
    }

    #[test]
    fn who_speaks_in_turn_is_a_ring_and_whom_a_model_chooses_hangs_on_it() {
        let ring = shape(json!({ "conduct": { "kind": "round_robin" }, "participants": agents(&["a", "b", "c"]) }));
        assert_eq!(ring.sentences(), ["a → b", "b → c", "c → a, until the team ends"]);
        let chosen = shape(json!({ "conduct": { "kind": "selector" }, "participants": agents(&["a", "b"]) }));
        assert_eq!(
            chosen.sentences(),
            ["Selector → a, where the model names it", "Selector → b, where the model names it"]
        );
        assert_eq!(chosen.nodes[0].place, "/team/conduct");
        assert_eq!(chosen.nodes[2].place, "/team/participants/1");
        // One alone hands to nobody.
        assert!(shape(json!({ "conduct": { "kind": "round_robin" }, "participants": agents(&["a"]) })).edges.is_empty());
    }

    #[test]
    fn a_swarm_is_drawn_by_its_handoffs() {
        let mut participants = agents(&["a", "b"]);
        participants[0]["role"]["handoffs"] = json!([{ "target": "b" }, { "target": "nobody" }]);
        participants[1]["role"]["handoffs"] = json!([{ "target": "a" }]);
        let swarm = shape(json!({ "conduct": { "kind": "swarm" }, "participants": participants }));
        assert_eq!(swarm.sentences(), ["a → b, where it hands over", "b → a, where it hands over"]);
        assert_eq!(swarm.layout().wires.len(), 2, "both directions");
    }

    fn graph(edges: &[(&str, &str, Option<&str>)], names: &[&str]) -> Shape {
        let nodes = names.iter().map(|name| {
            let own = edges.iter().filter(|(from, ..)| from == name);
            let own = own.map(|(_, to, condition)| json!({ "target": to, "group": to, "condition": condition }));
            json!({ "name": name, "edges": own.collect::<Vec<_>>() })
        });
        let nodes: Vec<Value> = nodes.collect();
        shape(json!({ "conduct": { "kind": "graph_flow", "graph": { "nodes": nodes } }, "participants": agents(names) }))
    }

    fn columns(shape: &Shape) -> Vec<&str> {
        shape.nodes.iter().map(|node| node.plan.phase.as_str()).collect()
    }

    #[test]
    fn a_graph_stands_in_columns_by_what_leads_to_whom_with_its_conditions() {
        let edges = [("d", "e", None), ("a", "b", None), ("a", "c", None), ("b", "d", None), ("c", "d", None), ("a", "d", None)];
        assert_eq!(columns(&graph(&edges, &["e", "d", "a", "b", "c"])), ["3", "2", "0", "1", "1"]);
        let looped = graph(&[("a", "b", None), ("b", "a", Some("MORE")), ("b", "c", Some("DONE"))], &["a", "b", "c"]);
        assert_eq!(columns(&looped), ["0", "1", "2"]);
        assert_eq!(
            looped.sentences(),
            ["a → b", "b → a, where the message has “MORE”", "b → c, where the message has “DONE”"]
        );
        let layout = looped.layout();
        let ways = looped.ways(&layout);
        assert_eq!(ways.iter().filter(|way| way.is_conditional).count(), 2);
    }

    #[test]
    fn a_team_within_a_team_stands_in_its_frame() {
        let inner = json!({ "conduct": { "kind": "round_robin" }, "participants": agents(&["x", "y"]) });
        let mut participants = agents(&["a"]);
        participants.push(json!({ "name": "board", "role": { "kind": "society_of_mind", "team": inner } }));
        let nested = shape(json!({ "conduct": { "kind": "round_robin" }, "participants": participants }));
        let layout = nested.layout();
        assert_eq!((layout.cards.len(), layout.frames.len()), (3, 1));
        assert_eq!(nested.nodes[2].place, "/team/participants/1/role/team/participants/0");
        assert!(nested.sentences().contains(&"x → y".to_owned()));
    }

    #[test]
    fn whatever_stands_there_is_drawn_or_left_out_and_nothing_breaks() {
        for odd in [json!(null), json!({ "participants": 7 }), json!({ "participants": [7, null], "conduct": 7 })] {
            assert!(shape(odd).edges.is_empty());
        }
        let many: Vec<String> = (0..MOST_DRAWN + 30).map(|number| format!("a{number}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        let edges: Vec<_> = names.iter().flat_map(|from| names.iter().map(|to| (*from, *to, None))).collect();
        let dense = graph(&edges[..8_000], &names);
        assert_eq!((dense.nodes.len(), dense.left_out), (MOST_DRAWN, 30));
        let deep = (0..40).fold(json!({ "participants": agents(&["x"]) }), |inner, _| {
            json!({ "participants": [{ "name": "t", "role": { "kind": "team", "team": inner } }] })
        });
        assert_eq!(shape(deep).nodes.len(), DEEPEST + 1);
    }
}
