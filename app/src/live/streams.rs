//! The text of model calls in flight.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::CallId;

/// The text so far of every call in flight. A piece of text changes only its own
/// call's signal, never the whole view of the run.
#[derive(Clone, Copy, Debug)]
pub struct Streams(RwSignal<BTreeMap<CallId, ArcRwSignal<String>>>);

impl Streams {
    /// No calls.
    pub fn new() -> Self {
        Self(RwSignal::new(BTreeMap::new()))
    }

    /// The text of a call, which tells when it grows; `None` while nothing has come.
    pub fn text(&self, call: &CallId) -> Option<ArcRwSignal<String>> {
        self.0.try_with(|texts| texts.get(call).cloned()).flatten()
    }

    /// Tells when any of the texts grows.
    pub fn track_all(&self) {
        self.0.with(|texts| texts.values().for_each(Track::track));
    }

    /// Takes a piece of a call's text, that begins at byte `from`. A piece that does not
    /// fit what is here is left out: the next that begins at 0 mends it.
    pub fn extend(&self, call: &CallId, from: usize, piece: &str) {
        let Some(known) = self.0.try_with_untracked(|texts| texts.get(call).cloned()) else { return };
        match known {
            Some(text) => {
                let fits = from == 0 || text.with_untracked(String::len) == from;
                if fits {
                    text.update(|text| {
                        text.truncate(from);
                        text.push_str(piece);
                    });
                }
            }
            None if from == 0 => {
                let text = ArcRwSignal::new(piece.to_owned());
                self.0.try_update(|texts| texts.insert(call.clone(), text));
            }
            None => {}
        }
    }

    /// Forgets a call that ended.
    pub fn end(&self, call: &CallId) {
        if self.0.try_with_untracked(|texts| texts.contains_key(call)).unwrap_or(false) {
            self.0.try_update(|texts| texts.remove(call));
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

    fn shown(streams: Streams, call: &CallId) -> Option<String> {
        streams.text(call).map(|text| text.get_untracked())
    }

    #[test]
    fn pieces_are_joined_and_a_retry_begins_anew() {
        Owner::new().with(|| {
            let (streams, call) = (Streams::new(), "bull:1:1".parse().unwrap());
            streams.extend(&call, 0, "The sh");
            streams.extend(&call, 6, "ares");
            assert_eq!(shown(streams, &call).as_deref(), Some("The shares"));
            streams.extend(&call, 0, "Again");
            assert_eq!(shown(streams, &call).as_deref(), Some("Again"));
        });
    }

    #[test]
    fn a_piece_that_does_not_fit_is_left_out() {
        Owner::new().with(|| {
            let (streams, call) = (Streams::new(), "bull:1:1".parse().unwrap());
            streams.extend(&call, 4, "lost");
            assert_eq!(shown(streams, &call), None);
            streams.extend(&call, 0, "ab");
            streams.extend(&call, 5, "lost");
            assert_eq!(shown(streams, &call).as_deref(), Some("ab"));
        });
    }

    #[test]
    fn the_text_of_a_call_that_ended_is_gone() {
        Owner::new().with(|| {
            let (streams, call) = (Streams::new(), "bull:1:1".parse().unwrap());
            streams.extend(&call, 0, "ab");
            streams.end(&call);
            assert_eq!(shown(streams, &call), None);
        });
    }
}
