use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use llm::Piece;
use protocol::{CallId, Control};
use tokio::sync::watch;

/// The text so far of a run's model calls in flight.
///
/// Not in the log: the event that ends a call has the whole answer. Each subscriber has a cursor and is sent
/// what follows it, so a slow one gets larger pieces less often, and nothing is queued.
#[derive(Debug)]
pub struct LiveCalls {
    calls: Mutex<BTreeMap<CallId, OpenCall>>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct OpenCall {
    attempt: u32,
    text: String,
    /// Bytes of the model's thoughts.
    thoughts: usize,
    /// Requests before it in the line of its endpoint.
    in_line: Option<usize>,
}

/// One subscriber's cursor: how much of each open call it was sent.
#[derive(Debug, Default)]
pub struct LiveCursor {
    seen: BTreeMap<CallId, Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    attempt: u32,
    bytes: usize,
    thoughts: usize,
    in_line: Option<usize>,
}

impl Seen {
    /// An attempt of which nothing was sent.
    fn nothing(attempt: u32) -> Self {
        Self { attempt, bytes: 0, thoughts: 0, in_line: None }
    }
}

impl Default for LiveCalls {
    fn default() -> Self {
        Self { calls: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl LiveCalls {
    /// Wakes when there is new text; the value has no meaning.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What follows the cursor; moves the cursor.
    pub fn unseen(&self, cursor: &mut LiveCursor) -> Vec<Control> {
        let calls = self.calls();
        cursor.seen.retain(|call, _| calls.contains_key(call));
        let mut pieces = Vec::new();
        for (call, open) in calls.iter() {
            let seen = cursor.seen.entry(call.clone()).or_insert(Seen::nothing(open.attempt));
            let begins_anew = seen.attempt != open.attempt;
            if begins_anew {
                *seen = Seen { in_line: seen.in_line, ..Seen::nothing(open.attempt) };
            }
            if seen.bytes < open.text.len() || begins_anew {
                let text = open.text[seen.bytes..].to_owned();
                pieces.push(Control::Delta { call: call.clone(), from: seen.bytes, text });
                seen.bytes = open.text.len();
            }
            if seen.thoughts != open.thoughts {
                seen.thoughts = open.thoughts;
                pieces.push(Control::Thinking { call: call.clone(), bytes: open.thoughts });
            }
            if seen.in_line != open.in_line {
                seen.in_line = open.in_line;
                pieces.push(Control::InLine { call: call.clone(), before: open.in_line });
            }
        }
        pieces
    }

    /// Opens a call; it is closed when the returned guard is dropped.
    pub(crate) fn open(self: &Arc<Self>, call: CallId) -> OpenGuard {
        self.calls().insert(call.clone(), OpenCall::default());
        OpenGuard { live: self.clone(), call }
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<CallId, OpenCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight, until this is dropped.
pub(crate) struct OpenGuard {
    live: Arc<LiveCalls>,
    call: CallId,
}

impl OpenGuard {
    pub(crate) fn push(&self, piece: Piece<'_>) {
        if let Some(open) = self.live.calls().get_mut(&self.call) {
            match piece {
                Piece::Begin => *open = OpenCall { attempt: open.attempt + 1, ..OpenCall::default() },
                Piece::Text(text) => open.text.push_str(text),
                Piece::Thought(text) => open.thoughts += text.len(),
                Piece::InLine(before) => open.in_line = Some(before),
            }
        }
        self.live.version.send_modify(|version| *version += 1);
    }
}

impl Drop for OpenGuard {
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
        let live = Arc::<LiveCalls>::default();
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
        let live = Arc::<LiveCalls>::default();
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
    fn a_call_that_waits_in_line_says_so_until_it_begins() {
        let live = Arc::<LiveCalls>::default();
        let open = live.open(call());
        let mut cursor = LiveCursor::default();
        open.push(Piece::InLine(3));
        let in_line = |before| Control::InLine { call: call(), before };
        assert_eq!(live.unseen(&mut cursor), [in_line(Some(3))]);
        open.push(Piece::Begin);
        open.push(Piece::Thought("hm"));
        let thinking = Control::Thinking { call: call(), bytes: 2 };
        assert_eq!(live.unseen(&mut cursor), [delta(0, ""), thinking, in_line(None)]);
    }

    #[test]
    fn a_closed_call_is_forgotten() {
        let live = Arc::<LiveCalls>::default();
        let mut cursor = LiveCursor::default();
        live.open(call()).push(Piece::Text("gone"));
        assert_eq!(live.unseen(&mut cursor), []);
    }
}
