//! Changes of a graph: who follows whom, on which condition, and what a node waits for.
//!
//! Edges that lead to one node are counted together by the name of their group, and all of one group wait for the same:
//! all of them, or any. An edge that comes to a group takes over what that waits for.

use serde_json::{Value, json};

use super::{list_mut, names};

/// Edges to one node that are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Group {
    /// Its name; by default the node's.
    pub(in super::super) name: String,
    /// What it waits for, as documents have it.
    pub(in super::super) activation: String,
}

/// A chain of all participants.
pub(super) fn chain(names: &[String]) -> Value {
    let followers = names.iter().skip(1).map(Some).chain([None]);
    let nodes = names.iter().zip(followers).map(|(name, next)| {
        let edges: Vec<Value> = next.into_iter().map(|next| edge(next)).collect();
        json!({ "name": name, "edges": edges })
    });
    json!({ "nodes": nodes.collect::<Vec<_>>() })
}

/// An edge to this one, without a condition. Edges to one node belong together by its name, as AutoGen has it.
fn edge(target: &str) -> Value {
    json!({ "target": target, "group": target })
}

/// Adds an edge from a node of the graph: to the first participant that it does not lead to yet.
pub(in super::super) fn add_edge(team: &mut Value, number: usize) {
    let names = names(team);
    let Some(node) = team.pointer_mut(&format!("/conduct/graph/nodes/{number}")) else { return };
    let own = node.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let edges = node.get("edges").and_then(Value::as_array);
    let targets = edges.into_iter().flatten().filter_map(|edge| edge.get("target").and_then(Value::as_str));
    let targets: Vec<&str> = targets.collect();
    let is_new = |name: &&String| **name != own && !targets.contains(&name.as_str());
    let Some(target) = names.iter().find(is_new).or_else(|| names.first()).map(|target| edge(target)) else {
        return;
    };
    let Value::Object(node) = node else { return };
    let Value::Array(edges) = node.entry("edges").or_insert_with(|| json!([])) else { return };
    edges.push(target);
    let added = edges.len() - 1;
    wait_as_its_group(team, number, added);
}

/// Takes an edge out of the graph.
pub(in super::super) fn remove_edge(team: &mut Value, node: usize, edge: usize) {
    if let Some(edges) = list_mut(team, &format!("/conduct/graph/nodes/{node}/edges"))
        && edge < edges.len()
    {
        edges.remove(edge);
    }
}

/// Lets an edge lead to another participant. It belongs together with the others to that one then, unless its group has
/// a name of its own.
pub(in super::super) fn lead_edge_to(team: &mut Value, node: usize, number: usize, target: &str) {
    let place = format!("/conduct/graph/nodes/{node}/edges/{number}");
    let Some(Value::Object(edge)) = team.pointer_mut(&place) else { return };
    let is_usual = edge.get("group").is_none_or(|group| Some(group) == edge.get("target"));
    if is_usual {
        edge.insert("group".to_owned(), target.into());
    }
    edge.insert("target".to_owned(), target.into());
    wait_as_its_group(team, node, number);
}

/// Counts an edge together with those to the same node that have this group; an empty name is the usual group.
pub(in super::super) fn put_edge_into(team: &mut Value, node: usize, number: usize, group: &str) {
    let place = format!("/conduct/graph/nodes/{node}/edges/{number}");
    let Some(Value::Object(edge)) = team.pointer_mut(&place) else { return };
    let group = if group.is_empty() { edge.get("target").cloned().unwrap_or_default() } else { group.into() };
    edge.insert("group".to_owned(), group);
    wait_as_its_group(team, node, number);
}

/// Says what the edges of a group to a node wait for.
pub(in super::super) fn wait_for(team: &mut Value, target: &str, group: &str, activation: &str) {
    let nodes = list_mut(team, "/conduct/graph/nodes").into_iter().flatten();
    for edge in nodes.filter_map(|node| list_mut(node, "/edges")).flatten() {
        if belongs_to(edge, target, group)
            && let Value::Object(edge) = edge
        {
            edge.insert("activation".to_owned(), activation.into());
        }
    }
}

