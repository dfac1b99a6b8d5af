//! JSON as models and servers write it: accepted where it means one thing, within bounds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The deepest nesting of objects and lists that is read.
const DEPTH: usize = 64;

/// Why a text has no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// There is none.
    #[error("there is no JSON object in it")]
    NoObject,
    /// There is JSON, but not an object.
    #[error("it is JSON, but not an object")]
    NotAnObject,
    /// There are several objects that differ.
    #[error("there are several JSON objects in it that differ")]
    Several,
    /// The object is cut off.
    #[error("the JSON object is cut off")]
    CutOff,
    /// The nesting exceeds the limit.
    #[error("its objects and lists are nested deeper than {0} levels")]
    TooDeep(usize),
    /// A syntax error.
    #[error("the JSON object has an error: {0}")]
    Malformed(String),
}

/// A JSON value respelled as strict JSON.
pub(crate) struct StrictJson {
    /// The value as every reader understands it.
    text: String,
    /// Where the value ends in the original text.
    pub(crate) end: usize,
}

impl StrictJson {
    /// The value. A field that occurs twice in an object must have the same value both times.
    pub(crate) fn unambiguous(&self) -> Result<Value, JsonError> {
        self.read(DuplicateFields::Refuse)
    }

    fn read(&self, doubled: DuplicateFields) -> Result<Value, JsonError> {
        let mut text = serde_json::Deserializer::from_str(&self.text);
        let value = Reader(doubled).deserialize(&mut text).map_err(malformed)?;
        text.end().map_err(malformed)?;
        Ok(value)
    }
}

/// The value that is the whole text. Of a field that occurs twice in an object, the last value that is not
/// empty counts.
pub(crate) fn read(text: &str) -> Result<Value, JsonError> {
    whole(text)?.read(DuplicateFields::TakeLast)
}

/// The value that is the whole text. A field that occurs twice in an object must have the same value both
/// times.
pub(crate) fn unambiguous(text: &str) -> Result<Value, JsonError> {
    whole(text)?.unambiguous()
}

fn whole(text: &str) -> Result<StrictJson, JsonError> {
    let read = respell(text)?;
    if text[read.end..].chars().all(is_blank) {
        Ok(read)
    } else {
        Err(JsonError::Malformed("something follows the JSON value".to_owned()))
    }
}

fn malformed(error: serde_json::Error) -> JsonError {
    JsonError::Malformed(error.to_string())
}

/// Whether a character between two tokens is ignored.
fn is_blank(character: char) -> bool {
    // Unicode does not count byte order marks and zero-width joiners as white space.
    character.is_whitespace() || matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Respells the value at the beginning of a text as strict JSON. Accepted beyond JSON:
///
/// - raw line breaks and other control characters in strings;
/// - escapes that JSON does not know: `\'` is a quote, another backslash stands for itself;
/// - unpaired surrogates (`\ud83d` alone), which become U+FFFD;
/// - a comma after the last element;
/// - any white space between tokens.
///
/// Other errors are left for the strict reader to find.
pub(crate) fn respell(text: &str) -> Result<StrictJson, JsonError> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut closers = Vec::new();
    let mut comma = false;
    let mut position = 0;
    while let Some(character) = text[position..].chars().next() {
        let here = position;
        position += character.len_utf8();
        if is_blank(character) {
            out.push(' ');
            continue;
        }
        if comma && !matches!(character, '}' | ']') {
            out.push(',');
        }
        comma = false;
        match character {
            ',' => comma = true,
            '"' => position = respell_string(text, position, &mut out)?,
            '{' | '[' if closers.len() == DEPTH => return Err(JsonError::TooDeep(DEPTH)),
            '{' | '[' => {
                closers.push(if character == '{' { '}' } else { ']' });
                out.push(character);
            }
            '}' | ']' => {
                if closers.pop() != Some(character) {
                    return Err(JsonError::Malformed(format!("there is a `{character}` in the wrong place")));
                }
                out.push(character);
            }
            other => out.push(other),
        }
        let follows = text[position..].chars().next();
        let is_scalar = |character: char| !matches!(character, ',' | ']' | '}') && !is_blank(character);
        // A number or a word ends where another token begins.
        let goes_on = !matches!(character, '"' | '}' | ']') && follows.is_some_and(is_scalar);
        if closers.is_empty() && !goes_on {
            return if comma {
                Err(JsonError::Malformed("it begins with a comma".to_owned()))
            } else {
                Ok(StrictJson { text: out, end: position })
            };
        }
        debug_assert!(position > here, "each turn takes a character");
    }
    Err(if out.trim().is_empty() { JsonError::NoObject } else { JsonError::CutOff })
}

