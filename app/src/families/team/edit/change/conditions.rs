//! Changes of when a team ends. A condition is named by its place within the team: `/termination`, and
//! `/termination/conditions/1` for the second one of a group.

use serde_json::{Value, json};

use super::list_mut;

/// Where the condition of a team stands that all others are within.
pub(in super::super) const WHOLE: &str = "/termination";
/// The most levels of conditions within each other that are gone through.
const DEEPEST: usize = 32;

/// Adds a condition where a group is; to a simple condition as well, so that either ends the team; or as the only one.
pub(in super::super) fn add(team: &mut Value, place: &str) {
    let added = of_kind("text_mention");
    match team.pointer_mut(place) {
        Some(condition) if is_group(condition) => {
            if let Some(conditions) = list_mut(condition, "/conditions") {
                conditions.push(added);
            }
        }
        Some(condition) if condition.is_object() => {
            let present = condition.take();
            *condition = json!({ "kind": "any", "conditions": [present, added] });
        }
        _ => {
            if let (WHOLE, Value::Object(team)) = (place, team) {
                team.insert("termination".to_owned(), added);
            }
        }
    }
}

/// Takes a condition out. A group that it was the only one of stays, and says so.
pub(in super::super) fn remove(team: &mut Value, place: &str) {
    match (within(place), team) {
        (Some((group, number)), team) => {
            if let Some(conditions) = list_mut(team, &format!("{group}/conditions"))
                && number < conditions.len()
            {
                conditions.remove(number);
            }
        }
        (None, Value::Object(team)) if place == WHOLE => drop(team.shift_remove("termination")),
        (None, _) => {}
    }
}

/// Makes a condition one of another kind. Of a group, what is within it stays; of others, nothing does.
pub(in super::super) fn choose_kind(team: &mut Value, place: &str, kind: &str) {
    let Some(condition) = team.pointer_mut(place) else { return };
    match condition {
        Value::Object(fields) if is_kind_of_group(kind) && fields.get("conditions").is_some_and(Value::is_array) => {
            fields.insert("kind".to_owned(), kind.into());
        }
        _ => *condition = of_kind(kind),
    }
}

/// Puts a condition into a group of its own, to which others can be added: one of which all are needed where any was
/// enough, and the other way around.
pub(in super::super) fn enclose(team: &mut Value, place: &str) {
    let around = within(place).and_then(|(group, _)| team.pointer(group)).map(kind_of).unwrap_or_default().to_owned();
    let Some(condition) = team.pointer_mut(place).filter(|condition| condition.is_object()) else { return };
    let kind = match (kind_of(condition), around.as_str()) {
        ("any", _) => "all",
        ("all", _) => "any",
        (_, "any") => "all",
        _ => "any",
    };
    let present = condition.take();
    *condition = json!({ "kind": kind, "conditions": [present] });
}

/// Puts the conditions of a group in its place, where that means the same: there is one alone, or they are within a group
/// of the same kind.
pub(in super::super) fn dissolve(team: &mut Value, place: &str) {
    if !can_dissolve(team, place) {
        return;
    }
    let Some(inner) = team.pointer_mut(place).and_then(|group| list_mut(group, "/conditions")).map(std::mem::take) else {
        return;
    };
    match within(place) {
        Some((group, number)) => {
            if let Some(conditions) = list_mut(team, &format!("{group}/conditions")) {
                conditions.splice(number..=number, inner);
            }
        }
        None => {
            if let Some((condition, only)) = team.pointer_mut(place).zip(inner.into_iter().next()) {
                *condition = only;
            }
        }
    }
}

/// Whether a group can be taken away from around its conditions without that they mean something else.
pub(in super::super) fn can_dissolve(team: &Value, place: &str) -> bool {
    let Some(group) = team.pointer(place).filter(|condition| is_group(condition)) else { return false };
    let count = group.get("conditions").and_then(Value::as_array).map_or(0, Vec::len);
    let around = within(place).and_then(|(around, _)| team.pointer(around));
    count == 1 || (count > 1 && around.is_some_and(|around| kind_of(around) == kind_of(group)))
}

