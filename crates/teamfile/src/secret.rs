//! Keys do not stay in a team. Half of the team files that people share hold one: in the settings of a model, in
//! the environment of a tool server, in headers, addresses, arguments, and in the source of tools. All of these are
//! emptied while a file is read, so that no key is stored, shown or exported again.

mod source;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{limits::MOST_FINDINGS, place::Place};

pub(crate) use source::strip_source;

/// What stood in a file where a key belongs. The key itself is never kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFound {
    /// Nothing, or an empty text.
    #[default]
    None,
    /// Something that can be no key, such as `YOUR_API_KEY` or `not-needed`.
    Placeholder,
    /// What may be a real key.
    Present,
}

impl KeyFound {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// What the mark in the place of a key says.
    pub(crate) fn of_mark(mark: Option<&Value>) -> Self {
        match mark {
            None | Some(Value::Null) => Self::None,
            Some(Value::Bool(false)) => Self::Placeholder,
            Some(_) => Self::Present,
        }
    }

    /// What a text in the place of a key is.
    fn of(text: &str) -> Self {
        match text.trim() {
            "" => Self::None,
            key if is_placeholder(key) => Self::Placeholder,
            _ => Self::Present,
        }
    }
}

/// Keys of services have at least this many characters.
const SHORTEST_KEY: usize = 16;

fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let tells = [
        "your",
        "xxx",
        "placeholder",
        "change",
        "replace",
        "insert",
        "example",
        "dummy",
        "fake",
        "...",
        "***",
        "…",
        "todo",
        "api_key",
        "api-key",
        "apikey",
        "no-key",
        "not-needed",
        "not_needed",
        "here",
        "${",
        "{{",
        "env.",
        "env:",
    ];
    let is_one_character = text.chars().all(|character| text.starts_with(character));
    text.len() < SHORTEST_KEY
        || is_one_character
        || text.starts_with('<')
        || text.starts_with('$')
        || tells.iter().any(|tell| lower.contains(tell))
}

/// How services begin their keys.
const BEGINNINGS: [&str; 20] = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk-lf-",
    "AIza",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "gsk_",
    "xai-",
    "hf_",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "tvly-",
    "nvapi-",
    "eyJ",
];

/// Whether a word is a key by its form.
fn is_key(word: &str) -> bool {
    word.len() >= 20
        && !is_placeholder(word)
        && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
}

/// Whether what has this name is secret. `max_tokens` is not, nor is what is no text.
fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    plain.ends_with("key")
        || plain.ends_with("token")
        || ["secret", "password", "passwd", "passphrase", "authorization", "credential", "cookie"]
            .iter()
            .any(|part| plain.contains(part))
        || plain == "pwd"
        || plain == "sig"
}

/// Whether all texts in the object of this name are secret: nobody can tell which variable of an environment is.
fn holds_secrets(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "env" || lower == "environment" || lower.ends_with("headers") || lower.contains("credential")
}

/// Empties what is secret in a file, and says where how many texts that were. What stands in the place of a model's
/// key becomes a mark, which [`KeyFound::of_mark`] reads.
pub(crate) fn remove(value: &mut Value, place: &Place, removed: &mut Vec<(Place, usize)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let place = place.at(name);
                let count = match value {
                    Value::String(_) if name == "api_key" => {
                        mark(value);
                        0
                    }
                    Value::String(text) if SOURCES.contains(&name.as_str()) => strip_source_in_place(text),
                    Value::String(text) if is_secret_name(name) => empty(text),
                    Value::Object(_) | Value::Array(_) if holds_secrets(name) => empty_all(value),
                    Value::Array(entries) if name == "args" => {
                        let count = strip_arguments(entries);
                        remove(value, &place, removed);
                        count
                    }
                    value => {
                        remove(value, &place, removed);
                        0
                    }
                };
                note(place, count, removed);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter_mut().enumerate() {
                remove(value, &place.at(number), removed);
            }
        }
        Value::String(text) => note(place.clone(), strip_text(text), removed),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Empties what is secret in a value that is kept as it is, and says how many texts that were.
pub fn without_keys(value: &mut Value) -> usize {
    let mut removed = Vec::new();
    let keys = keys(value);
    remove(value, &Place::root(), &mut removed);
    without_marks(value);
    removed.into_iter().fold(keys, |all, (_, count)| all + count)
}

/// How many keys of models there are.
fn keys(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) if name == "api_key" => usize::from(KeyFound::of(text) == KeyFound::Present),
                _ => keys(value),
            })
            .sum(),
        Value::Array(values) => values.iter().map(keys).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Where files have the source of a tool.