/// Copies a string after its opening quote, and returns where it ends.
fn respell_string(text: &str, start: usize, out: &mut String) -> Result<usize, JsonError> {
    out.push('"');
    let mut rest = text[start..].char_indices();
    while let Some((at, character)) = rest.next() {
        match character {
            '"' => {
                out.push('"');
                return Ok(start + at + 1);
            }
            '\\' => {
                let escape = &text[start + at..];
                let taken = respell_escape(escape, out).ok_or(JsonError::CutOff)?;
                // The backslash is consumed already.
                for _ in 1..escape[..taken].chars().count() {
                    rest.next();
                }
            }
            control if u32::from(control) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    Err(JsonError::CutOff)
}

/// Copies the escape at the beginning of a text, and returns how many bytes of it were read; `None` if the
/// text ends within it.
fn respell_escape(text: &str, out: &mut String) -> Option<usize> {
    let escaped = text.chars().nth(1)?;
    match escaped {
        '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
            out.push('\\');
            out.push(escaped);
            Some(2)
        }
        '\'' => {
            out.push('\'');
            Some(2)
        }
        'u' => match unit(text) {
            Some(0xD800..=0xDBFF) if matches!(text.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => {
                out.push_str(&text[..12]);
                Some(12)
            }
            Some(0xD800..=0xDFFF) => {
                out.push('\u{FFFD}');
                Some(6)
            }
            Some(_) => {
                out.push_str(&text[..6]);
                Some(6)
            }
            None => {
                out.push_str("\\\\");
                Some(1)
            }
        },
        _ => {
            out.push_str("\\\\");
            Some(1)
        }
    }
}

/// The code unit of an escape such as `\u00e4` at the beginning of a text.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// What to do with a field that occurs in an object again, with another value.
#[derive(Clone, Copy)]
enum DuplicateFields {
    Refuse,
    /// Takes the last value, but never an empty one over another.
    TakeLast,
}

/// Reads a value.
#[derive(Clone, Copy)]
struct Reader(DuplicateFields);

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(self)?;
            match (object.get(&name), self.0) {
                (Some(_), DuplicateFields::TakeLast) if is_empty_value(&value) => None,
                (Some(before), DuplicateFields::Refuse) if *before != value => {
                    let shown: String = name.chars().take(40).collect();
                    return Err(A::Error::custom(format!(
                        "`{shown}` stands in it twice with different values"
                    )));
                }
                _ => object.insert(name, value),
            };
        }
        Ok(object.into())
    }
}

/// Whether a value is empty: null, or an empty text, list or object.
pub(crate) fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_json_but_means_one_thing_is_read() {
        for (text, means) in [
            ("{\"a\": \"one\ntwo\r\n\tthree\"}", json!({"a": "one\ntwo\r\n\tthree"})),
            ("{\"a\": \"\u{0}\u{1b}\u{7f}\"}", json!({"a": "\u{0}\u{1b}\u{7f}"})),
            (
                r#"{"a": "it\'s \$5 \(x\) \u12 \ud83d \ude00!"}"#,
                json!({"a": "it's \\$5 \\(x\\) \\u12 \u{FFFD} \u{FFFD}!"}),
            ),
            (r#"{"a": "\ud83d\ude00\u00e4\\\"\/"}"#, json!({"a": "😀ä\\\"/"})),
            ("{\"a\": \"\\\nb\"}", json!({"a": "\\\nb"})),
            (r#"{"a": [1, 2, ], }"#, json!({"a": [1, 2]})),
            ("\u{FEFF}{\u{a0}\"a\":\u{200b}1}\u{3000}", json!({"a": 1})),
            (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
            (r#"{"a": {"b": 1, "b": null}, "a": {}}"#, json!({"a": {"b": 1}})),
            (" 7 ", json!(7)),
            ("\"x\"", json!("x")),
            ("true", json!(true)),
            ("[]", json!([])),
        ] {
            assert_eq!(read(text), Ok(means), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_otherwise_is_refused() {
        for text in [
            "{]",
            "[1 2]",
            "{\"a\" 1}",
            "{\"a\":1,,}",
            "tru",
            "{\"a\":1} x",
            "1 2",
            ",",
            "{'a': 1}",
            "[1e999]",
        ] {
            assert!(matches!(read(text), Err(JsonError::Malformed(_))), "{text}: {:?}", read(text));
        }
        for text in ["{", "[1,", "{\"a", "\"\\", "{\"a\": \"\\u12"] {
            assert_eq!(read(text), Err(JsonError::CutOff), "{text}");
        }
        assert_eq!(read(" \n"), Err(JsonError::NoObject));
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEPTH)).is_ok());
        assert_eq!(read(&nested(DEPTH + 1)), Err(JsonError::TooDeep(DEPTH)));
        assert_eq!(read(&"{\"a\":".repeat(1_000_000)), Err(JsonError::TooDeep(DEPTH)));
    }

    #[test]
    fn a_field_with_two_values_is_ambiguous() {
        let read = |text: &str| respell(text).unwrap().unambiguous();
        assert_eq!(read(r#"{"a": [1], "a": [1]}"#), Ok(json!({"a": [1]})));
        let error = read(r#"{"a": {"grade": "buy", "grade": "sell"}}"#).unwrap_err();
        assert!(error.to_string().contains("`grade` stands in it twice"), "{error}");
    }

    proptest! {
        #[test]
        fn every_string_is_read_as_it_was_meant(text in any::<String>()) {
            // With raw control characters, as models write them.
            let written = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(read(&written), Ok(json!(text)));
        }

        #[test]
        fn strict_json_means_the_same(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
            let written = json!({ "a": [text, number, { "b": whole }], text: null }).to_string();
            let value: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read(&written), Ok(value.clone()));
            prop_assert_eq!(unambiguous(&written), Ok(value));
        }

        #[test]
        fn no_text_of_telling_characters_makes_it_panic(text in "([{}\\[\\]\",:\\\\ u1ad8😀\n]|\\\\u|ud83d)*") {
            let _ = read(&text);
        }
    }
}