/// The groups of edges that lead to a node, in their order.
pub(in super::super) fn groups_to(team: &Value, target: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (_, edge) in edges(team).filter(|(_, edge)| text(edge, "target") == target) {
        let name = group_of(edge);
        if groups.iter().all(|group| group.name != name) {
            groups.push(Group { name: name.to_owned(), activation: activation_of(edge).to_owned() });
        }
    }
    groups
}

/// How many edges lead to a node.
pub(in super::super) fn count_to(team: &Value, target: &str) -> usize {
    edges(team).filter(|(_, edge)| text(edge, "target") == target).count()
}

/// The participants that the graph has no node for.
pub(in super::super) fn without_node(team: &Value) -> Vec<String> {
    let nodes = team.pointer("/conduct/graph/nodes").and_then(Value::as_array);
    let known: Vec<&str> = nodes.into_iter().flatten().map(|node| text(node, "name")).collect();
    names(team).into_iter().filter(|name| !name.is_empty() && !known.contains(&name.as_str())).collect()
}

/// Adds a node for a participant.
pub(in super::super) fn add_node(team: &mut Value, name: &str) {
    if let Some(nodes) = list_mut(team, "/conduct/graph/nodes") {
        nodes.push(json!({ "name": name, "edges": [] }));
    }
}

/// Takes a node out, with the edges that leave it. Those that lead to it stay, as other nodes may have its name.
pub(in super::super) fn remove_node(team: &mut Value, node: usize) {
    if let Some(nodes) = list_mut(team, "/conduct/graph/nodes")
        && node < nodes.len()
    {
        nodes.remove(node);
    }
}

/// Takes out whatever has this name: its nodes, the edges to them, the beginning.
pub(super) fn forget(team: &mut Value, name: &str) {
    if let Some(nodes) = list_mut(team, "/conduct/graph/nodes") {
        nodes.retain(|node| text(node, "name") != name);
        for edges in nodes.iter_mut().filter_map(|node| list_mut(node, "/edges")) {
            edges.retain(|edge| text(edge, "target") != name);
        }
    }
    if team.pointer("/conduct/graph/start").and_then(Value::as_str) == Some(name) {
        set_start(team, None);
    }
}

/// Says who begins in a graph; `None`: all that follow nobody.
pub(in super::super) fn set_start(team: &mut Value, start: Option<&str>) {
    let Some(Value::Object(graph)) = team.pointer_mut("/conduct/graph") else { return };
    match start {
        Some(start) => drop(graph.insert("start".to_owned(), start.into())),
        None => drop(graph.shift_remove("start")),
    }
}

/// Lets an edge wait for what the others of its group wait for.
fn wait_as_its_group(team: &mut Value, node: usize, number: usize) {
    let place = format!("/conduct/graph/nodes/{node}/edges/{number}");
    let activation = team.pointer(&place).and_then(|own| {
        let is_other = |edge: &&Value| !std::ptr::eq(*edge, own) && belongs_to(edge, text(own, "target"), group_of(own));
        let other = edges(team).map(|(_, edge)| edge).find(is_other)?;
        (activation_of(other) != activation_of(own)).then(|| activation_of(other).to_owned())
    });
    if let Some(activation) = activation
        && let Some(Value::Object(edge)) = team.pointer_mut(&place)
    {
        edge.insert("activation".to_owned(), activation.into());
    }
}

/// All edges, each with the name of the node that it leaves.
pub(in super::super) fn edges(team: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let nodes = team.pointer("/conduct/graph/nodes").and_then(Value::as_array);
    nodes.into_iter().flatten().flat_map(|node| {
        let edges = node.get("edges").and_then(Value::as_array).into_iter().flatten();
        edges.map(move |edge| (text(node, "name"), edge))
    })
}

fn belongs_to(edge: &Value, target: &str, group: &str) -> bool {
    text(edge, "target") == target && group_of(edge) == group
}

fn group_of(edge: &Value) -> &str {
    edge.get("group").and_then(Value::as_str).unwrap_or_else(|| text(edge, "target"))
}

