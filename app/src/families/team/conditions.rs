//! When a team ends, in a sentence: nested JSON hides mistakes.

use serde_json::Value;

/// The most levels of conditions within each other that are said.
const DEEPEST: usize = 8;

/// When a team with this condition and limit of turns ends.
pub(super) fn ends_when(condition: Option<&Value>, max_turns: Option<u64>) -> String {
    let condition = condition.filter(|condition| !condition.is_null()).map(|condition| in_words(condition, DEEPEST));
    let turns = max_turns.map(|turns| format!("after {turns} turns"));
    match (condition, turns) {
        (Some(condition), Some(turns)) => format!("It ends {condition}, and at the latest {turns}."),
        (Some(one), None) | (None, Some(one)) => format!("It ends {one}."),
        (None, None) => "Nothing ends it but the limits of its run.".to_owned(),
    }
}

fn in_words(condition: &Value, levels: usize) -> String {
    let number = |name: &str| condition.get(name).map(ToString::to_string).unwrap_or_else(|| "?".to_owned());
    let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
    let joined = |word: &str| {
        let inner = condition.get("conditions").and_then(Value::as_array);
        let inner = inner.into_iter().flatten().map(|inner| in_words(inner, levels - 1));
        let inner: Vec<String> = inner.collect();
        match inner.as_slice() {
            [] => "never by its conditions, as there are none".to_owned(),
            [one] => one.clone(),
            several => several.join(word),
        }
    };
    match condition.get("kind").and_then(Value::as_str).unwrap_or_default() {
        _ if levels == 0 => "by a condition that is too deep within others to be said".to_owned(),
        "max_messages" => format!("after {} messages, the task among them", number("max_messages")),
        "text_mention" if text("text").is_empty() => "when someone says nothing at all, which everybody does".to_owned(),
        "text_mention" => format!("when someone says “{}”", text("text")),
        "stop_message" => "when someone asks to stop".to_owned(),
        "token_usage" => "when it has used its tokens".to_owned(),
        "timeout" => format!("after {} seconds", number("seconds")),
        "external" => "when a person stops it".to_owned(),
        "handoff" => format!("when the work is handed over to {}", text("target")),
        "source_match" => "when one of those that are named has spoken".to_owned(),
        "text_message" => "after a message of plain text".to_owned(),
        "function_call" => format!("when {} was called", text("function_name")),
        "any" => joined(" or "),
        "all" => format!("once all of this has happened: {}", joined("; ")),
        kind => format!("by a condition of the unknown kind “{kind}”"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_team_is_a_sentence_that_shows_what_is_wrong_with_it() {
        let text = |text: &str| json!({ "kind": "text_mention", "text": text });
        let any = json!({ "kind": "any", "conditions": [text("APPROVE"), text(""), { "kind": "max_messages", "max_messages": 12 }] });
        assert_eq!(
            ends_when(Some(&any), Some(20)),
            "It ends when someone says “APPROVE” or when someone says nothing at all, which everybody does or after 12 \
             messages, the task among them, and at the latest after 20 turns."
        );
        assert_eq!(ends_when(None, Some(3)), "It ends after 3 turns.");
        assert_eq!(ends_when(None, None), "Nothing ends it but the limits of its run.");
        let deep = (0..40).fold(text("x"), |inner, _| json!({ "kind": "all", "conditions": [inner] }));
        assert!(ends_when(Some(&deep), None).contains("too deep"));
        assert!(ends_when(Some(&json!({ "kind": 7 })), None).contains("unknown kind"));
    }
}
