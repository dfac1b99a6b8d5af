//! When a team ends, in a sentence: nested JSON hides mistakes.

use serde_json::Value;

/// The most levels of conditions within each other that are said.
const DEEPEST: usize = 8;

/// When a team with this condition and limit of turns ends.
pub(super) fn ends_when(condition: Option<&Value>, max_turns: Option<u64>) -> String {
    let condition = condition.filter(|condition| !condition.is_null()).map(|condition| in_words(condition, DEEPEST));
    let turns = max_turns.map(|turns| format!("after {}", counted(Some(&turns.into()), "turn")));
    match (condition, turns) {
        (Some(condition), Some(turns)) => format!("It ends {condition}, and at the latest {turns}."),
        (Some(one), None) | (None, Some(one)) => format!("It ends {one}."),
        (None, None) => "Nothing ends it but the limits of its run.".to_owned(),
    }
}

/// Several conditions stand in brackets where they are within another one: “a; (b or c)” is not “(a; b) or c”.
fn in_words(condition: &Value, levels: usize) -> String {
    let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
    let inner = inner(condition);
    let joined = |word: &str| {
        let words = inner.iter().map(|inner| in_brackets(inner, levels - 1));
        words.collect::<Vec<_>>().join(word)
    };
    match (condition.get("kind").and_then(Value::as_str).unwrap_or_default(), inner) {
        _ if levels == 0 => "by a condition that is too deep within others to be said".to_owned(),
        ("any" | "all", []) => "never by its conditions, as there are none".to_owned(),
        ("any" | "all", [one]) => in_words(one, levels - 1),
        ("any", _) => joined(" or "),
        ("all", _) => format!("once all of this has happened: {}", joined("; ")),
        ("max_messages", _) => {
            let messages = counted(condition.get("max_messages"), "message");
            let events = condition.get("include_agent_event").and_then(Value::as_bool).unwrap_or_default();
            format!("after {messages}, the task among them{}", if events { " and calls of tools as well" } else { "" })
        }
        ("text_mention", _) if text("text").is_empty() => {
            "when someone says nothing at all, which everybody does".to_owned()
        }
        ("text_mention", _) => format!("when someone says “{}”", text("text")),
        ("stop_message", _) => "when someone asks to stop".to_owned(),
        ("token_usage", _) => tokens(condition),
        ("timeout", _) => format!("after {}", counted(condition.get("seconds"), "second")),
        ("external", _) => "when it is told from outside to end".to_owned(),
        ("handoff", _) => format!("when the work is handed over to {}", text("target")),
        ("source_match", _) => format!("when {} has spoken", one_of(condition)),
        ("text_message", _) if text("source").is_empty() => {
            "after a message of plain text from anybody, as the task is".to_owned()
        }
        ("text_message", _) => format!("after a message of plain text from {}", text("source")),
        ("function_call", _) => format!("when {} was called", text("function_name")),
        (kind, _) => format!("by a condition of the unknown kind “{kind}”"),
    }
}

fn in_brackets(condition: &Value, levels: usize) -> String {
    let words = in_words(condition, levels);
    if says_several(condition, levels) { format!("({words})") } else { words }
}

/// Whether what is said of a condition are several. One alone is said as if it stood there by itself.
fn says_several(condition: &Value, levels: usize) -> bool {
    match inner(condition) {
        [one] if levels > 1 => says_several(one, levels - 1),
        inner => inner.len() > 1 && levels > 0,
    }
}

