//! What model calls in flight have brought so far.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{CallId, Control};

/// Characters of a token, about.
const TOKEN: usize = 4;

/// The calls in flight. A piece of text changes only its own call's signal, never the whole view of
/// the run.
#[derive(Clone, Copy, Debug)]
pub struct Streams(RwSignal<BTreeMap<CallId, Stream>>);

/// A call in flight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// The answer so far.
    pub text: ArcRwSignal<String>,
    /// What it does while no answer comes.
    pub before: ArcRwSignal<Before>,
}

/// What a call in flight does before its model answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Requests that its endpoint serves before it; `None` once it waits no longer.
    pub in_line: Option<usize>,
    /// Bytes of the model's thoughts.
    pub thoughts: usize,
}

impl Stream {
    /// Tokens that the model has written so far, estimated.
    pub fn tokens(&self) -> u64 {
        let bytes = self.text.with(String::len) + self.before.with(|before| before.thoughts);
        bytes.div_ceil(TOKEN) as u64
    }
}

impl Streams {
    /// No calls.
    pub fn new() -> Self {
        Self(RwSignal::new(BTreeMap::new()))
    }

    /// A call, whose signals tell what it brings; `None` while nothing has come.
    pub fn of(&self, call: &CallId) -> Option<Stream> {
        self.0.try_with(|streams| streams.get(call).cloned()).flatten()
    }

    /// Tells when any of the texts grows.
    pub fn track_all(&self) {
        self.0.with(|streams| streams.values().for_each(|stream| stream.text.track()));
    }

    /// Tokens that are being written, estimated, of all calls together.
    pub fn tokens(&self) -> u64 {
        self.0.with(|streams| streams.values().map(Stream::tokens).sum())
    }

    /// Takes what a socket tells of a call in flight. A piece of text that does not fit what is here is
    /// left out: the next that begins at 0 mends it.
    pub fn take(&self, frame: Control) {
        match frame {
            Control::Delta { call, from, text } => self.extend(&call, from, &text),
            Control::Thinking { call, bytes } => self.change(&call, |before| before.thoughts = bytes),
            Control::InLine { call, before } => self.change(&call, |known| known.in_line = before),
            Control::Hello { .. }
            | Control::Queued { .. }
            | Control::Removed { .. }
            | Control::Trouble(_)
            | Control::Heartbeat { .. }
            | Control::Closed { .. } => {}
        }
    }

    fn extend(&self, call: &CallId, from: usize, piece: &str) {
        let known = self.known(call);
        let length = known.as_ref().map_or(0, |stream| stream.text.with_untracked(String::len));
        if from != 0 && from != length {
            return;
        }
        let stream = known.unwrap_or_else(|| self.begin(call));
        if from == 0 && (length > 0 || piece.is_empty()) {
            // Another attempt, which has not thought yet.
            stream.before.update(|before| before.thoughts = 0);
        }
        stream.text.update(|text| {
            text.truncate(from);
            text.push_str(piece);
        });
    }

    fn change(&self, call: &CallId, change: impl FnOnce(&mut Before)) {
        self.known(call).unwrap_or_else(|| self.begin(call)).before.update(change);
    }

    fn known(&self, call: &CallId) -> Option<Stream> {
        self.0.try_with_untracked(|streams| streams.get(call).cloned()).flatten()
    }

    fn begin(&self, call: &CallId) -> Stream {
        let stream = Stream::default();
        self.0.try_update(|streams| streams.insert(call.clone(), stream.clone()));
        stream
    }

    /// Forgets the calls that nothing more can come of.
    pub fn keep(&self, is_open: impl Fn(&CallId) -> bool) {
        let has_ended = |streams: &BTreeMap<CallId, Stream>| streams.keys().any(|call| !is_open(call));
        // Who follows the calls is told of a change alone.
        if self.0.try_with_untracked(has_ended) == Some(true) {
            self.0.try_update(|streams| streams.retain(|call, _| is_open(call)));
        }
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> CallId {
        "bull:1:1".parse().unwrap()
    }

    fn piece(streams: Streams, from: usize, text: &str) {
        streams.take(Control::Delta { call: call(), from, text: text.to_owned() });
    }

    fn shown(streams: Streams) -> Option<String> {
        streams.of(&call()).map(|stream| stream.text.get_untracked())
    }

    fn before(streams: Streams) -> Option<Before> {
        streams.of(&call()).map(|stream| stream.before.get_untracked())
    }

    #[test]
    fn pieces_are_joined_and_a_retry_begins_anew() {
        Owner::new().with(|| {
            let streams = Streams::new();
            piece(streams, 0, "The sh");
            piece(streams, 6, "ares");
            assert_eq!(shown(streams).as_deref(), Some("The shares"));
            piece(streams, 0, "Again");
            assert_eq!(shown(streams).as_deref(), Some("Again"));
        });
    }

    #[test]
    fn a_piece_that_does_not_fit_is_left_out() {
        Owner::new().with(|| {
            let streams = Streams::new();
            piece(streams, 4, "lost");
            assert_eq!(shown(streams), None);
            piece(streams, 0, "ab");
            piece(streams, 5, "lost");
            assert_eq!(shown(streams).as_deref(), Some("ab"));
        });
    }

    #[test]
    fn the_text_of_a_call_that_ended_is_gone() {
        Owner::new().with(|| {
            let streams = Streams::new();
            piece(streams, 0, "ab");
            streams.keep(|_| false);
            assert_eq!(shown(streams), None);
        });
    }

    #[test]
    fn a_call_waits_in_line_then_thinks_then_writes_and_an_attempt_begins_with_none_of_it() {
        Owner::new().with(|| {
            let streams = Streams::new();
            streams.take(Control::InLine { call: call(), before: Some(3) });
            assert_eq!(before(streams), Some(Before { in_line: Some(3), thoughts: 0 }));
            streams.take(Control::InLine { call: call(), before: None });
            streams.take(Control::Thinking { call: call(), bytes: 40 });
            assert_eq!(
                (before(streams), streams.tokens()),
                (Some(Before { in_line: None, thoughts: 40 }), 10)
            );
            piece(streams, 0, "eight by");
            assert_eq!(streams.tokens(), 12);
            piece(streams, 0, "");
            assert_eq!((before(streams), streams.tokens()), (Some(Before::default()), 0));
        });
    }
}
