//! Changes of a team's JSON that are more than one field: who is named elsewhere is named so there as well.
//!
//! All take the object of a team, whatever stands in it, and leave alone what is not as it should be.

pub(super) mod conditions;
pub(super) mod graph;
pub(super) mod handoffs;
pub(super) mod steps;
pub(super) mod tools;
pub(super) mod workbenches;

use serde_json::{Map, Value, json};

/// Whoever gives the task, by the name that messages have.
const USER: &str = "user";

/// The participants of a team.
pub(super) fn participants(team: &Value) -> &[Value] {
    team.get("participants").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The names of the participants, in their order.
pub(super) fn names(team: &Value) -> Vec<String> {
    let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    participants(team).iter().map(name).collect()
}

/// Everybody who can be named as one who speaks or takes over: the participants, whom handoffs name beside them, and
/// whoever gives the task. Each of them once.
pub(super) fn known(team: &Value) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let names = names(team);
    let handoffs = participants(team).iter().filter_map(|one| one.pointer("/role/handoffs")?.as_array()).flatten();
    let targets = handoffs.filter_map(|handoff| handoff.get("target")?.as_str());
    for name in names.iter().map(String::as_str).chain(targets).chain([USER]) {
        if !name.is_empty() && known.iter().all(|known| known != name) {
            known.push(name.to_owned());
        }
    }
    known
}

/// Somebody who can be added to a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// An assistant.
    Agent,
    /// A person, who is asked.
    Person,
    /// A team whose members all speak for themselves.
    Team,
    /// A team of whose words a model makes one answer.
    OneVoice,
}

/// Adds somebody with a name that nobody has. A team begins with one agent, who speaks once.
pub(super) fn add(team: &mut Value, newcomer: Newcomer) {
    let known = names(team);
    let count = known.len() + 1;
    let base = match newcomer {
        Newcomer::Agent => "agent",
        Newcomer::Person => "person",
        Newcomer::Team | Newcomer::OneVoice => "team",
    };
    let free = (count..).map(|number| format!("{base}_{number}")).find(|name| !known.contains(name));
    let Some((name, participants)) = free.zip(list_mut(team, "/participants")) else { return };
    let inner = || {
        let agents = json!([{ "name": "agent_1", "role": { "kind": "assistant" } }]);
        json!({ "name": name, "conduct": { "kind": "round_robin" }, "participants": agents, "max_turns": 1 })
    };
    let role = match newcomer {
        Newcomer::Agent => json!({ "kind": "assistant" }),
        Newcomer::Person => json!({ "kind": "user_proxy" }),
        Newcomer::Team => json!({ "kind": "team", "team": inner() }),
        Newcomer::OneVoice => json!({ "kind": "society_of_mind", "team": inner() }),
    };
    participants.push(json!({ "name": name, "role": role }));
    graph::add_node(team, &name);
}

