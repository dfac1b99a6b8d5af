use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use crate::bounds::beginning;

/// Bytes of a schema at most, as JSON text: every request to the model carries it.
const LARGEST: usize = 16 * 1024;
/// Levels of nesting at most; some providers refuse more.
const DEEPEST: usize = 24;
/// Bytes of a sentence about arguments that do not fit.
const LONGEST_REASON: usize = 400;
/// Keywords by which a schema names a part of itself or another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// The JSON schema of a tool's arguments, which are an object.
#[derive(Clone, Debug)]
pub struct ArgumentSchema {
    schema: Value,
    /// `None` where the schema has references: they can go round in circles for ever, so arguments are left to the
    /// tool to check.
    validator: Option<Arc<Validator>>,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Arguments are always an object.
    #[error("the schema of its arguments is not one of an object")]
    NoObject,
    /// It would be sent with every request.
    #[error("the schema of its arguments has {0} bytes, more than {LARGEST}")]
    TooLarge(usize),
    /// Nobody could follow it.
    #[error("the schema of its arguments nests deeper than {DEEPEST} levels")]
    TooDeep,
    /// It is no JSON schema.
    #[error("the schema of its arguments is not valid: {0}")]
    Invalid(String),
}

impl ArgumentSchema {
    /// A schema that somebody else may have written.
    ///
    /// # Errors
    /// It is too large, too deep, not valid, or not one of an object.
    pub fn new(schema: Value) -> Result<Self, SchemaError> {
        let Value::Object(mut schema) = schema else { return Err(SchemaError::NoObject) };
        // Some servers leave out what goes without saying; some providers demand it.
        let kind = schema.entry("type").or_insert_with(|| json!("object"));
        if kind != "object" {
            return Err(SchemaError::NoObject);
        }
        schema.entry("properties").or_insert_with(|| json!({}));
        let schema = Value::Object(schema);
        if depth(&schema) > DEEPEST {
            return Err(SchemaError::TooDeep);
        }
        let size = schema.to_string().len();
        if size > LARGEST {
            return Err(SchemaError::TooLarge(size));
        }
        let validator = if has_references(&schema) {
            None
        } else {
            let built = jsonschema::options()
                // An engine whose time grows with the text alone, whatever the pattern.
                .with_pattern_options(PatternOptions::regex())
                .build(&schema)
                .map_err(|error| SchemaError::Invalid(shown(&error.to_string())))?;
            Some(Arc::new(built))
        };
        Ok(Self { schema, validator })
    }

    /// The schema as JSON.
    pub fn as_json(&self) -> &Value {
        &self.schema
    }

    /// Whether the arguments fit.
    ///
    /// # Errors
    /// They do not; the text says where and why, without a full stop.
    pub fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let Some(validator) = &self.validator else { return Ok(()) };
        let arguments = Value::Object(arguments.clone());
        validator.validate(&arguments).map_err(|error| {
            let place = error.instance_path().to_string();
            let reason = shown(&error.to_string());
            if place.is_empty() { reason } else { format!("{reason} (at {})", shown(&place)) }
        })
    }
}

fn shown(text: &str) -> String {
    beginning(text, LONGEST_REASON).to_owned()
}

/// Levels of objects and lists. What is read from text has at most 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_references(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_references),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| REFERENCES.contains(&key.as_str()) || has_references(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_without_saying_is_added() {
        let schema = ArgumentSchema::new(json!({})).unwrap();
        assert_eq!(schema.as_json(), &json!({ "type": "object", "properties": {} }));
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_refused_with_the_reason() {
        let nested = (0..40).fold(json!({}), |inner, _| json!({ "properties": { "a": inner } }));
        let refused = |schema| ArgumentSchema::new(schema).unwrap_err();
        assert_eq!(refused(json!("text")), SchemaError::NoObject);
        assert_eq!(refused(json!({ "type": "string" })), SchemaError::NoObject);
        assert_eq!(refused(nested), SchemaError::TooDeep);
        let large = json!({ "description": "a".repeat(LARGEST) });
        assert!(matches!(refused(large), SchemaError::TooLarge(bytes) if bytes > LARGEST));
        let refused = refused(json!({ "properties": { "a": { "type": "x".repeat(10_000) } } }));
        assert!(matches!(&refused, SchemaError::Invalid(_)) && refused.to_string().len() < 600, "{refused}");
    }

    #[test]
    fn a_schema_that_refers_to_itself_for_ever_harms_nothing() {
        let circle = json!({ "allOf": [{ "$ref": "#/allOf/0" }], "$defs": { "a": { "$ref": "#/$defs/a" } } });
        let arguments = json!({ "a": 1 });
        let schema = ArgumentSchema::new(circle).unwrap();
        assert_eq!(schema.check(arguments.as_object().unwrap()), Ok(()));
    }

    #[test]
    fn arguments_are_held_against_the_schema() {
        let schema = json!({
            "properties": { "symbol": { "type": "string", "pattern": "^(a+)+$" } },
            "required": ["symbol"],
        });
        let schema = ArgumentSchema::new(schema).unwrap();
        let check = |arguments: Value| schema.check(arguments.as_object().unwrap());
        assert_eq!(check(json!({ "symbol": "aaa" })), Ok(()));
        assert!(check(json!({})).unwrap_err().contains("symbol"));
        assert!(check(json!({ "symbol": 1 })).unwrap_err().contains("(at /symbol)"));
        let long = check(json!({ "symbol": format!("{}!", "a".repeat(50_000)) })).unwrap_err();
        assert!(long.len() < 600, "{long}");
    }
}
