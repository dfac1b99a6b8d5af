//! In which parts two contents of a team differ, so that a person can take one part of the other.

use std::collections::BTreeSet;

use serde_json::Value;

/// Two contents of a team differ here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A field of the team, by its name, with what people call it.
    Field(String, &'static str),
    /// The participant of this name.
    Agent(String),
    /// The order of the participants.
    Order,
}

const NAMED: [(&str, &str); 6] = [
    ("name", "Name"),
    ("description", "What it is for"),
    ("conduct", "Who speaks next"),
    ("termination", "Ends when"),
    ("max_turns", "Turns at most"),
    ("emit_team_events", "Whether choices are told"),
];

impl Part {
    /// What people call it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Field(_, label) => (*label).to_owned(),
            Self::Agent(name) => format!("Agent “{name}”"),
            Self::Order => "The order of the agents".to_owned(),
        }
    }
}

/// The parts in which two documents differ, in the order of the form.
pub(super) fn differing(mine: &Value, other: &Value) -> Vec<Part> {
    let (mine, other) = (team(mine), team(other));
    let fields: BTreeSet<&String> =
        [mine, other].into_iter().filter_map(Value::as_object).flat_map(|fields| fields.keys()).collect();
    let label = |field: &str| NAMED.iter().find(|(name, _)| *name == field).map_or("Something else", |(_, label)| label);
    let differs = |field: &&&String| **field != "participants" && mine.get(field.as_str()) != other.get(field.as_str());
    let fields = fields.iter().filter(differs).map(|field| Part::Field((*field).clone(), label(field)));
    let (my_names, other_names) = (names(mine), names(other));
    let all: BTreeSet<&String> = my_names.iter().chain(&other_names).collect();
    let agents = all.into_iter().filter(|name| agent(mine, name) != agent(other, name));
    let agents: Vec<Part> = agents.map(|name| Part::Agent(name.clone())).collect();
    let in_both = |one: &[String], known: &[String]| -> Vec<String> {
        one.iter().filter(|name| known.contains(name)).cloned().collect()
    };
    let is_reordered = in_both(&my_names, &other_names) != in_both(&other_names, &my_names);
    fields.chain(agents).chain(is_reordered.then_some(Part::Order)).collect()
}

/// Makes a part of `mine` what it is in `other`.
pub(super) fn take(mine: &mut Value, other: &Value, part: &Part) {
    let other = team(other);
    let Some(Value::Object(mine)) = mine.get_mut("team") else { return };
    match part {
        Part::Field(field, _) => match other.get(field) {
            Some(value) => drop(mine.insert(field.clone(), value.clone())),
            None => drop(mine.shift_remove(field)),
        },
        Part::Agent(name) => {
            let Some(Value::Array(participants)) = mine.get_mut("participants") else { return };
            let place = participants.iter().position(|one| name_of(one) == name);
            match (place, agent(other, name)) {
                (Some(place), Some(agent)) => participants[place] = agent.clone(),
                (Some(place), None) => drop(participants.remove(place)),
                (None, Some(agent)) => {
                    let place = names(other).iter().position(|other| other == name).unwrap_or_default();
                    participants.insert(place.min(participants.len()), agent.clone());
                }
                (None, None) => {}
            }
        }
        Part::Order => {
            let order = names(other);
            let Some(Value::Array(participants)) = mine.get_mut("participants") else { return };
            let place = |one: &Value| order.iter().position(|name| name == name_of(one)).unwrap_or(usize::MAX);
            participants.sort_by_key(place);
        }
    }
}

fn team(document: &Value) -> &Value {
    document.get("team").unwrap_or(&Value::Null)
}

fn name_of(participant: &Value) -> &str {
    participant.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn names(team: &Value) -> Vec<String> {
    super::change::names(team)
}

fn agent<'t>(team: &'t Value, name: &str) -> Option<&'t Value> {
    super::change::participants(team).iter().find(|participant| name_of(participant) == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(team: Value) -> Value {
        json!({ "version": 1, "team": team })
    }

    #[test]
    fn what_differs_is_named_by_parts_and_taken_one_by_one() {
        let mut mine = document(json!({ "name": "Team", "max_turns": 3, "conduct": { "kind": "swarm" },
            "participants": [{ "name": "a", "role": 1 }, { "name": "b" }, { "name": "mine" }] }));
        let other = document(json!({ "name": "Team of two", "conduct": { "kind": "swarm" },
            "participants": [{ "name": "theirs" }, { "name": "b" }, { "name": "a", "role": 2 }] }));
        let parts = differing(&mine, &other);
        let labels: Vec<String> = parts.iter().map(Part::label).collect();
        assert_eq!(
            labels,
            ["Turns at most", "Name", "Agent “a”", "Agent “mine”", "Agent “theirs”", "The order of the agents"]
        );
        take(&mut mine, &other, &parts[2]);
        assert_eq!(mine["team"]["participants"][0], json!({ "name": "a", "role": 2 }));
        assert_eq!(mine["team"]["name"], "Team", "nothing else is taken");
        for part in &parts {
            take(&mut mine, &other, part);
        }
        assert_eq!(mine, other);
        assert_eq!(differing(&mine, &other), []);
    }

    #[test]
    fn what_is_no_team_differs_in_nothing_and_takes_nothing() {
        for odd in [json!(null), json!({ "team": 7 }), json!({ "team": { "participants": 7 } })] {
            assert_eq!(differing(&odd, &odd), []);
            take(&mut odd.clone(), &document(json!({ "name": "x" })), &Part::Agent("a".to_owned()));
        }
    }
}