/// Says whether a condition waits for what this one says or does.
pub(in super::super) fn wait_for_source(condition: &mut Value, name: &str, waits: bool) {
    let Value::Object(fields) = condition else { return };
    let sources = fields.entry("sources").or_insert_with(|| json!([]));
    let Value::Array(sources) = sources else { return };
    sources.retain(|source| source.as_str() != Some(name));
    if waits {
        sources.push(name.into());
    }
}

/// Whether conditions can be within this one.
pub(in super::super) fn is_group(condition: &Value) -> bool {
    is_kind_of_group(kind_of(condition))
}

fn is_kind_of_group(kind: &str) -> bool {
    matches!(kind, "any" | "all")
}

/// Calls `rename` with every name of a participant in the conditions.
pub(super) fn rename(team: &mut Value, rename: &impl Fn(&mut Value)) {
    fn within(condition: &mut Value, rename: &impl Fn(&mut Value), levels: usize) {
        condition.get_mut("target").into_iter().for_each(rename);
        condition.get_mut("source").into_iter().for_each(rename);
        list_mut(condition, "/sources").into_iter().flatten().for_each(rename);
        if levels > 0 {
            for inner in list_mut(condition, "/conditions").into_iter().flatten() {
                within(inner, rename, levels - 1);
            }
        }
    }
    if let Some(condition) = team.get_mut("termination") {
        within(condition, rename, DEEPEST);
    }
}

/// Takes out the conditions that can hold no more once this one takes no part, and groups that nothing is left of.
pub(super) fn forget(team: &mut Value, name: &str) {
    fn is_left(condition: &mut Value, name: &str, levels: usize) -> bool {
        match kind_of(condition) {
            "handoff" => condition.get("target").and_then(Value::as_str) != Some(name),
            "text_message" => condition.get("source").and_then(Value::as_str) != Some(name),
            "source_match" => {
                let Some(sources) = list_mut(condition, "/sources") else { return true };
                let before = sources.len();
                sources.retain(|source| source.as_str() != Some(name));
                sources.len() == before || !sources.is_empty()
            }
            "any" | "all" if levels > 0 => {
                let Some(conditions) = list_mut(condition, "/conditions") else { return true };
                let before = conditions.len();
                conditions.retain_mut(|inner| is_left(inner, name, levels - 1));
                conditions.len() == before || !conditions.is_empty()
            }
            _ => true,
        }
    }
    let Value::Object(team) = team else { return };
    if team.get_mut("termination").is_some_and(|condition| !is_left(condition, name, DEEPEST)) {
        team.shift_remove("termination");
    }
}

/// A condition of this kind, with what it needs; the rest is asked for.
fn of_kind(kind: &str) -> Value {
    match kind {
        "text_mention" => json!({ "kind": kind, "text": "TERMINATE" }),
        "max_messages" => json!({ "kind": kind, "max_messages": 10 }),
        "timeout" => json!({ "kind": kind, "seconds": 300 }),
        "handoff" => json!({ "kind": kind, "target": "user" }),
        "source_match" => json!({ "kind": kind, "sources": [] }),
        "function_call" => json!({ "kind": kind, "function_name": "" }),
        "any" | "all" => json!({ "kind": kind, "conditions": [] }),
        _ => json!({ "kind": kind }),
    }
}

