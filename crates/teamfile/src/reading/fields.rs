//! The fields of an object of a file: each is taken once, and what is left at the end is not known.

use serde_json::{Map, Value};

use super::importer::Importer;
use crate::{
    finding::{Problem, shown},
    limits::LONGEST_TEXT,
    place::Place,
    secret,
    team::Kept,
};

/// The fields of an object, with its place in the file.
pub(crate) struct Fields {
    map: Map<String, Value>,
    pub(crate) place: Place,
}

impl Fields {
    pub(crate) fn new(map: Map<String, Value>, place: Place) -> Self {
        Self { map, place }
    }

    /// A field as it stands there; nothing where it is null.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key)
    }

    /// A text. A number or a truth counts as its text.
    pub(crate) fn text(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<String> {
        let text = match self.take(key)? {
            Value::String(text) => text,
            value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
            _ => return self.wrong(key, "a text", importer),
        };
        if text.len() > LONGEST_TEXT {
            importer.tell(&self.place.at(key), Problem::TextTooLong { field: shown(key) });
            return None;
        }
        Some(text)
    }

    /// A text that is not blank.
    pub(crate) fn filled_text(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<String> {
        self.text(key, importer).filter(|text| !text.trim().is_empty())
    }

    pub(crate) fn truth(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(truth) => Some(truth),
            // In older YAML, `yes` and `on` are truths as well.
            Value::String(word) if is_one_of(&word, ["true", "yes", "on"]) => Some(true),
            Value::String(word) if is_one_of(&word, ["false", "no", "off"]) => Some(false),
            _ => self.wrong(key, "true or false", importer),
        }
    }

    /// A whole number, also as a text or with a point.
    pub(crate) fn count(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<u64> {
        let count = match self.take(key)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        count.or_else(|| self.wrong(key, "a whole number from 0", importer))
    }

    pub(crate) fn small_count(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<u32> {
        self.count(key, importer).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(crate) fn number(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<f64> {
        let number = match self.take(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .or_else(|| self.wrong(key, "a number from 0", importer))
    }

    pub(crate) fn list(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<Vec<Value>> {
        match self.take(key)? {
            Value::Array(values) => Some(values),
            _ => self.wrong(key, "a list", importer),
        }
    }

    pub(crate) fn texts(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<Vec<String>> {
        let texts = match self.take(key)? {
            Value::String(text) => vec![text],
            Value::Array(values) => {
                let texts = values.iter().filter_map(Value::as_str).map(str::to_owned);
                texts.collect()
            }
            _ => return self.wrong(key, "a list of texts", importer),
        };
        Some(texts)
    }

    pub(crate) fn object(&mut self, key: &str, importer: &mut Importer<'_>) -> Option<Map<String, Value>> {
        match self.take(key)? {
            Value::Object(fields) => Some(fields),
            _ => self.wrong(key, "an object", importer),
        }
    }

    fn wrong<T>(&self, key: &str, expected: &'static str, importer: &mut Importer<'_>) -> Option<T> {
        importer.tell(&self.place.at(key), Problem::WrongType { field: shown(key), expected });
        None
    }

    /// What is left is not known: each is told, and all of it is kept.
    pub(crate) fn rest(self, importer: &mut Importer<'_>) -> Kept {
        let place = self.place.clone();
        let rest = self.quiet_rest();
        for key in rest.keys() {
            importer.tell(&place.at(key), Problem::Ignored { field: shown(key) });
        }
        rest
    }

    /// What is left is not known, and what it belongs to has no place for it: it is kept with the whole.
    pub(crate) fn set_aside(self, importer: &mut Importer<'_>) {
        let place = self.place.clone();
        for (key, value) in self.rest(importer) {
            importer.set_aside(&place.at(key), value);
        }
    }

    /// What is left, without a word.
    pub(crate) fn quiet_rest(self) -> Kept {
        let mut rest = Value::Object(self.map);
        secret::without_marks(&mut rest);
        match rest {
            Value::Object(mut fields) => {
                fields.retain(|_, value| !value.is_null());
                fields
            }
            _ => Kept::new(),
        }
    }
}

fn is_one_of(word: &str, words: [&str; 3]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked before")]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
}
