//! An ordered map whose copies share what they have in common.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering as Memory},
    },
};

/// A persistent map: a treap. A copy takes no time, and a change after it copies only the way down to what is
/// changed, which grows with the logarithm of the number of keys.
pub(crate) struct Tree<K, V>(Option<Arc<Branch<K, V>>>);

#[derive(Clone)]
struct Branch<K, V> {
    key: K,
    value: V,
    /// Chosen at random; no branch is heavier than the one above it, which keeps the tree shallow.
    weight: u64,
    left: Tree<K, V>,
    right: Tree<K, V>,
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut tree = self;
        loop {
            let branch = tree.0.as_deref()?;
            tree = match key.cmp(branch.key.borrow()) {
                Ordering::Less => &branch.left,
                Ordering::Greater => &branch.right,
                Ordering::Equal => return Some(&branch.value),
            };
        }
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        let Some(branch) = &mut self.0 else {
            let (left, right) = (Self::default(), Self::default());
            self.0 = Some(Arc::new(Branch { key, value, weight: weight(), left, right }));
            return;
        };
        let branch = Arc::make_mut(branch);
        match key.cmp(&branch.key) {
            Ordering::Equal => branch.value = value,
            Ordering::Less => {
                branch.left.insert(key, value);
                if branch.left.weight() > branch.weight {
                    self.rotate(|branch| &mut branch.left, |branch| &mut branch.right);
                }
            }
            Ordering::Greater => {
                branch.right.insert(key, value);
                if branch.right.weight() > branch.weight {
                    self.rotate(|branch| &mut branch.right, |branch| &mut branch.left);
                }
            }
        }
    }

    /// Moves the branch on one side to the top. What it has towards the other side goes to the old top.
    fn rotate(
        &mut self,
        side: fn(&mut Branch<K, V>) -> &mut Self,
        other: fn(&mut Branch<K, V>) -> &mut Self,
    ) {
        let Some(mut top) = self.0.take() else { return };
        let mut risen = mem::take(side(Arc::make_mut(&mut top)));
        if let Some(branch) = &mut risen.0 {
            let branch = Arc::make_mut(branch);
            *side(Arc::make_mut(&mut top)) = mem::take(other(branch));
            other(branch).0 = Some(top);
        }
        *self = risen;
    }

    fn weight(&self) -> u64 {
        self.0.as_ref().map_or(0, |branch| branch.weight)
    }
}

impl<K, V> Tree<K, V> {
    /// All values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.branches().map(|branch| &branch.value)
    }

    fn branches(&self) -> impl Iterator<Item = &Branch<K, V>> {
        let mut above: Vec<&Branch<K, V>> = Vec::new();
        let mut next = self.0.as_deref();
        std::iter::from_fn(move || {
            while let Some(branch) = next {
                above.push(branch);
                next = branch.left.0.as_deref();
            }
            let branch = above.pop()?;
            next = branch.right.0.as_deref();
            Some(branch)
        })
    }
}

impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Tree<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let entry = |branch| {
            let Branch { key, value, .. }: &Branch<K, V> = branch;
            (key, value)
        };
        self.branches().map(entry).eq(other.branches().map(entry))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Tree<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.branches().map(|branch| (&branch.key, &branch.value))).finish()
    }
}

/// The next of a sequence of evenly spread numbers (`SplitMix64`).
fn weight() -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut mixed = LAST.fetch_add(STEP, Memory::Relaxed).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn depth<K, V>(tree: &Tree<K, V>) -> usize {
        let mut open: Vec<_> = tree.0.as_deref().map(|branch| (branch, 1)).into_iter().collect();
        let mut deepest = 0;
        while let Some((branch, depth)) = open.pop() {
            deepest = deepest.max(depth);
            let below = [&branch.left, &branch.right];
            open.extend(below.into_iter().filter_map(|tree| Some((tree.0.as_deref()?, depth + 1))));
        }
        deepest
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds_and_a_copy_does_not_change(
            entries in prop::collection::vec((0_u16..50, any::<u8>()), 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let (mut tree, mut map) = (Tree::default(), BTreeMap::new());
            let cut = cut.index(entries.len() + 1);
            let mut copies = None;
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index == cut {
                    copies = Some((tree.clone(), map.clone()));
                }
                tree.insert(key, value);
                map.insert(key, value);
            }
            for (tree, map) in std::iter::once((tree, map)).chain(copies) {
                prop_assert!(tree.values().eq(map.values()));
                prop_assert!((0..50).all(|key| tree.get(&key) == map.get(&key)));
            }
        }
    }

    #[test]
    fn keys_in_order_make_no_deep_tree() {
        let mut tree = Tree::default();
        for key in 0..10_000 {
            tree.insert(key, ());
        }
        assert!(depth(&tree) < 80, "{}", depth(&tree));
    }
}
