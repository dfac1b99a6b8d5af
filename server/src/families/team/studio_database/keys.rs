//! The keys that stand in a database, so that none goes along.

use std::collections::BTreeSet;

use database::ForeignError;
use serde_json::Value;

use super::tables::{self, Tables};

/// Characters from which on a text in the place of a key counts as one: shorter ones are found in texts by chance.
const SHORTEST: usize = 8;
/// The most keys that are looked for.
const MOST_KEYS: usize = 1_000;
/// What stands in the place of a key.
const REMOVED: &str = "(a key was left out)";

/// The keys that stand in a database, so that they are found wherever else they were written: in what somebody said,
/// in an error of a provider, in the name of a session.
#[derive(Default)]
pub(super) struct Keys(BTreeSet<String>);

impl Keys {
    /// The keys in teams, galleries and settings.
    pub(super) async fn of(tables: &mut Tables) -> Result<Self, ForeignError> {
        let mut keys = Self::default();
        let (teams, _) = tables.teams(usize::MAX).await?;
        let (galleries, _) = tables.galleries(usize::MAX).await?;
        let settings = tables.settings().await?;
        for row in teams.iter().chain(&galleries).chain(&settings) {
            if let Ok(value) = tables::json(&row.content) {
                keys.collect_environment(&value);
                let mut rest = value.clone();
                teamfile::without_keys(&mut rest);
                keys.collect(&value, Some(&rest));
            }
        }
        Ok(keys)
    }

    /// A value without keys, whichever they are.
    pub(super) fn removed_from(&self, mut value: Value) -> Value {
        teamfile::without_keys(&mut value);
        self.redact(&mut value);
        value
    }

    /// A text without these keys.
    pub(super) fn redacted(&self, text: &str) -> String {
        let known = self.0.iter().filter(|key| text.contains(key.as_str()));
        known.fold(text.to_owned(), |text, key| text.replace(key.as_str(), REMOVED))
    }

    /// Takes these keys out of all texts of a value.
    pub(super) fn redact(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.0.iter().any(|key| text.contains(key.as_str())) => {
                *text = self.redacted(text);
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.redact(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Collects the texts that are not the same in `rest`, which is the same value without keys.
    fn collect(&mut self, value: &Value, rest: Option<&Value>) {
        match value {
            Value::String(text) if rest.and_then(Value::as_str) != Some(text) => self.add(text),
            Value::Array(values) => {
                let rest = rest.and_then(Value::as_array);
                for (number, value) in values.iter().enumerate() {
                    self.collect(value, rest.and_then(|rest| rest.get(number)));
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.collect(value, rest.and_then(|rest| rest.get(name)));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Collects the values of an environment, each of which may be secret.
    fn collect_environment(&mut self, settings: &Value) {
        let variables = settings.get("environment").and_then(Value::as_array);
        for variable in variables.into_iter().flatten() {
            if let Some(value) = variable.get("value").and_then(Value::as_str) {
                self.add(value);
            }
        }
    }

    fn add(&mut self, key: &str) {
        let key = key.trim();
        if key.chars().count() >= SHORTEST && self.0.len() < MOST_KEYS {
            self.0.insert(key.to_owned());
        }
    }
}
