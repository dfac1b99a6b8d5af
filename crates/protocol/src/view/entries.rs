//! Lists of a view, in which an entry is found by its id and by the nodes that it is about, however long they are.

use std::{
    collections::BTreeMap,
    ops::{Deref, Index},
    slice::SliceIndex,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CallView, EdgeView, NodeView, ToolView, Turn};
use crate::{CallId, NodeId};

/// What is found in [`Entries`].
pub trait Entry {
    /// Tells entries apart.
    type Id: Clone + Ord;

    /// Its id, which never changes.
    fn id(&self) -> Self::Id;

    /// The nodes that it is about, which never change.
    fn nodes(&self) -> impl Iterator<Item = &NodeId>;
}

/// Entries in the order in which they came. They are shared, so that a copy of the list is cheap.
#[derive(Clone, Debug)]
pub struct Entries<E: Entry> {
    entries: Vec<Arc<E>>,
    places: BTreeMap<E::Id, usize>,
    of_node: BTreeMap<NodeId, Vec<usize>>,
}

impl<E: Entry> Entries<E> {
    /// The entry with this id.
    pub fn find(&self, id: &E::Id) -> Option<&Arc<E>> {
        self.entries.get(*self.places.get(id)?)
    }

    /// Where the entry with this id stands.
    pub fn place(&self, id: &E::Id) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The entries that are about a node, in their order.
    pub fn of_node(&self, node: &NodeId) -> impl DoubleEndedIterator<Item = &Arc<E>> {
        let places = self.of_node.get(node).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.entries.get(*place))
    }

    /// How many entries are about a node.
    pub fn count_of_node(&self, node: &NodeId) -> usize {
        self.of_node.get(node).map_or(0, Vec::len)
    }

    /// Adds an entry at the end, or in the place of the one with its id. Returns whether it is new.
    pub(super) fn put(&mut self, entry: E) -> bool {
        if let Some(known) = self.find_mut(&entry.id()) {
            *known = Arc::new(entry);
            return false;
        }
        self.push(Arc::new(entry));
        true
    }

    pub(super) fn find_mut(&mut self, id: &E::Id) -> Option<&mut Arc<E>> {
        self.entries.get_mut(*self.places.get(id)?)
    }

    /// Changes the entries about a node.
    pub(super) fn change_of_node(&mut self, node: &NodeId, mut change: impl FnMut(&mut Arc<E>)) {
        for place in self.of_node.get(node).into_iter().flatten() {
            self.entries.get_mut(*place).into_iter().for_each(&mut change);
        }
    }

    /// Keeps only the entries for which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl Fn(&E) -> bool) {
        let kept = std::mem::take(&mut self.entries).into_iter().filter(|entry| keep(entry));
        *self = kept.collect();
    }

    /// Adds an entry at the end.
    pub(super) fn push(&mut self, entry: Arc<E>) {
        let place = self.entries.len();
        for node in entry.nodes() {
            let places = self.of_node.entry(node.clone()).or_default();
            // An entry may name a node twice.
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        // Of several with one id, as only a foreign log has them, the first is found.
        self.places.entry(entry.id()).or_insert(place);
        self.entries.push(entry);
    }
}

impl<E: Entry> Default for Entries<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: BTreeMap::new(), of_node: BTreeMap::new() }
    }
}

impl<E: Entry> FromIterator<Arc<E>> for Entries<E> {
    fn from_iter<I: IntoIterator<Item = Arc<E>>>(entries: I) -> Self {
        let mut list = Self::default();
        entries.into_iter().for_each(|entry| list.push(entry));
        list
    }
}

impl<E: Entry> Deref for Entries<E> {
    type Target = [Arc<E>];

    fn deref(&self) -> &[Arc<E>] {
        &self.entries
    }
}

impl<E: Entry, I: SliceIndex<[Arc<E>]>> Index<I> for Entries<E> {
    type Output = I::Output;

    fn index(&self, index: I) -> &I::Output {
        &self.entries[index]
    }
}

impl<'e, E: Entry> IntoIterator for &'e Entries<E> {
    type Item = &'e Arc<E>;
    type IntoIter = std::slice::Iter<'e, Arc<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<E: Entry + PartialEq> PartialEq for Entries<E> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<E: Entry + Eq> Eq for Entries<E> {}

impl<E: Entry + Serialize> Serialize for Entries<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<'de, E: Entry + Deserialize<'de>> Deserialize<'de> for Entries<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Arc<E>>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Entry for NodeView {
    type Id = NodeId;

    fn id(&self) -> NodeId {
        self.plan.id.clone()
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        std::iter::empty()
    }
}

impl Entry for EdgeView {
    type Id = (NodeId, NodeId);

    fn id(&self) -> (NodeId, NodeId) {
        (self.plan.from.clone(), self.plan.to.clone())
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        [&self.plan.from, &self.plan.to].into_iter()
    }
}

impl Entry for CallView {
    type Id = CallId;

    fn id(&self) -> CallId {
        self.id.clone()
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.node.iter()
    }
}

impl Entry for ToolView {
    type Id = CallId;

    fn id(&self) -> CallId {
        self.id.clone()
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.node.iter()
    }
}

impl Entry for Turn {
    type Id = u64;

    fn id(&self) -> u64 {
        self.seq
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.node.iter()
    }
}
