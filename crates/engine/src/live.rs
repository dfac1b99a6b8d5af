use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use llm::Piece;
use protocol::{CallId, Control, Text};
use tokio::sync::watch;

/// The most bytes that are kept of what a call had written that is cut off.
const LONGEST_CUT_OFF: usize = 256 * 1024;

/// The text so far of a run's model calls in flight.
///
/// Not in the log: the event that ends a call has the whole answer. Each subscriber has a cursor and is sent
/// what follows it, so a slow one gets larger pieces less often, and nothing is queued. What a call had written whose
/// visit dropped it stays here until the end of the run, which writes it into the log.
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

    /// Opens a call.
    pub(crate) fn open(self: &Arc<Self>, call: CallId) -> CallInFlight {
        self.calls().insert(call.clone(), OpenCall::default());
        CallInFlight { live: self.clone(), call }
    }

    /// What a call without an end has written in its latest attempt; of a very long text, the beginning.
    pub(crate) fn written(&self, call: &CallId) -> Text {
        let calls = self.calls();
        let text = calls.get(call).map_or("", |open| open.text.as_str());
        text[..text.floor_char_boundary(LONGEST_CUT_OFF)].into()
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<CallId, OpenCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight. One that is dropped without its end was cut off.
pub(crate) struct CallInFlight {
    live: Arc<LiveCalls>,
    call: CallId,
}

/// A call that has ended. Its text stays live until this is dropped, once the log has its end.
pub(crate) struct EndedCall(CallInFlight);

impl CallInFlight {
    /// The call has an answer, or an error in its place.
    pub(crate) fn ended(self) -> EndedCall {
        EndedCall(self)
    }

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

impl Drop for EndedCall {
    fn drop(&mut self) {
        let Self(CallInFlight { live, call }) = self;
        live.calls().remove(call);
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
    fn a_call_is_forgotten_once_its_end_is_written() {
        let live = Arc::<LiveCalls>::default();
        let open = live.open(call());
        open.push(Piece::Text("gone"));
        let ended = open.ended();
        assert_eq!(live.unseen(&mut LiveCursor::default()), [delta(0, "gone")]);
        drop(ended);
        assert_eq!(live.unseen(&mut LiveCursor::default()), []);
        assert!(live.written(&call()).is_empty());
    }

    #[test]
    fn what_a_call_had_written_that_was_cut_off_is_kept_to_a_certain_length() {
        let live = Arc::<LiveCalls>::default();
        live.open(call()).push(Piece::Text("half an ans"));
        assert_eq!(live.written(&call()).whole(), Some("half an ans"));
        live.open(call()).push(Piece::Text(&"é".repeat(LONGEST_CUT_OFF)));
        assert_eq!(live.written(&call()).bytes(), LONGEST_CUT_OFF as u64);
    }
}
