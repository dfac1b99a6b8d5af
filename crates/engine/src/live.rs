use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use llm::Piece;
use protocol::{CallId, Control};
use tokio::sync::watch;

/// The text so far of a run's model calls in flight.
///
/// It is not in the log: a call's end carries the whole answer. Each subscriber is sent what
/// it has not seen yet, so a slow one gets larger pieces less often, and nothing queues up.
#[derive(Debug)]
pub struct LiveCalls {
    calls: Mutex<BTreeMap<CallId, OpenCall>>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct OpenCall {
    attempt: u32,
    text: String,
}

/// How much of the open calls one subscriber has seen.
#[derive(Debug, Default)]
pub struct LiveCursor {
    seen: BTreeMap<CallId, Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    attempt: u32,
    bytes: usize,
}

impl Default for LiveCalls {
    fn default() -> Self {
        Self { calls: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl LiveCalls {
    /// Notices of new text; the value means nothing.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What the subscriber has not seen of the calls in flight.
    pub fn unseen(&self, cursor: &mut LiveCursor) -> Vec<Control> {
        let calls = self.calls();
        cursor.seen.retain(|call, _| calls.contains_key(call));
        let mut pieces = Vec::new();
        for (call, open) in calls.iter() {
            let seen = cursor.seen.entry(call.clone()).or_insert(Seen { attempt: open.attempt, bytes: 0 });
            let begins_anew = seen.attempt != open.attempt;
            if begins_anew {
                *seen = Seen { attempt: open.attempt, bytes: 0 };
            }
            if seen.bytes < open.text.len() || begins_anew {
                let text = open.text[seen.bytes..].to_owned();
                pieces.push(Control::Delta { call: call.clone(), from: seen.bytes, text });
                seen.bytes = open.text.len();
            }
        }
        pieces
    }

    /// Opens a call; it is closed when the returned guard is dropped.
    pub(crate) fn open(&self, call: CallId) -> OpenGuard<'_> {
        self.calls().insert(call.clone(), OpenCall::default());
        OpenGuard { live: self, call }
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<CallId, OpenCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct OpenGuard<'l> {
    live: &'l LiveCalls,
    call: CallId,
}

impl OpenGuard<'_> {
    pub(crate) fn push(&self, piece: Piece<'_>) {
        if let Some(open) = self.live.calls().get_mut(&self.call) {
            match piece {
                Piece::Begin => *open = OpenCall { attempt: open.attempt + 1, text: String::new() },
                Piece::Text(text) => open.text.push_str(text),
            }
        }
        self.live.version.send_modify(|version| *version += 1);
    }
}

impl Drop for OpenGuard<'_> {
    fn drop(&mut self) {
        self.live.calls().remove(&self.call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> CallId {
        "bull:1:1".parse().unwrap()
    }

    fn delta(from: usize, text: &str) -> Control {
        Control::Delta { call: call(), from, text: text.into() }
    }

    #[test]
    fn a_late_subscriber_gets_the_text_so_far_and_a_slow_one_larger_pieces() {
        let live = LiveCalls::default();
        let open = live.open(call());
        let (mut quick, mut slow) = (LiveCursor::default(), LiveCursor::default());
        open.push(Piece::Text("one "));
        assert_eq!(live.unseen(&mut quick), [delta(0, "one ")]);
        open.push(Piece::Text("two "));
        open.push(Piece::Text("three"));
        assert_eq!(live.unseen(&mut quick), [delta(4, "two three")]);
        assert_eq!(live.unseen(&mut quick), []);
        assert_eq!(live.unseen(&mut slow), [delta(0, "one two three")]);
    }

    #[test]
    fn a_new_attempt_begins_anew() {
        let live = LiveCalls::default();
        let open = live.open(call());
        let mut cursor = LiveCursor::default();
        open.push(Piece::Text("wrong"));
        live.unseen(&mut cursor);
        open.push(Piece::Begin);
        assert_eq!(live.unseen(&mut cursor), [delta(0, "")]);
        open.push(Piece::Text("right"));
        assert_eq!(live.unseen(&mut cursor), [delta(0, "right")]);
    }

    #[test]
    fn a_closed_call_is_forgotten() {
        let live = LiveCalls::default();
        let mut cursor = LiveCursor::default();
        live.open(call()).push(Piece::Text("gone"));
        assert_eq!(live.unseen(&mut cursor), []);
    }
}