/// Takes a participant out, with what leads to it: ways of a graph, handoffs, conditions that it alone can meet. Steps
/// that were its own stay, as somebody has to do them.
pub(super) fn remove_agent(team: &mut Value, number: usize) {
    let Some(name) = names(team).into_iter().nth(number) else { return };
    if let Some(participants) = list_mut(team, "/participants") {
        participants.remove(number);
    }
    if names(team).contains(&name) {
        return;
    }
    graph::forget(team, &name);
    handoffs::forget(team, &name);
    conditions::forget(team, &name);
    if let Some(Value::Object(process)) = team.pointer_mut("/conduct/process")
        && process.get("lead").and_then(Value::as_str) == Some(&name)
    {
        process.shift_remove("lead");
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
    handoffs::rename(team, known_as, name);
    conditions::rename(team, &rename);
}

/// Chooses another way to say who speaks next. What both ways have in common stays; a graph begins as a chain of all,
/// and steps as one of each.
pub(super) fn choose_conduct(team: &mut Value, kind: &str) {
    let mut conduct = Map::new();
    conduct.insert("kind".to_owned(), kind.into());
    match kind {
        "graph_flow" => {
            conduct.insert("graph".to_owned(), graph::chain(&names(team)));
        }
        "steps" => {
            conduct.insert("steps".to_owned(), steps::of(&names(team)));
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

/// Chooses how much of the conversation the model of this object reads; all of it is what nothing is said for.
pub(super) fn choose_context(object: &mut Value, kind: &str) {
    let Value::Object(fields) = object else { return };
    let context = match kind {
        "unbounded" => {
            fields.shift_remove("context");
            return;
        }
        "buffered" => json!({ "kind": kind, "size": 10 }),
        "head_and_tail" => json!({ "kind": kind, "head": 1, "tail": 10 }),
        _ => json!({ "kind": kind }),
    };
    fields.insert("context".to_owned(), context);
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
    fn agents_that_come_and_go_are_nodes_of_the_graph_as_well() {
        let mut team = graph();
        add(&mut team, Newcomer::Agent);
        assert_eq!(names(&team), ["a", "b", "c", "agent_4"]);
        assert_eq!(team["conduct"]["graph"]["nodes"][3]["name"], "agent_4");
        graph::set_start(&mut team, Some("b"));
        remove_agent(&mut team, 1);
        assert_eq!((names(&team).join(" "), edges(&team)), ("a c agent_4".to_owned(), Vec::new()));
        assert_eq!(team["conduct"]["graph"].get("start"), None);
        // A name that was given already is not given twice.
        remove_agent(&mut team, 0);
        add(&mut team, Newcomer::Agent);
        add(&mut team, Newcomer::Agent);
        assert_eq!(names(&team), ["c", "agent_4", "agent_3", "agent_5"]);
    }

    #[test]
    fn a_person_and_teams_take_part_like_agents_do() {
        let mut team = json!({ "name": "t", "conduct": { "kind": "round_robin" }, "participants": [] });
        for newcomer in [Newcomer::Agent, Newcomer::Person, Newcomer::Team, Newcomer::OneVoice] {
            add(&mut team, newcomer);
        }
        assert_eq!(names(&team), ["agent_1", "person_2", "team_3", "team_4"]);
        // Whoever runs a team reads them as what they are.
        let team: teamfile::team::Team = serde_json::from_value(team).unwrap();
        let agents: Vec<Option<usize>> =
            team.participants.iter().map(|one| one.inner_team().map(teamfile::team::Team::agents)).collect();
        assert_eq!(agents, [None, None, Some(1), Some(1)]);
        assert_eq!(team.participants[1].role, teamfile::team::Role::UserProxy);
    }

    #[test]
    fn how_much_is_read_has_what_each_kind_needs() {
        use teamfile::team::{Assistant, Context, Role};
        let mut role = json!({ "kind": "assistant" });
        for (kind, context) in [
            ("buffered", Context::Buffered { size: 10 }),
            ("head_and_tail", Context::HeadAndTail { head: 1, tail: 10 }),
            ("token_limited", Context::TokenLimited { model: None, limit: None }),
            ("unbounded", Context::Unbounded),
        ] {
            choose_context(&mut role, kind);
            let read: Role = serde_json::from_value(role.clone()).unwrap();
            assert_eq!(read, Role::Assistant(Box::new(Assistant { context, ..Assistant::default() })));
        }
        assert_eq!(role, json!({ "kind": "assistant" }));
    }

    #[test]
    fn whoever_is_gone_is_named_nowhere() {
        let mut team = graph();
        team["participants"][0]["role"] = json!({ "handoffs": [{ "target": "b" }] });
        team["conduct"]["process"] = json!({ "kind": "hierarchical", "lead": "b" });
        team["termination"] = json!({ "kind": "source_match", "sources": ["b"] });
        remove_agent(&mut team, 1);
        assert!(!team.to_string().contains("\"b\""), "{team}");
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
        assert_eq!(handoffs[0]["name"], "transfer_to_editor");
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
            add(&mut team, Newcomer::Agent);
            remove_agent(&mut team, 0);
            swap_agents(&mut team, 0, 1);
            rename_agent(&mut team, 0, "a", "b");
            graph::add_edge(&mut team, 0);
            graph::remove_edge(&mut team, 0, 0);
            graph::lead_edge_to(&mut team, 0, 0, "a");
            graph::put_edge_into(&mut team, 0, 0, "a");
            graph::wait_for(&mut team, "a", "a", "any");
            graph::add_node(&mut team, "a");
            graph::remove_node(&mut team, 0);
            graph::set_start(&mut team, Some("a"));
            assert_eq!(team, odd);
        }
    }
}
