use std::sync::{Arc, OnceLock};

use protocol::{Answer, Body, Event, Patch, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{NodeError, tree::Tree};

/// The keyed state of a run after the finished visits. Clones share what they have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State(Tree<Arc<str>, Entry>);

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Value(Arc<StateValue>),
    List(List),
}

/// A value of the state. Its JSON is read when somebody asks for it: much of what nodes leave is never looked at.
#[derive(Debug)]
pub struct StateValue {
    json: Text,
    read: OnceLock<Value>,
}

/// A list that patches append to, without a copy of what it has.
#[derive(Clone, Debug, Default, PartialEq)]
struct List {
    items: Tree<usize, Arc<StateValue>>,
    length: usize,
}

/// Up to where a list of the state was read.
#[derive(Clone, Debug, Default)]
pub struct ListMark {
    length: usize,
    last: Option<Arc<StateValue>>,
}

impl StateValue {
    fn new(json: Text) -> Self {
        Self { json, read: OnceLock::new() }
    }

    /// The value as JSON.
    pub fn value(&self) -> &Value {
        self.read.get_or_init(|| {
            // The engine encodes patches as JSON, so text that is no JSON can only be a plain string.
            self.json.whole().map_or(Value::Null, |json| {
                serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
            })
        })
    }

    /// The value as one of a type.
    ///
    /// # Errors
    /// It is of another type.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        // What was read as JSON already is not parsed again. What cannot be parsed may be a plain string.
        match self.json.whole().filter(|_| self.read.get().is_none()).map(serde_json::from_str) {
            Some(Ok(value)) => Ok(value),
            Some(Err(_)) | None => T::deserialize(self.value()),
        }
    }
}

impl From<&Value> for StateValue {
    fn from(value: &Value) -> Self {
        Self { json: Text::from(value.to_string()), read: OnceLock::from(value.clone()) }
    }
}

/// By what the JSON says: the order of an object's keys does not matter.
impl PartialEq for StateValue {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json || self.value() == other.value()
    }
}

impl State {
    /// The value of `key`, or `None` if no node has set it.
    ///
    /// # Errors
    /// The value is there but of another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, NodeError> {
        let value = match self.0.get(key) {
            None => return Ok(None),
            Some(Entry::Value(value)) => value.get(),
            Some(Entry::List(list)) => T::deserialize(list.value()),
        };
        value.map(Some).map_err(|error| {
            NodeError::failed(format!("The run's state has an unexpected value under \"{key}\": {error}"))
        })
    }

    /// The text under `key`, or an empty text if there is none.
    pub fn text(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(Entry::Value(value)) => value.value().as_str().unwrap_or_default(),
            Some(Entry::List(_)) | None => "",
        }
    }

    /// What was appended to the list of `key` after the mark, which moves to the list's end. `None`: what was read up to
    /// the mark does not stand there any more, so that the list has to be read from its beginning, with a new mark.
    pub fn appended(&self, key: &str, mark: &mut ListMark) -> Option<Vec<Arc<StateValue>>> {
        let list = self.0.get(key).map_or_else(List::default, List::of);
        let last = mark.length.checked_sub(1).and_then(|number| list.items.get(&number));
        // An item is made once, for the list that it is appended to: where it stands, all before it stands as well.
        let goes_on = match (&mark.last, last) {
            (None, _) => mark.length == 0,
            (Some(read), Some(stands)) => Arc::ptr_eq(read, stands),
            (Some(_), None) => false,
        };
        if !goes_on {
            return None;
        }
        let new: Vec<Arc<StateValue>> =
            (mark.length..list.length).filter_map(|number| list.items.get(&number).cloned()).collect();
        if let Some(last) = new.last() {
            *mark = ListMark { length: list.length, last: Some(last.clone()) };
        }
        Some(new)
    }

    /// Applies what an event of a log changes in the state of the run. Its texts must be whole. Nodes within others have
    /// a state of their own, which is not part of this one.
    pub fn apply(&mut self, event: &Event) {
        if event.node.as_ref().is_some_and(|node| node.enclosing().next().is_some()) {
            return;
        }
        match &event.body {
            Body::NodeFinished(finished) => {
                self.merge(&finished.patch, |key| finished.appended.contains(key));
            }
            Body::StateEdited(edited) => self.merge(&edited.patch, |_| false),
            Body::InputReceived(received) => {
                if let Answer::Approved { edits, .. } = &received.answer {
                    self.merge(edits, |_| false);
                }
            }
            _ => {}
        }
    }

    /// Applies a patch: a value replaces the old one, or is appended to the key's list.
    pub(crate) fn merge(&mut self, patch: &Patch, appends: impl Fn(&str) -> bool) {
        for (key, json) in patch {
            let value = Arc::new(StateValue::new(json.clone()));
            let entry = if appends(key) {
                let mut list = self.0.get(key.as_str()).map_or_else(List::default, List::of);
                list.push(value);
                Entry::List(list)
            } else {
                Entry::Value(value)
            };
            self.0.insert(key.as_str().into(), entry);
        }
    }
}

