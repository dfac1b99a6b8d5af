//! The JSON object in what a model wrote: read leniently, checked strictly.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use thiserror::Error;

/// Why there is no object in a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// There is none.
    #[error("there is no JSON object in it")]
    NoObject,
    /// There is JSON, but not an object.
    #[error("it is JSON, but not an object")]
    NotAnObject,
    /// The object ends too early.
    #[error("the JSON object is cut off")]
    CutOff,
    /// Objects and lists stand in each other deeper than is read.
    #[error("its objects and lists are nested deeper than {0} levels")]
    TooDeep(usize),
    /// The object has an error.
    #[error("the JSON object has an error: {0}")]
    Malformed(String),
}

/// The one JSON object in a model's answer: the whole text, or else (without `<think>…</think>`) in a
/// fenced block, or else from the first `{` that begins an object to its `}`. An object inside of a
/// broken one is never taken for it.
///
/// # Errors
/// [`JsonError`] says why there is none.
pub fn extract_json(text: &str) -> Result<Value, JsonError> {
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
        return Ok(value);
    }
    let spoken = without_thoughts(text);
    let fenced = spoken.split("```").skip(1).step_by(2).find_map(|block| first_object(block).ok());
    fenced.map_or_else(|| first_object(&spoken), Ok)
}

/// The object in a model's answer as a `T`.
///
/// # Errors
/// A text that says to the model what is wrong, to ask it again with.
pub fn parse_structured<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let ask = |reason: String| {
        format!(
            "Your answer could not be used: {reason}. \
             Answer again with nothing but one complete JSON object of the form asked for."
        )
    };
    let object = extract_json(text).map_err(|error| ask(error.to_string()))?;
    serde_json::from_value(object)
        .map_err(|error| ask(format!("the JSON object has the wrong form: {error}")))
}

/// The text without what stands between `<think>` and `</think>`. Some models leave out the first tag,
/// and those cut off the last one.
fn without_thoughts(text: &str) -> String {
    const OPEN: &str = "<think>";
    const CLOSE: &str = "</think>";
    let mut spoken = String::new();
    let mut rest = text;
    if let Some((thoughts, after)) = rest.split_once(CLOSE)
        && !thoughts.contains(OPEN)
    {
        rest = after;
    }
    while let Some((before, after)) = rest.split_once(OPEN) {
        spoken.push_str(before);
        rest = after.split_once(CLOSE).map_or("", |(_, after)| after);
    }
    spoken.push_str(rest);
    spoken
}

fn first_object(text: &str) -> Result<Value, JsonError> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => return Ok(value),
        Ok(_) => return Err(JsonError::NotAnObject),
        Err(_) => {}
    }
    // Braces in prose are not followed by a quote.
    let begins = |start: &usize| text[start + 1..].trim_start().starts_with('"');
    let mut braces = text.match_indices('{').map(|(start, _)| start);
    let start = braces.find(begins).ok_or(JsonError::NoObject)?;
    match Deserializer::from_str(&text[start..]).into_iter::<Value>().next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if error.is_eof() => Err(JsonError::CutOff),
        Some(Err(error)) => Err(JsonError::Malformed(error.to_string())),
        None => Err(JsonError::NoObject),
    }
}