fn kind_of(condition: &Value) -> &str {
    condition.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// The place of the group that a condition is within, and its number there.
fn within(place: &str) -> Option<(&str, usize)> {
    let (group, number) = place.rsplit_once("/conditions/")?;
    Some((group, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        json!({ "kind": "text_mention", "text": text })
    }

    #[test]
    fn either_of_two_and_a_third_as_well_is_made_step_by_step() {
        let mut team = json!({ "participants": [] });
        add(&mut team, WHOLE);
        assert_eq!(team["termination"], text("TERMINATE"));
        add(&mut team, WHOLE);
        choose_kind(&mut team, "/termination/conditions/1", "max_messages");
        enclose(&mut team, WHOLE);
        add(&mut team, WHOLE);
        choose_kind(&mut team, "/termination/conditions/1", "token_usage");
        assert_eq!(
            team["termination"],
            json!({ "kind": "all", "conditions": [
                { "kind": "any", "conditions": [text("TERMINATE"), { "kind": "max_messages", "max_messages": 10 }] },
                { "kind": "token_usage" }] })
        );
        remove(&mut team, "/termination/conditions/0/conditions/0");
        remove(&mut team, "/termination/conditions/7");
        assert_eq!(team["termination"]["conditions"][0]["conditions"].as_array().unwrap().len(), 1);
        remove(&mut team, WHOLE);
        assert_eq!(team, json!({ "participants": [] }));
    }

    #[test]
    fn a_group_keeps_what_is_within_it_when_any_becomes_all() {
        let mut team = json!({ "termination": { "kind": "any", "conditions": [text("a"), text("b")] } });
        choose_kind(&mut team, WHOLE, "all");
        assert_eq!(team["termination"], json!({ "kind": "all", "conditions": [text("a"), text("b")] }));
        enclose(&mut team, "/termination/conditions/1");
        assert_eq!(team["termination"]["conditions"][1], json!({ "kind": "any", "conditions": [text("b")] }));
    }

    #[test]
    fn a_group_is_taken_apart_only_where_that_means_the_same() {
        let any = |conditions: Value| json!({ "kind": "any", "conditions": conditions });
        let mut team = json!({ "termination": any(json!([text("a"), any(json!([text("b"), text("c")])), text("d")])) });
        dissolve(&mut team, "/termination/conditions/1");
        assert_eq!(team["termination"], any(json!([text("a"), text("b"), text("c"), text("d")])));
        let all = json!({ "kind": "all", "conditions": [any(json!([text("a"), text("b")])), any(json!([text("c")]))] });
        let mut team = json!({ "termination": all });
        for place in [WHOLE, "/termination/conditions/0"] {
            assert!(!can_dissolve(&team, place), "{place}");
            dissolve(&mut team, place);
        }
        assert_eq!(team["termination"], all);
        dissolve(&mut team, "/termination/conditions/1");
        assert_eq!(team["termination"]["conditions"][1], text("c"));
        let mut team = json!({ "termination": any(json!([text("a")])) });
        dissolve(&mut team, WHOLE);
        assert_eq!(team["termination"], text("a"));
    }

    #[test]
    fn whoever_is_gone_is_waited_for_no_more() {
        let mut team = json!({ "termination": { "kind": "any", "conditions": [
            { "kind": "source_match", "sources": ["a", "b"] },
            { "kind": "all", "conditions": [{ "kind": "handoff", "target": "b" }, { "kind": "text_message", "source": "b" }] },
            { "kind": "handoff", "target": "user" }, { "kind": "text_message" }, text("b")] } });
        forget(&mut team, "b");
        assert_eq!(
            team["termination"]["conditions"],
            json!([{ "kind": "source_match", "sources": ["a"] }, { "kind": "handoff", "target": "user" },
                { "kind": "text_message" }, text("b")])
        );
        let mut alone = json!({ "termination": { "kind": "source_match", "sources": ["b"] } });
        forget(&mut alone, "b");
        assert_eq!(alone, json!({}));
    }

    #[test]
    fn somebody_is_waited_for_once() {
        let mut condition = of_kind("source_match");
        wait_for_source(&mut condition, "a", true);
        wait_for_source(&mut condition, "b", true);
        wait_for_source(&mut condition, "b", true);
        wait_for_source(&mut condition, "a", false);
        assert_eq!(condition["sources"], json!(["b"]));
    }

    #[test]
    fn what_is_no_condition_is_left_alone() {
        for odd in [json!(null), json!([]), json!({ "termination": { "kind": "any", "conditions": 7 } })] {
            let mut team = odd.clone();
            for place in ["/termination/conditions/0", "/termination/conditions/x", "/else"] {
                add(&mut team, place);
                remove(&mut team, place);
                choose_kind(&mut team, place, "any");
                enclose(&mut team, place);
                dissolve(&mut team, place);
            }
            add(&mut team, WHOLE);
            forget(&mut team, "a");
            assert_eq!(team, odd);
        }
    }
}