const SOURCES: [&str; 2] = ["source_code", "content"];

fn note(place: Place, count: usize, removed: &mut Vec<(Place, usize)>) {
    if count > 0 && removed.len() < MOST_FINDINGS {
        removed.push((place, count));
    }
}

fn mark(value: &mut Value) {
    *value = match KeyFound::of(value.as_str().unwrap_or_default()) {
        KeyFound::None => Value::Null,
        KeyFound::Placeholder => Value::Bool(false),
        KeyFound::Present => Value::Bool(true),
    };
}

/// Takes the marks out of what is kept as it is.
pub(crate) fn without_marks(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "api_key" || !(value.is_boolean() || value.is_null()));
            fields.values_mut().for_each(without_marks);
        }
        Value::Array(values) => values.iter_mut().for_each(without_marks),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn empty(text: &mut String) -> usize {
    if text.is_empty() {
        return 0;
    }
    text.clear();
    1
}

fn empty_all(value: &mut Value) -> usize {
    match value {
        Value::Object(fields) => fields.values_mut().map(empty_all).sum(),
        Value::Array(values) => values.iter_mut().map(empty_all).sum(),
        Value::String(text) => empty(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Empties keys within a text, and what its addresses hold of them.
fn strip_text(text: &mut String) -> usize {
    let (without_keys, keys) = strip_keys(text);
    let (stripped, addresses) = strip_addresses(&without_keys);
    if keys + addresses > 0 {
        *text = stripped;
    }
    keys + addresses
}

/// Whatever surrounds a key stays, so that JSON and code in a text stay what they are.
fn strip_keys(text: &str) -> (String, usize) {
    let is_of_key = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let (mut stripped, mut found, mut rest) = (String::with_capacity(text.len()), 0, text);
    while let Some(begin) = rest.find(is_of_key) {
        let (before, from_word) = rest.split_at(begin);
        let end = from_word.find(|letter: char| !is_of_key(letter)).unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        stripped.push_str(before);
        if is_key(word) {
            found += 1;
        } else {
            stripped.push_str(word);
        }
        rest = after;
    }
    stripped.push_str(rest);
    (stripped, found)
}

/// What ends an address within a text.
const AFTER_ADDRESS: [char; 16] =
    ['"', '\'', '`', ',', ';', '<', '>', '(', ')', '[', ']', '{', '}', '\\', '|', '^'];

fn strip_addresses(text: &str) -> (String, usize) {
    let (mut stripped, mut found, mut rest) = (String::with_capacity(text.len()), 0, text);
    while let Some(begin) = rest.find("://") {
        let (before, address) = rest.split_at(begin + 3);
        let ends = |letter: char| letter.is_whitespace() || AFTER_ADDRESS.contains(&letter);
        let (address, after) = address.split_at(address.find(ends).unwrap_or(address.len()));
        stripped.push_str(before);
        match without_secrets(address) {
            Some(address) => {
                found += 1;
                stripped.push_str(&address);
            }
            None => stripped.push_str(address),
        }
        rest = after;
    }
    stripped.push_str(rest);
    (stripped, found)
}

/// An address, without its scheme, without the password and the keys in it; `None` if it has none.
fn without_secrets(address: &str) -> Option<String> {
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (authority, path) = address.split_at(end);
    let host = authority.rsplit_once('@').map(|(_, host)| host);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut found = host.is_some();
    let parameters: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, value)) if is_secret_name(name) && !value.is_empty() => {
                found = true;
                format!("{name}=")
            }
            _ => parameter.to_owned(),
        })
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    found.then(|| format!("{}{path}{query}", host.unwrap_or(authority)))
}

/// Empties what follows `--api-key` and its like in the arguments of a command.
fn strip_arguments(arguments: &mut [Value]) -> usize {
    let mut found = 0;
    let mut is_expected = false;
    for argument in arguments {
        let Value::String(text) = argument else {
            continue;
        };
        if is_expected && !text.starts_with('-') {
            found += empty(text);
            is_expected = false;
            continue;
        }
        is_expected = false;
        match text.split_once('=') {
            Some((name, value)) if is_secret_name(name) && !value.is_empty() => {
                found += 1;
                *text = format!("{name}=");
            }
            _ if text.starts_with('-') && is_secret_name(text) => is_expected = true,
            _ => found += strip_text(text),
        }
    }
    found
}

fn strip_source_in_place(source: &mut String) -> usize {
    let (stripped, found) = strip_source(source);
    *source = stripped;
    found
}
