//! Fields for the properties of a JSON schema.

use serde_json::Value;

use crate::{components::json::MOST_ENTRIES, format, legible::legible};

/// A property as a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is for.
    pub hint: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// What it takes.
    pub kind: Kind,
    /// What stands there at first: its default.
    pub initial: String,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of these; typed as their JSON.
    Choice(Vec<Value>),
    /// Anything else, as JSON.
    Json,
}

/// The fields of an object's schema, in their order; `None` for any other schema, and for one with
/// more properties than a person can fill in.
pub fn fields(schema: &Value) -> Option<Vec<Field>> {
    let properties = schema.get("properties")?.as_object()?;
    if schema.get("type").is_some_and(|kind| kind != "object")
        || !(1..=MOST_ENTRIES).contains(&properties.len())
    {
        return None;
    }
    let words = |text: &str| legible(text).into_owned();
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    let field = |(name, property): (&String, &Value)| {
        let said = |key: &str| property.get(key).and_then(Value::as_str).map(words);
        let kind = kind_of(property);
        Field {
            name: name.clone(),
            title: said("title").unwrap_or_else(|| words(&format::field(name))),
            hint: said("description"),
            required: is_required(name),
            initial: property.get("default").map(|value| typed(&kind, value)).unwrap_or_default(),
            kind,
        }
    };
    Some(properties.iter().map(field).collect())
}

fn kind_of(property: &Value) -> Kind {
    if let Some(options) = property.get("enum").and_then(Value::as_array)
        && options.len() <= MOST_ENTRIES
    {
        return Kind::Choice(options.clone());
    }
    match property.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("number") => Kind::Number,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        _ => Kind::Json,
    }
}

/// A value as it would be typed.
fn typed(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

/// The value that was typed; `None` where an optional field was left empty.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn read(field: &Field, typed: &str) -> Result<Option<Value>, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return if field.required { Err("This is needed.".into()) } else { Ok(None) };
    }
    let value = match &field.kind {
        Kind::Text => Value::String(typed.to_owned()),
        Kind::Integer => Value::from(typed.parse::<i64>().map_err(|_| "Write a whole number, such as 10.")?),
        Kind::Number => {
            Value::Number(serde_json::from_str(typed).map_err(|_| "Write a number, such as 1.5.")?)
        }
        Kind::Boolean | Kind::Choice(_) => {
            serde_json::from_str(typed).map_err(|_| "Choose one of these.".to_owned())?
        }
        Kind::Json => {
            serde_json::from_str(typed).map_err(|error| format!("This is not valid JSON: {error}."))?
        }
    };
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "size_limit": { "type": "integer", "description": "Shares at most", "default": 10 },
                "mood": { "enum": ["calm", "bold"] },
                "hedge": { "type": "boolean", "title": "Hedge it" },
                "share": { "type": "number" },
                "notes": { "type": "array" },
                "why": { "type": "string" }
            },
            "required": ["size_limit", "why"]
        })
    }

    #[test]
    fn every_property_becomes_a_field_that_fits_its_type() {
        let fields = fields(&schema()).unwrap();
        let kinds: Vec<_> = fields.iter().map(|field| (field.title.as_str(), &field.kind)).collect();
        let moods = Kind::Choice(vec![json!("calm"), json!("bold")]);
        assert_eq!(
            kinds,
            [
                ("Size limit", &Kind::Integer),
                ("Mood", &moods),
                ("Hedge it", &Kind::Boolean),
                ("Share", &Kind::Number),
                ("Notes", &Kind::Json),
                ("Why", &Kind::Text)
            ]
        );
        assert_eq!((fields[0].required, fields[0].initial.as_str()), (true, "10"));
        assert_eq!(fields[0].hint.as_deref(), Some("Shares at most"));
    }

    #[test]
    fn what_is_typed_becomes_a_value_or_a_sentence() {
        let fields = fields(&schema()).unwrap();
        assert_eq!(read(&fields[0], " 12 "), Ok(Some(json!(12))));
        assert!(read(&fields[0], "1.5").is_err());
        assert!(read(&fields[0], "").is_err());
        assert_eq!(read(&fields[1], "\"bold\""), Ok(Some(json!("bold"))));
        assert_eq!(read(&fields[2], "true"), Ok(Some(json!(true))));
        assert_eq!(read(&fields[3], "1.5"), Ok(Some(json!(1.5))));
        assert_eq!(read(&fields[3], ""), Ok(None));
        assert!(read(&fields[4], "[1").unwrap_err().contains("not valid JSON"));
        assert_eq!(read(&fields[5], "because"), Ok(Some(json!("because"))));
    }

    #[test]
    fn a_schema_of_any_size_is_asked_for_in_a_form_that_can_be_drawn() {
        let many = |count: usize| {
            (0..count).map(|name| (name.to_string(), json!({}))).collect::<serde_json::Map<_, _>>()
        };
        assert_eq!(fields(&json!({ "properties": many(100_000) })), None);
        let options = (0..100_000).map(Value::from).collect::<Vec<_>>();
        let fields =
            fields(&json!({ "properties": { "a\0": { "enum": options, "description": "b\0" } } })).unwrap();
        assert_eq!((&fields[0].kind, fields[0].title.as_str()), (&Kind::Json, "A\u{fffd}"));
        assert_eq!((fields[0].name.as_str(), fields[0].hint.as_deref()), ("a\0", Some("b\u{fffd}")));
    }

    #[test]
    fn a_schema_that_is_no_object_has_no_fields() {
        assert_eq!(fields(&json!({ "type": "array" })), None);
        assert_eq!(fields(&json!({ "type": "object" })), None);
    }
}