/// The conditions within this one.
fn inner(condition: &Value) -> &[Value] {
    condition.get("conditions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// So many of something.
fn counted(number: Option<&Value>, what: &str) -> String {
    match number {
        Some(number) if number.as_f64() == Some(1.0) => format!("{number} {what}"),
        Some(number) => format!("{number} {what}s"),
        None => format!("? {what}s"),
    }
}

fn tokens(condition: &Value) -> String {
    let limits = [("max_total", ""), ("max_prompt", " of prompts"), ("max_completion", " of answers")];
    let limits = limits.into_iter().filter_map(|(name, of)| Some((condition.get(name).filter(|most| !most.is_null())?, of)));
    let limits: Vec<String> = limits.map(|(most, of)| format!("{}{of}", counted(Some(most), "token"))).collect();
    if limits.is_empty() {
        return "never by its tokens, as no number of them is given".to_owned();
    }
    format!("when it has used {}", limits.join(" or "))
}

fn one_of(condition: &Value) -> String {
    let sources = condition.get("sources").and_then(Value::as_array);
    let sources: Vec<&str> = sources.into_iter().flatten().filter_map(Value::as_str).collect();
    if sources.is_empty() { "nobody, as none is named,".to_owned() } else { sources.join(" or ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Value {
        json!({ "kind": "text_mention", "text": text })
    }

    #[test]
    fn the_end_of_a_team_is_a_sentence_that_shows_what_is_wrong_with_it() {
        let any = json!({ "kind": "any", "conditions": [text("APPROVE"), text(""), { "kind": "max_messages", "max_messages": 12 }] });
        assert_eq!(
            ends_when(Some(&any), Some(20)),
            "It ends when someone says “APPROVE” or when someone says nothing at all, which everybody does or after 12 \
             messages, the task among them, and at the latest after 20 turns."
        );
        assert_eq!(ends_when(None, Some(3)), "It ends after 3 turns.");
        assert_eq!(ends_when(None, Some(1)), "It ends after 1 turn.");
        assert_eq!(ends_when(None, None), "Nothing ends it but the limits of its run.");
        let deep = (0..40).fold(text("x"), |inner, _| json!({ "kind": "all", "conditions": [inner] }));
        assert!(ends_when(Some(&deep), None).contains("too deep"));
        assert!(ends_when(Some(&json!({ "kind": 7 })), None).contains("unknown kind"));
    }

    #[test]
    fn what_belongs_together_stands_in_brackets() {
        let any = |conditions: Value| json!({ "kind": "any", "conditions": conditions });
        let all = |conditions: Value| json!({ "kind": "all", "conditions": conditions });
        let (a, b, c) = (text("a"), text("b"), text("c"));
        assert_eq!(
            ends_when(Some(&any(json!([all(json!([a, b])), c]))), None),
            "It ends (once all of this has happened: when someone says “a”; when someone says “b”) or when someone says “c”."
        );
        assert_eq!(
            ends_when(Some(&all(json!([a, any(json!([b, c]))]))), None),
            "It ends once all of this has happened: when someone says “a”; (when someone says “b” or when someone says “c”)."
        );
        // One alone is as if it stood there by itself.
        assert_eq!(
            ends_when(Some(&any(json!([all(json!([a])), c]))), None),
            "It ends when someone says “a” or when someone says “c”."
        );
        assert_eq!(
            ends_when(Some(&all(json!([a, all(json!([any(json!([b, c]))]))]))), None),
            "It ends once all of this has happened: when someone says “a”; (when someone says “b” or when someone says “c”)."
        );
    }

    #[test]
    fn who_is_meant_and_how_much_is_said() {
        for (condition, words) in [
            (json!({ "kind": "source_match", "sources": ["a", "b"] }), "when a or b has spoken"),
            (json!({ "kind": "source_match", "sources": [] }), "when nobody, as none is named, has spoken"),
            (json!({ "kind": "text_message", "source": "a" }), "after a message of plain text from a"),
            (json!({ "kind": "text_message" }), "after a message of plain text from anybody, as the task is"),
            (json!({ "kind": "token_usage", "max_total": 1000 }), "when it has used 1000 tokens"),
            (
                json!({ "kind": "token_usage", "max_prompt": 900, "max_completion": 1 }),
                "when it has used 900 tokens of prompts or 1 token of answers",
            ),
            (json!({ "kind": "token_usage" }), "never by its tokens, as no number of them is given"),
            (json!({ "kind": "timeout", "seconds": 0.5 }), "after 0.5 seconds"),
            (
                json!({ "kind": "max_messages", "max_messages": 5, "include_agent_event": true }),
                "after 5 messages, the task among them and calls of tools as well",
            ),
            (json!({ "kind": "external" }), "when it is told from outside to end"),
        ] {
            assert_eq!(ends_when(Some(&condition), None), format!("It ends {words}."));
        }
    }
}
