//! JSON schemas by which values are checked in bounded time.

use std::fmt::{self, Write};

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Bytes of a schema at most, as JSON text.
const LONGEST_SCHEMA: usize = 64 * 1024;
/// The most objects and lists in a schema.
const LARGEST_SCHEMA: usize = 512;
/// Keywords whose cost can double with each level of a schema, so that a short one is checked without end.
const UNBOUNDED: [&str; 5] =
    ["$ref", "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"];
/// Bytes of one fault's sentence at most: it quotes the value, which may be long.
const LONGEST_FAULT: usize = 400;

/// A JSON schema by which a value is checked in time that the lengths of both bound.
#[derive(Debug)]
pub struct BoundedSchema(Validator);

/// What does not fit a schema, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place in the value, as a JSON pointer; empty for the whole of it.
    pub place: String,
    /// What is wrong there, without a full stop.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => formatter.write_str(&self.why),
            place => write!(formatter, "{place}: {}", self.why),
        }
    }
}

impl BoundedSchema {
    /// The schema, which somebody else may have written.
    ///
    /// # Errors
    /// It is no JSON schema, or one by which a value might be checked without end; the text says why, without
    /// a full stop.
    pub fn new(schema: &Value) -> Result<Self, String> {
        if schema.to_string().len() > LONGEST_SCHEMA {
            return Err("it is longer than 64 KiB".to_owned());
        }
        let mut left = vec![schema];
        let mut parts = 0;
        while let Some(part) = left.pop() {
            match part {
                Value::Object(fields) => {
                    if let Some(keyword) = UNBOUNDED.iter().find(|keyword| fields.contains_key(**keyword)) {
                        return Err(format!(
                            "\"{keyword}\" stands in it, which is not supported: write out what is meant"
                        ));
                    }
                    left.extend(fields.values());
                }
                Value::Array(values) => left.extend(values),
                _ => continue,
            }
            parts += 1;
            if parts > LARGEST_SCHEMA {
                return Err(format!("it has more than {LARGEST_SCHEMA} parts"));
            }
        }
        // This engine for patterns never goes back, so that it takes no longer than a text is long.
        let patterns = PatternOptions::regex();
        let built = jsonschema::options().with_pattern_options(patterns).build(schema);
        built.map(Self).map_err(|error| error.to_string())
    }

    /// The first faults of a value; none if it fits.
    pub fn faults(&self, value: &Value, most: usize) -> Vec<Fault> {
        let fault = |error: jsonschema::ValidationError<'_>| {
            let mut why = Beginning(String::new());
            // It ends with an error where it was cut.
            let _ = write!(why, "{error}");
            Fault { place: error.instance_path().to_string(), why: why.0 }
        };
        self.0.iter_errors(value).take(most).map(fault).collect()
    }
}

/// Takes the beginning of what is written, and says by an error that no more is taken.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST_FAULT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push_str(" …");
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_stand_at_their_places_and_are_as_many_and_as_long_as_allowed() {
        let item = json!({ "type": "string", "maxLength": 3 });
        let schema = json!({ "properties": { "words": { "items": item } }, "required": ["voice"] });
        let schema = BoundedSchema::new(&schema).unwrap();
        assert_eq!(schema.faults(&json!({ "words": ["ab"], "voice": 1 }), 9), []);
        let words = json!({ "words": ["ä".repeat(10_000), "ab", 7], "voice": 1 });
        let faults = schema.faults(&words, 9);
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["/words/0", "/words/2"]);
        assert!(faults[0].why.len() < LONGEST_FAULT + 10 && faults[0].why.ends_with('…'), "{faults:?}");
        assert_eq!(schema.faults(&words, 1).len(), 1);
        let lacking = &schema.faults(&json!({}), 9)[0];
        assert!(lacking.place.is_empty() && lacking.to_string().contains("voice"), "{lacking}");
    }
}