impl List {
    /// The list that an entry is; one that is none becomes the first item.
    fn of(entry: &Entry) -> Self {
        let items = match entry {
            Entry::List(list) => return list.clone(),
            Entry::Value(value) => match value.value() {
                Value::Array(items) => items.iter().map(|item| Arc::new(item.into())).collect(),
                _ => vec![value.clone()],
            },
        };
        let mut list = Self::default();
        items.into_iter().for_each(|item| list.push(item));
        list
    }

    fn push(&mut self, item: Arc<StateValue>) {
        self.items.insert(self.length, item);
        self.length += 1;
    }

    fn value(&self) -> Value {
        Value::Array(self.items.values().map(|item| item.value().clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch(value: &Value) -> Patch {
        [("key".to_owned(), Text::from(value.to_string()))].into()
    }

    #[test]
    fn what_is_appended_follows_what_there_was() {
        let whole = |state: &State| state.get::<Value>("key").unwrap().unwrap();
        let mut state = State::default();
        for (value, appends, expected) in [
            (json!(1), true, json!([1])),
            (json!([2]), true, json!([1, [2]])),
            (json!(3), false, json!(3)),
            (json!(4), true, json!([3, 4])),
            (json!([5, 6]), false, json!([5, 6])),
            (json!(7), true, json!([5, 6, 7])),
        ] {
            let before = (state.clone(), state.get::<Value>("key").unwrap());
            state.merge(&patch(&value), |_| appends);
            assert_eq!(whole(&state), expected);
            assert_eq!(before.0.get::<Value>("key").unwrap(), before.1, "a copy stays as it was");
        }
        assert_eq!(state.text("key"), "");
    }

    #[test]
    fn a_list_is_read_on_from_a_mark_unless_what_was_read_is_gone() {
        let values = |read: Option<Vec<Arc<StateValue>>>| {
            read.map(|items| items.iter().map(|item| item.value().clone()).collect::<Vec<_>>())
        };
        let (mut state, mut mark) = (State::default(), ListMark::default());
        assert_eq!(values(state.appended("key", &mut mark)), Some(Vec::new()));
        state.merge(&patch(&json!(1)), |_| true);
        state.merge(&patch(&json!(2)), |_| true);
        let before = (state.clone(), mark.clone());
        assert_eq!(values(state.appended("key", &mut mark)), Some(vec![json!(1), json!(2)]));
        assert_eq!(values(state.appended("key", &mut mark)), Some(Vec::new()));
        state.merge(&patch(&json!(3)), |_| true);
        let (mut other, mut behind) = before;
        assert_eq!(values(state.appended("key", &mut behind)), Some(vec![json!(1), json!(2), json!(3)]));
        assert_eq!(values(state.appended("key", &mut mark)), Some(vec![json!(3)]));

        other.merge(&patch(&json!(3)), |_| true);
        assert_eq!(values(other.appended("key", &mut mark)), None, "the same words in another list");
        state.merge(&patch(&json!([1, 2, 3])), |_| false);
        assert_eq!(values(state.appended("key", &mut mark)), None, "somebody has set it");
    }
}
