//! JSON that a model or a file wrote, read within bounds.

use serde_json::Value;

use crate::legible::legible;

/// Entries of a list or an object that are shown each by itself; with more, the JSON is shown.
pub const MOST_ENTRIES: usize = 200;
/// Levels that are set off. The reader itself refuses more than 128.
const DEEPEST: usize = 16;
/// Bytes that are read as JSON; anything longer is shown as it is.
const LONGEST: usize = 256 * 1024;

/// Reads a value. `None` for what is no JSON, and for what is too deep or too long to be set out.
pub fn read(text: &str) -> Option<Value> {
    let is_short = text.len() <= LONGEST;
    let value = is_short.then(|| serde_json::from_str(text).ok()).flatten();
    value.filter(|value| is_within(value, DEEPEST))
}

/// Whether a value has at most so many levels.
fn is_within(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => false,
        (Value::Array(values), _) => values.iter().all(|value| is_within(value, levels - 1)),
        (Value::Object(fields), _) => fields.values().all(|value| is_within(value, levels - 1)),
        _ => true,
    }
}

/// JSON with line breaks, and a JSON string as the text that it holds; anything else, such as the
/// beginning of JSON, as it is.
pub fn indented(text: &str) -> String {
    let value = text.starts_with(['"', '{', '[']).then(|| read(text)).flatten();
    match value {
        Some(Value::String(text)) => legible(&text).into_owned(),
        Some(value) => format!("{value:#}"),
        None => legible(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_a_string_is_its_text() {
        assert_eq!(indented(r#"{"a":[1]}"#), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(indented(r#""one\ntwo\u0000""#), "one\ntwo\u{fffd}");
        for kept in ["prose", "{\"a\": 1", "\"a", ""] {
            assert_eq!(indented(kept), kept);
        }
    }

    #[test]
    fn what_would_swell_by_being_indented_stays_as_it_is() {
        for text in [
            format!("{}{}", "[".repeat(100), "]".repeat(100)),
            "[".repeat(1_000_000),
            format!("[{}1]", "1,".repeat(200_000)),
            format!("{}{}", r#"{"a":"#.repeat(500_000), "}".repeat(500_000)),
        ] {
            assert_eq!(indented(&text), text);
        }
    }
}