fn activation_of(edge: &Value) -> &str {
    edge.get("activation").and_then(Value::as_str).unwrap_or("all")
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team() -> Value {
        let names = ["a", "b", "c"].map(str::to_owned);
        json!({ "participants": [{ "name": "a" }, { "name": "b" }, { "name": "c" }],
            "conduct": { "kind": "graph_flow", "graph": chain(&names) } })
    }

    fn pairs(team: &Value) -> Vec<(&str, &str)> {
        edges(team).map(|(from, edge)| (from, text(edge, "target"))).collect()
    }

    fn edge_of(team: &Value, node: usize, edge: usize) -> &Value {
        &team["conduct"]["graph"]["nodes"][node]["edges"][edge]
    }

    #[test]
    fn a_graph_begins_as_a_chain_and_gets_and_loses_edges() {
        let mut team = team();
        assert_eq!(pairs(&team), [("a", "b"), ("b", "c")]);
        add_edge(&mut team, 0);
        assert_eq!(pairs(&team), [("a", "b"), ("a", "c"), ("b", "c")]);
        lead_edge_to(&mut team, 0, 1, "a");
        assert_eq!(*edge_of(&team, 0, 1), json!({ "target": "a", "group": "a" }));
        remove_edge(&mut team, 0, 0);
        remove_edge(&mut team, 0, 7);
        assert_eq!(pairs(&team), [("a", "a"), ("b", "c")]);
    }

    #[test]
    fn the_group_of_an_edge_stays_where_it_has_a_name_of_its_own() {
        let mut team = team();
        put_edge_into(&mut team, 0, 0, "both");
        lead_edge_to(&mut team, 0, 0, "c");
        assert_eq!(*edge_of(&team, 0, 0), json!({ "target": "c", "group": "both" }));
        put_edge_into(&mut team, 0, 0, "");
        assert_eq!(*edge_of(&team, 0, 0), json!({ "target": "c", "group": "c" }));
    }

    #[test]
    fn what_a_node_waits_for_is_written_on_every_edge_of_the_group_that_leads_to_it() {
        let mut team = team();
        add_edge(&mut team, 0);
        wait_for(&mut team, "c", "c", "any");
        assert_eq!(*edge_of(&team, 0, 1), json!({ "target": "c", "group": "c", "activation": "any" }));
        assert_eq!(*edge_of(&team, 1, 0), json!({ "target": "c", "group": "c", "activation": "any" }));
        assert_eq!(edge_of(&team, 0, 0).get("activation"), None, "what leads elsewhere is left alone");
        assert_eq!(groups_to(&team, "c"), [Group { name: "c".to_owned(), activation: "any".to_owned() }]);
        // The node itself says nothing: whoever runs the graph does not read it there.
        assert_eq!(team["conduct"]["graph"]["nodes"][2].get("activation"), None);
    }

    #[test]
    fn an_edge_that_comes_to_a_group_waits_as_the_group_does() {
        let mut team = team();
        wait_for(&mut team, "c", "c", "any");
        add_edge(&mut team, 0);
        assert_eq!(edge_of(&team, 0, 1)["activation"], "any", "added to those that lead to c");
        lead_edge_to(&mut team, 0, 1, "b");
        assert_eq!(edge_of(&team, 0, 1)["activation"], "all", "led to those that lead to b");
        put_edge_into(&mut team, 0, 1, "late");
        wait_for(&mut team, "b", "late", "any");
        assert_eq!(edge_of(&team, 0, 0).get("activation"), None, "another group of the same node");
        let groups: Vec<(String, String)> =
            groups_to(&team, "b").into_iter().map(|group| (group.name, group.activation)).collect();
        assert_eq!(groups, [("b", "all"), ("late", "any")].map(|(name, wait)| (name.to_owned(), wait.to_owned())));
        put_edge_into(&mut team, 0, 1, "");
        assert_eq!(edge_of(&team, 0, 1)["activation"], "all");
    }

    #[test]
    fn a_participant_without_a_node_gets_one_and_a_node_of_nobody_is_taken_out() {
        let mut team = team();
        remove_node(&mut team, 1);
        assert_eq!(without_node(&team), ["b"]);
        add_node(&mut team, "b");
        assert_eq!((without_node(&team).len(), &team["conduct"]["graph"]["nodes"][2]["name"]), (0, &json!("b")));
        remove_node(&mut team, 7);
        assert_eq!(team["conduct"]["graph"]["nodes"].as_array().unwrap().len(), 3);
    }
}
