use std::{collections::BTreeMap, sync::Arc};

use protocol::{Patch, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::NodeError;

/// The keyed state of a run after the finished visits. Clones share the values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State(BTreeMap<String, Arc<Value>>);

impl State {
    /// The value of `key`, or `None` if no node has set it.
    ///
    /// # Errors
    /// The value is there but of another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, NodeError> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        T::deserialize(value.as_ref()).map(Some).map_err(|error| {
            NodeError::failed(format!("The run's state has an unexpected value under \"{key}\": {error}"))
        })
    }

    /// The text under `key`, or an empty text if there is none.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(|value| value.as_str()).unwrap_or_default()
    }

    /// Applies a patch: a value replaces the old one, or is appended to the key's list.
    pub(crate) fn merge(&mut self, patch: &Patch, appends: impl Fn(&str) -> bool) {
        for (key, text) in patch {
            // The engine encodes patches as JSON, so text that is no JSON can only be a plain string.
            let value = text.whole().map_or(Value::Null, |json| {
                serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
            });
            if appends(key) {
                let list = self.0.entry(key.clone()).or_insert_with(|| Arc::new(Value::Array(Vec::new())));
                match Arc::make_mut(list) {
                    Value::Array(list) => list.push(value),
                    other => *other = Value::Array(vec![other.take(), value]),
                }
            } else {
                self.0.insert(key.clone(), Arc::new(value));
            }
        }
    }
}

pub(crate) fn encode(patch: BTreeMap<String, Value>) -> Patch {
    patch.into_iter().map(|(key, value)| (key, Text::from(value.to_string()))).collect()
}
