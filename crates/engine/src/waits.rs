//! Which nodes of a run only wait, for people or for runs that they have started. While all do, the run gives its place back.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use protocol::NodeId;
use tokio::sync::Notify;

/// What the nodes in flight are waiting for.
#[derive(Default)]
pub(crate) struct Waits {
    nodes: Mutex<HashMap<NodeId, Node>>,
    /// How many of them only wait.
    waiting: AtomicUsize,
    changes: Notify,
}

/// What one node has open.
#[derive(Clone, Copy, Default, PartialEq)]
struct Node {
    /// Questions to people.
    questions: usize,
    /// Runs that it has started.
    sub_runs: usize,
    /// Calls of models and tools.
    calls: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Question,
    SubRun,
    Call,
}

impl Waits {
    /// Nodes that only wait, with no open calls.
    pub fn count(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Waits until the count may have changed.
    pub async fn changed(&self) {
        self.changes.notified().await;
    }

    /// Counts an open question to a person until the guard is dropped.
    pub fn question(&self, node: &NodeId) -> Waiting<'_> {
        self.begin(node, Kind::Question)
    }

    /// Whether a node waits for a run that it has started.
    pub fn has_sub_runs(&self) -> bool {
        self.nodes().values().any(|node| node.sub_runs > 0)
    }

    /// Counts a run that the node has started until the guard is dropped.
    pub fn sub_run(&self, node: &NodeId) -> Waiting<'_> {
        self.begin(node, Kind::SubRun)
    }

    /// Counts an open call of a model or a tool until the guard is dropped.
    pub fn call(&self, node: &NodeId) -> Waiting<'_> {
        self.begin(node, Kind::Call)
    }

    fn begin(&self, node: &NodeId, kind: Kind) -> Waiting<'_> {
        self.change(node, |entry| *entry.part(kind) += 1);
        Waiting { waits: self, node: node.clone(), kind }
    }

    fn change(&self, node: &NodeId, change: impl FnOnce(&mut Node)) {
        let mut nodes = self.nodes();
        let mut entry = nodes.get(node).copied().unwrap_or_default();
        let waited = entry.only_waits();
        change(&mut entry);
        let waits = entry.only_waits();
        if entry == Node::default() {
            nodes.remove(node);
        } else {
            nodes.insert(node.clone(), entry);
        }
        match (waited, waits) {
            (false, true) => self.waiting.fetch_add(1, Ordering::SeqCst),
            (true, false) => self.waiting.fetch_sub(1, Ordering::SeqCst),
            (false, false) | (true, true) => return,
        };
        drop(nodes);
        self.changes.notify_one();
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<NodeId, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    fn only_waits(self) -> bool {
        self.questions + self.sub_runs > 0 && self.calls == 0
    }

    fn part(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Question => &mut self.questions,
            Kind::SubRun => &mut self.sub_runs,
            Kind::Call => &mut self.calls,
        }
    }
}

/// A guard for one open question or call.
pub(crate) struct Waiting<'w> {
    waits: &'w Waits,
    node: NodeId,
    kind: Kind,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.change(&self.node, |node| {
            let part = node.part(self.kind);
            *part = part.saturating_sub(1);
        });
    }
}
