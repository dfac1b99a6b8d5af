//! Changes of a team's JSON that are more than one field: who is named elsewhere is named so there as well.
//!
//! All take the object of a team, whatever stands in it, and leave alone what is not as it should be.

use serde_json::{Map, Value, json};

/// The most levels of conditions within each other that are gone through.
const DEEPEST: usize = 32;

/// The participants of a team.
pub(super) fn participants(team: &Value) -> &[Value] {
    team.get("participants").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The names of the participants, in their order.
pub(super) fn names(team: &Value) -> Vec<String> {
    let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    participants(team).iter().map(name).collect()
}

/// Adds an assistant with a name that nobody has.
pub(super) fn add_agent(team: &mut Value) {
    let known = names(team);
    let free = (known.len() + 1..).map(|number| format!("agent_{number}")).find(|name| !known.contains(name));
    let Some((name, participants)) = free.zip(list_mut(team, "/participants")) else { return };
    participants.push(json!({ "name": name, "role": { "kind": "assistant" } }));
    if let Some(nodes) = list_mut(team, "/conduct/graph/nodes") {
        nodes.push(json!({ "name": name, "edges": [] }));
    }
}

/// Takes a participant out, with what leads to it in a graph.
pub(super) fn remove_agent(team: &mut Value, number: usize) {
    let Some(name) = names(team).into_iter().nth(number) else { return };
    if let Some(participants) = list_mut(team, "/participants") {
        participants.remove(number);
    }
    if names(team).contains(&name) {
        return;
    }
    if let Some(nodes) = list_mut(team, "/conduct/graph/nodes") {
        nodes.retain(|node| node.get("name").and_then(Value::as_str) != Some(&name));
        for edges in nodes.iter_mut().filter_map(|node| list_mut(node, "/edges")) {
            edges.retain(|edge| edge.get("target").and_then(Value::as_str) != Some(&name));
        }
    }
    if team.pointer("/conduct/graph/start").and_then(Value::as_str) == Some(&name) {
        set_graph_start(team, None);
    }
}

/// Lets two participants change places.
pub(super) fn swap_agents(team: &mut Value, one: usize, other: usize) {
    if let Some(participants) = list_mut(team, "/participants")
        && one.max(other) < participants.len()
    {
        participants.swap(one, other);
    }
}

/// Gives a participant another name. Where it is known by `known_as`, it is known by the new one from then on; unless
/// somebody else has that name, or it is none: both would become one.
pub(super) fn rename_agent(team: &mut Value, number: usize, known_as: &str, name: &str) {
    let is_taken = names(team).iter().enumerate().any(|(other, taken)| other != number && taken == name);
    let Some(Value::Object(participant)) = team.pointer_mut(&format!("/participants/{number}")) else { return };
    participant.insert("name".to_owned(), name.into());
    if is_taken || name.is_empty() || known_as.is_empty() {
        return;
    }
    let rename = |value: &mut Value| {
        if value.as_str() == Some(known_as) {
            *value = name.into();
        }
    };
    for node in list_mut(team, "/conduct/graph/nodes").into_iter().flatten() {
        node.get_mut("name").into_iter().for_each(rename);
        for edge in list_mut(node, "/edges").into_iter().flatten() {
            edge.get_mut("target").into_iter().for_each(rename);
            edge.get_mut("group").into_iter().for_each(rename);
        }
    }
    for place in ["/conduct/graph/start", "/conduct/process/lead"] {
        team.pointer_mut(place).into_iter().for_each(rename);
    }
    for step in list_mut(team, "/conduct/steps").into_iter().flatten() {
        step.get_mut("agent").into_iter().for_each(rename);
    }
    for participant in list_mut(team, "/participants").into_iter().flatten() {
        for handoff in list_mut(participant, "/role/handoffs").into_iter().flatten() {
            handoff.get_mut("target").into_iter().for_each(rename);
        }
    }
    if let Some(condition) = team.get_mut("termination") {
        rename_in_condition(condition, &rename, DEEPEST);
    }
}

fn rename_in_condition(condition: &mut Value, rename: &impl Fn(&mut Value), levels: usize) {
    condition.get_mut("target").into_iter().for_each(rename);
    condition.get_mut("source").into_iter().for_each(rename);
    list_mut(condition, "/sources").into_iter().flatten().for_each(rename);
    if levels > 0 {
        for inner in list_mut(condition, "/conditions").into_iter().flatten() {
            rename_in_condition(inner, rename, levels - 1);
        }
    }
}

/// Chooses another way to say who speaks next. What both ways have in common stays; a graph begins as a chain of all.
pub(super) fn choose_conduct(team: &mut Value, kind: &str) {
    let mut conduct = Map::new();
    conduct.insert("kind".to_owned(), kind.into());
    match kind {
        "graph_flow" => {
            let names = names(team);
            let followers = names.iter().skip(1).map(Some).chain([None]);
            let nodes = names.iter().zip(followers).map(|(name, next)| {
                let edges: Vec<Value> = next.into_iter().map(|next| edge(next)).collect();
                json!({ "name": name, "edges": edges })
            });
            conduct.insert("graph".to_owned(), json!({ "nodes": nodes.collect::<Vec<_>>() }));
        }
        "selector" | "magentic_one" => {
            for field in ["model", "profile"] {
                if let Some(value) = team.pointer(&format!("/conduct/{field}")) {
                    conduct.insert(field.to_owned(), value.clone());
                }
            }
        }
        _ => {}
    }
    if let Value::Object(team) = team {
        team.insert("conduct".to_owned(), Value::Object(conduct));
    }
}

/// An edge to this one, without a condition. Edges to one node belong together by its name, as AutoGen has it.
fn edge(target: &str) -> Value {
    json!({ "target": target, "group": target })
}

/// Adds an edge from a node of the graph: to the first participant that it does not lead to yet.
pub(super) fn add_edge(team: &mut Value, node: usize) {
    let names = names(team);
    let Some(node) = team.pointer_mut(&format!("/conduct/graph/nodes/{node}")) else { return };
    let own = node.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let edges = node.get("edges").and_then(Value::as_array);
    let targets = edges.into_iter().flatten().filter_map(|edge| edge.get("target").and_then(Value::as_str));
    let targets: Vec<&str> = targets.collect();
    let is_new = |name: &&String| **name != own && !targets.contains(&name.as_str());
    let Some(target) = names.iter().find(is_new).or_else(|| names.first()).map(|target| edge(target)) else {
        return;
    };
    let Value::Object(node) = node else { return };
    let edges = node.entry("edges").or_insert_with(|| json!([]));
    if let Value::Array(edges) = edges {
        edges.push(target);
    }
}

/// Takes an edge out of the graph.
pub(super) fn remove_edge(team: &mut Value, node: usize, edge: usize) {
    if let Some(edges) = list_mut(team, &format!("/conduct/graph/nodes/{node}/edges"))
        && edge < edges.len()
    {
        edges.remove(edge);
    }
}

/// Lets an edge lead to another participant. It belongs together with the others to that one then, unless its group has
/// a name of its own.
pub(super) fn lead_edge_to(team: &mut Value, node: usize, edge: usize, target: &str) {
    let place = format!("/conduct/graph/nodes/{node}/edges/{edge}");
    let Some(Value::Object(edge)) = team.pointer_mut(&place) else { return };
    let is_usual = edge.get("group").is_none_or(|group| Some(group) == edge.get("target"));
    if is_usual {
        edge.insert("group".to_owned(), target.into());
    }
    edge.insert("target".to_owned(), target.into());
}

/// Says who begins in a graph; `None`: all that follow nobody.
pub(super) fn set_graph_start(team: &mut Value, start: Option<&str>) {
    let Some(Value::Object(graph)) = team.pointer_mut("/conduct/graph") else { return };
    match start {
        Some(start) => drop(graph.insert("start".to_owned(), start.into())),
        None => drop(graph.remove("start")),
    }
}

fn list_mut<'v>(value: &'v mut Value, place: &str) -> Option<&'v mut Vec<Value>> {
    value.pointer_mut(place).and_then(Value::as_array_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Value {
        let mut team = json!({ "participants": [{ "name": "a" }, { "name": "b" }, { "name": "c" }] });
        choose_conduct(&mut team, "graph_flow");
        team
    }

    fn edges(team: &Value) -> Vec<(String, String)> {
        let nodes = team.pointer("/conduct/graph/nodes").and_then(Value::as_array).unwrap();
        let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
        let edges = nodes.iter().flat_map(|node| {
            node["edges"].as_array().unwrap().iter().map(|edge| (text(node, "name"), text(edge, "target")))
        });
        edges.collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    #[test]
    fn a_graph_begins_as_a_chain_and_gets_and_loses_edges() {
        let mut team = graph();
        assert_eq!(edges(&team), pairs(&[("a", "b"), ("b", "c")]));
        add_edge(&mut team, 0);
        assert_eq!(edges(&team), pairs(&[("a", "b"), ("a", "c"), ("b", "c")]));
        lead_edge_to(&mut team, 0, 1, "a");
        assert_eq!(team["conduct"]["graph"]["nodes"][0]["edges"][1], json!({ "target": "a", "group": "a" }));
        remove_edge(&mut team, 0, 0);
        remove_edge(&mut team, 0, 7);
        assert_eq!(edges(&team), pairs(&[("a", "a"), ("b", "c")]));
    }

    #[test]
    fn the_group_of_an_edge_stays_where_it_has_a_name_of_its_own() {
        let mut team = graph();
        team["conduct"]["graph"]["nodes"][0]["edges"][0]["group"] = json!("both");
        lead_edge_to(&mut team, 0, 0, "c");
        assert_eq!(team["conduct"]["graph"]["nodes"][0]["edges"][0], json!({ "target": "c", "group": "both" }));
    }

    #[test]
    fn agents_that_come_and_go_are_nodes_of_the_graph_as_well() {
        let mut team = graph();
        add_agent(&mut team);
        assert_eq!(names(&team), ["a", "b", "c", "agent_4"]);
        assert_eq!(team["conduct"]["graph"]["nodes"][3]["name"], "agent_4");
        set_graph_start(&mut team, Some("b"));
        remove_agent(&mut team, 1);
        assert_eq!((names(&team).join(" "), edges(&team)), ("a c agent_4".to_owned(), Vec::new()));
        assert_eq!(team["conduct"]["graph"].get("start"), None);
        // A name that was given already is not given twice.
        remove_agent(&mut team, 0);
        add_agent(&mut team);
        add_agent(&mut team);
        assert_eq!(names(&team), ["c", "agent_4", "agent_3", "agent_5"]);
    }

    #[test]
    fn whoever_is_renamed_is_known_by_the_new_name_everywhere() {
        let mut team = graph();
        team["participants"][2]["role"] = json!({ "handoffs": [{ "target": "b" }, { "target": "a" }] });
        team["termination"] = json!({ "kind": "any", "conditions": [
            { "kind": "source_match", "sources": ["a", "b"] }, { "kind": "handoff", "target": "b" },
            { "kind": "text_mention", "text": "b" }] });
        rename_agent(&mut team, 1, "b", "editor");
        assert_eq!(names(&team), ["a", "editor", "c"]);
        assert_eq!(edges(&team), pairs(&[("a", "editor"), ("editor", "c")]));
        assert_eq!(team["conduct"]["graph"]["nodes"][0]["edges"][0]["group"], "editor");
        let handoffs = &team["participants"][2]["role"]["handoffs"];
        assert_eq!((&handoffs[0]["target"], &handoffs[1]["target"]), (&json!("editor"), &json!("a")));
        let conditions = &team["termination"]["conditions"];
        assert_eq!(conditions[0]["sources"], json!(["a", "editor"]));
        assert_eq!((&conditions[1]["target"], &conditions[2]["text"]), (&json!("editor"), &json!("b")));
    }

    #[test]
    fn a_name_that_is_another_ones_while_it_is_typed_takes_nothing_from_that_one() {
        let mut team = graph();
        rename_agent(&mut team, 1, "b", "c");
        assert_eq!(edges(&team), pairs(&[("a", "b"), ("b", "c")]), "both are called c for the moment");
        rename_agent(&mut team, 1, "b", "");
        rename_agent(&mut team, 1, "b", "co");
        assert_eq!(edges(&team), pairs(&[("a", "co"), ("co", "c")]));
    }

    #[test]
    fn another_way_to_choose_keeps_the_model_that_leads() {
        let mut team = json!({ "participants": [], "conduct": {
            "kind": "selector", "model": { "model": "m" }, "profile": "mid", "prompt": "Choose." } });
        choose_conduct(&mut team, "magentic_one");
        assert_eq!(
            team["conduct"],
            json!({ "kind": "magentic_one", "model": { "model": "m" }, "profile": "mid" })
        );
        choose_conduct(&mut team, "round_robin");
        assert_eq!(team["conduct"], json!({ "kind": "round_robin" }));
    }

    #[test]
    fn what_is_no_team_is_left_alone() {
        for odd in [json!(null), json!([]), json!({ "participants": 7, "conduct": [], "termination": "x" })] {
            let mut team = odd.clone();
            add_agent(&mut team);
            remove_agent(&mut team, 0);
            swap_agents(&mut team, 0, 1);
            rename_agent(&mut team, 0, "a", "b");
            add_edge(&mut team, 0);
            remove_edge(&mut team, 0, 0);
            lead_edge_to(&mut team, 0, 0, "a");
            set_graph_start(&mut team, Some("a"));
            assert_eq!(team, odd);
        }
    }
}
