//! Changes of the steps of a team that works in steps. Steps are known by their names: the results that later ones are
//! given are named so.

use serde_json::{Value, json};

use super::{list_mut, names};

/// Steps as they begin: one for each participant.
pub(super) fn of(names: &[String]) -> Value {
    let step = |(number, name): (usize, &String)| step(&format!("step_{}", number + 1), Some(name));
    names.iter().enumerate().map(step).collect::<Vec<_>>().into()
}

fn step(name: &str, agent: Option<&String>) -> Value {
    let mut step = json!({ "name": name, "description": "" });
    if let Some(agent) = agent {
        step["agent"] = agent.clone().into();
    }
    step
}

/// The names of the steps, in their order.
pub(in super::super) fn titles(team: &Value) -> Vec<String> {
    let steps = team.pointer("/conduct/steps").and_then(Value::as_array).into_iter().flatten();
    steps.map(|step| step.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

/// Adds a step with a name that no other has, of the first participant.
pub(in super::super) fn add(team: &mut Value) {
    let (known, agents) = (titles(team), names(team));
    let Some(Value::Object(conduct)) = team.get_mut("conduct") else { return };
    let Value::Array(steps) = conduct.entry("steps").or_insert_with(|| json!([])) else { return };
    let free = (known.len() + 1..).map(|number| format!("step_{number}")).find(|name| !known.contains(name));
    if let Some(name) = free {
        steps.push(step(&name, agents.first()));
    }
}

/// Takes a step out; nobody is given its result any more.
pub(in super::super) fn remove(team: &mut Value, number: usize) {
    let Some(name) = titles(team).into_iter().nth(number) else { return };
    let Some(steps) = list_mut(team, "/conduct/steps") else { return };
    steps.remove(number);
    if !titles(team).contains(&name) {
        for step in list_mut(team, "/conduct/steps").into_iter().flatten() {
            if let Some(inputs) = list_mut(step, "/inputs") {
                inputs.retain(|input| input.as_str() != Some(&name));
            }
        }
    }
}

/// Lets two steps change places. What they are given stays as it is: where it is no earlier result any more, that is a
/// finding.
pub(in super::super) fn swap(team: &mut Value, one: usize, other: usize) {
    if let Some(steps) = list_mut(team, "/conduct/steps")
        && one.max(other) < steps.len()
    {
        steps.swap(one, other);
    }
}

/// Gives a step another name. Whoever is given the result of `known_as` is given that of the new name from then on; unless
/// another step has that name, or it is none: both would become one.
pub(in super::super) fn rename(team: &mut Value, number: usize, known_as: &str, name: &str) {
    let is_taken = titles(team).iter().enumerate().any(|(other, taken)| other != number && taken == name);
    let Some(Value::Object(step)) = team.pointer_mut(&format!("/conduct/steps/{number}")) else { return };
    step.insert("name".to_owned(), name.into());
    if is_taken || name.is_empty() || known_as.is_empty() {
        return;
    }
    for step in list_mut(team, "/conduct/steps").into_iter().flatten() {
        for input in list_mut(step, "/inputs").into_iter().flatten() {
            if input.as_str() == Some(known_as) {
                *input = name.into();
            }
        }
    }
}

/// Lets a step be given the results of all earlier ones, or of those that are named from then on.
pub(in super::super) fn give_all(step: &mut Value, all: bool) {
    let Value::Object(step) = step else { return };
    if all {
        step.shift_remove("inputs");
    } else {
        step.entry("inputs").or_insert_with(|| json!([]));
    }
}

/// Lets a step be given the result of this one, or not.
pub(in super::super) fn give(step: &mut Value, name: &str, is_given: bool) {
    let Some(inputs) = list_mut(step, "/inputs") else { return };
    inputs.retain(|input| input.as_str() != Some(name));
    if is_given {
        inputs.push(name.into());
    }
}

/// Chooses whether somebody says who does a step that belongs to nobody.
pub(in super::super) fn choose_process(conduct: &mut Value, kind: &str) {
    if let Value::Object(conduct) = conduct {
        conduct.insert("process".to_owned(), json!({ "kind": kind }));
    }
}

#[cfg(test)]
mod tests {
    use teamfile::team::{Conduct, Process, Team};

    use super::{super::{choose_conduct, rename_agent}, *};

    fn team() -> Value {
        let mut team = json!({ "name": "t", "conduct": { "kind": "swarm" }, "participants": [
            { "name": "a", "role": { "kind": "assistant" } }, { "name": "b", "role": { "kind": "user_proxy" } }] });
        choose_conduct(&mut team, "steps");
        team
    }

    #[test]
    fn steps_begin_as_one_of_each_and_are_read_by_whoever_runs_them() {
        let mut team = team();
        add(&mut team);
        assert_eq!(titles(&team), ["step_1", "step_2", "step_3"]);
        choose_process(&mut team["conduct"], "hierarchical");
        rename_agent(&mut team, 1, "b", "person");
        let read: Team = serde_json::from_value(team).unwrap();
        let Conduct::Steps(steps) = read.conduct else { panic!() };
        let agents: Vec<_> = steps.steps.iter().map(|step| step.agent.as_deref()).collect();
        assert_eq!(agents, [Some("a"), Some("person"), Some("a")]);
        assert_eq!(steps.process, Process::Hierarchical { lead: None, model: None, profile: None });
    }

    #[test]
    fn whoever_is_given_a_result_is_given_it_under_its_new_name_and_no_more_where_it_is_gone() {
        let mut team = team();
        add(&mut team);
        for name in ["step_1", "step_2"] {
            give_all(&mut team["conduct"]["steps"][2], false);
            give(&mut team["conduct"]["steps"][2], name, true);
        }
        rename(&mut team, 0, "step_1", "look");
        assert_eq!(team["conduct"]["steps"][2]["inputs"], json!(["look", "step_2"]));
        // A name that another step has while it is typed takes nothing from that one.
        rename(&mut team, 0, "look", "step_2");
        assert_eq!(team["conduct"]["steps"][2]["inputs"], json!(["look", "step_2"]));
        rename(&mut team, 0, "look", "look");
        remove(&mut team, 1);
        assert_eq!(team["conduct"]["steps"][1]["inputs"], json!(["look"]));
        give(&mut team["conduct"]["steps"][1], "look", false);
        assert_eq!(team["conduct"]["steps"][1]["inputs"], json!([]), "nothing is given");
        give_all(&mut team["conduct"]["steps"][1], true);
        assert_eq!(team["conduct"]["steps"][1].get("inputs"), None);
        swap(&mut team, 0, 1);
        assert_eq!(titles(&team), ["step_3", "look"]);
    }

    #[test]
    fn what_has_no_steps_is_left_alone() {
        for odd in [json!(null), json!({ "conduct": { "steps": 7 } }), json!({ "conduct": [] })] {
            let mut team = odd.clone();
            add(&mut team);
            remove(&mut team, 0);
            swap(&mut team, 0, 1);
            rename(&mut team, 0, "a", "b");
            give_all(&mut team["x"].take(), true);
            assert_eq!(titles(&team), Vec::<String>::new());
        }
    }
}
