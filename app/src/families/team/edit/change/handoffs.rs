//! Changes of handoffs: to whom an assistant may hand over, and in which words.

use serde_json::{Map, Value, json};

use super::{list_mut, names, USER};

/// The words for a handoff to this one where nobody has chosen others, by their fields: those that AutoGen has, and
/// that a file without any is read with.
fn usual(target: &str) -> [(&'static str, String); 3] {
    [
        ("name", format!("transfer_to_{}", target.to_lowercase())),
        ("description", format!("Handoff to {target}.")),
        ("message", format!("Transferred to {target}, adopting the role of {target} immediately.")),
    ]
}

/// Adds a handoff of a participant to the first one whom it cannot hand over to yet.
pub(in super::super) fn add(team: &mut Value, participant: usize) {
    let mut others = names(team);
    if participant < others.len() {
        others.remove(participant);
    }
    others.push(USER.to_owned());
    let Some(Value::Object(role)) = team.pointer_mut(&format!("/participants/{participant}/role")) else { return };
    let Value::Array(handoffs) = role.entry("handoffs").or_insert_with(|| json!([])) else { return };
    let is_new = |name: &&String| handoffs.iter().all(|handoff| target_of(handoff) != Some(name.as_str()));
    let mut handoff = Map::new();
    if let Some(target) = others.iter().find(is_new).or(others.first()) {
        lead(&mut handoff, target);
        handoffs.push(Value::Object(handoff));
    }
}

/// Takes a handoff out.
pub(in super::super) fn remove(team: &mut Value, participant: usize, number: usize) {
    let Some(Value::Object(role)) = team.pointer_mut(&format!("/participants/{participant}/role")) else { return };
    let Some(Value::Array(handoffs)) = role.get_mut("handoffs") else { return };
    if number < handoffs.len() {
        handoffs.remove(number);
    }
    if handoffs.is_empty() {
        role.shift_remove("handoffs");
    }
}

/// Lets a handoff lead to another one. Words that nobody has chosen follow.
pub(in super::super) fn lead_to(team: &mut Value, participant: usize, number: usize, target: &str) {
    let place = format!("/participants/{participant}/role/handoffs/{number}");
    if let Some(Value::Object(handoff)) = team.pointer_mut(&place) {
        lead(handoff, target);
    }
}

/// Lets all handoffs to the one that was called `known_as` lead to its new name.
pub(super) fn rename(team: &mut Value, known_as: &str, name: &str) {
    for participant in list_mut(team, "/participants").into_iter().flatten() {
        for handoff in list_mut(participant, "/role/handoffs").into_iter().flatten() {
            if target_of(handoff) == Some(known_as)
                && let Value::Object(handoff) = handoff
            {
                lead(handoff, name);
            }
        }
    }
}

/// Takes out all handoffs to this one.
pub(super) fn forget(team: &mut Value, name: &str) {
    let count = names(team).len();
    for participant in 0..count {
        let handoffs = format!("/participants/{participant}/role/handoffs");
        let present = team.pointer(&handoffs).and_then(Value::as_array).into_iter().flatten().enumerate();
        let to_it = present.filter(|(_, handoff)| target_of(handoff) == Some(name)).map(|(number, _)| number);
        let to_it: Vec<usize> = to_it.collect();
        to_it.into_iter().rev().for_each(|number| remove(team, participant, number));
    }
}

fn lead(handoff: &mut Map<String, Value>, target: &str) {
    let before = handoff.get("target").and_then(Value::as_str).map(usual);
    handoff.insert("target".to_owned(), target.into());
    for (place, (field, words)) in usual(target).into_iter().enumerate() {
        let present = handoff.get(field).and_then(Value::as_str);
        let is_usual = present.is_none_or(|present| before.as_ref().is_some_and(|before| before[place].1 == present));
        if is_usual {
            handoff.insert(field.to_owned(), words.into());
        }
    }
}

fn target_of(handoff: &Value) -> Option<&str> {
    handoff.get("target").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team() -> Value {
        json!({ "participants": [{ "name": "a", "role": {} }, { "name": "b", "role": {} }] })
    }

    fn to(target: &str) -> Value {
        serde_json::to_value(teamfile::team::Handoff::to(target)).unwrap()
    }

    #[test]
    fn a_handoff_that_is_added_has_the_words_that_files_without_any_are_read_with() {
        let mut team = team();
        add(&mut team, 0);
        add(&mut team, 0);
        add(&mut team, 0);
        assert_eq!(team["participants"][0]["role"]["handoffs"], json!([to("b"), to("user"), to("b")]));
        lead_to(&mut team, 0, 0, "Orçamentista");
        assert_eq!(team["participants"][0]["role"]["handoffs"][0], to("Orçamentista"));
        assert_eq!(team["participants"][1]["role"], json!({}), "nobody else hands over");
    }

    #[test]
    fn words_that_a_person_has_chosen_stay_where_a_handoff_leads_elsewhere() {
        let mut team = team();
        add(&mut team, 0);
        team["participants"][0]["role"]["handoffs"][0]["description"] = json!("Ask b.");
        lead_to(&mut team, 0, 0, "c");
        let handoff = &team["participants"][0]["role"]["handoffs"][0];
        assert_eq!((&handoff["description"], &handoff["name"]), (&json!("Ask b."), &json!("transfer_to_c")));
    }

    #[test]
    fn handoffs_to_whoever_is_gone_go_too() {
        let mut team = team();
        add(&mut team, 0);
        add(&mut team, 0);
        add(&mut team, 1);
        forget(&mut team, "b");
        assert_eq!(team["participants"][0]["role"]["handoffs"], json!([to("user")]));
        forget(&mut team, "a");
        assert_eq!(team["participants"][1]["role"], json!({}));
        remove(&mut team, 0, 7);
        assert_eq!(team["participants"][0]["role"]["handoffs"], json!([to("user")]));
    }
}
