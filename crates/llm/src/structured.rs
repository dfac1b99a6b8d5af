//! The JSON object in a model's text: read leniently, validated strictly.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    AnswerSchema, form,
    json::{self, JsonError},
    thoughts,
};

/// The one JSON object in a model's answer: the whole text, or else (without thoughts) the one in a fenced
/// block, or else the one from the first `{` that begins an object to its `}`. An object within a broken one
/// is never taken for it.
///
/// Raw line breaks in strings, unknown escapes and a comma after the last element are understood; a field
/// with two values is not, nor is nesting deeper than 64 levels.
///
/// # Errors
/// [`JsonError`] says why there is none.
pub fn extract_json(text: &str) -> Result<Value, JsonError> {
    if let Ok(object @ Value::Object(_)) = json::unambiguous(text) {
        return Ok(object);
    }
    let answer = thoughts::answer_of(text);
    // An object's strings may hold fenced code of their own.
    let begins_with_it = answer.trim_start().starts_with('{');
    let blocks = answer.split("```").skip(1).step_by(2).filter(|_| !begins_with_it);
    let fenced: Vec<Value> = blocks.filter_map(|block| only_object(block).ok()).collect();
    if fenced.is_empty() { only_object(&answer) } else { only(fenced) }
}

/// Decodes the object in a model's answer as a `T`, which has the form of the schema. Other spellings of
/// field names and of fixed words (`enum`) are understood where they can mean one thing only.
///
/// # Errors
/// A sentence for the model that says what is wrong, for asking again.
pub fn parse_structured<T: DeserializeOwned>(text: &str, form: &AnswerSchema) -> Result<T, String> {
    let ask = |reason: String| {
        format!(
            "Your answer could not be used: {reason}. \
             Answer again with nothing but one complete JSON object of the form asked for."
        )
    };
    let mut object = extract_json(text).map_err(|error| ask(error.to_string()))?;
    form::fit(&mut object, &form.schema).map_err(ask)?;
    serde_json::from_value(object)
        .map_err(|error| ask(format!("the JSON object has the wrong form: {error}")))
}

/// The one object in a text.
fn only_object(text: &str) -> Result<Value, JsonError> {
    if matches!(json::unambiguous(text), Ok(value) if !value.is_object()) {
        return Err(JsonError::NotAnObject);
    }
    let mut objects = Vec::new();
    let mut rest = text;
    while let Some(start) = beginning(rest) {
        rest = &rest[start..];
        let read = json::respell(rest).and_then(|read| Ok((read.unambiguous()?, read.end)));
        match read {
            Ok((object, end)) => {
                objects.push(object);
                rest = &rest[end..];
            }
            Err(error) if objects.is_empty() => return Err(error),
            // Text after the object.
            Err(_) => break,
        }
    }
    only(objects)
}

/// Where an object begins: braces in prose are not followed by a quote.
fn beginning(text: &str) -> Option<usize> {
    let mut braces = text.match_indices('{').map(|(start, _)| start);
    braces.find(|start| text[start + 1..].trim_start().starts_with('"'))
}

/// The object, if all candidates are equal.
fn only(objects: Vec<Value>) -> Result<Value, JsonError> {
    let mut objects = objects.into_iter();
    let first = objects.next().ok_or(JsonError::NoObject)?;
    if objects.all(|other| other == first) { Ok(first) } else { Err(JsonError::Several) }
}
