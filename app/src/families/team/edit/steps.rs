//! The steps in which something was edited, to go back over them and on again.

use std::collections::VecDeque;

/// Steps that can be undone at most.
const MOST: usize = 100;
/// Bytes of all that is remembered at most; the newest step is always kept.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What was edited, before each step: as text, which is small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    past: VecDeque<String>,
    undone: Vec<String>,
    /// The place at which the last step goes on: what is typed in one field, letter by letter, is one step.
    going_on: Option<String>,
}

impl Steps {
    /// Whether a change at this place belongs to the step before.
    pub(super) fn goes_on_at(&self, place: &str) -> bool {
        self.going_on.as_deref() == Some(place)
    }

    /// Notes how it was before a change. One without a place is a step by itself.
    pub(super) fn note(&mut self, before: String, place: Option<String>) {
        self.undone.clear();
        self.past.push_back(before);
        let mut bytes: usize = self.past.iter().map(String::len).sum();
        while self.past.len() > MOST || (bytes > MOST_BYTES && self.past.len() > 1) {
            bytes -= self.past.pop_front().map_or(0, |gone| gone.len());
        }
        self.going_on = place;
    }

    /// The next change is a step of its own, wherever it is.
    pub(super) fn end(&mut self) {
        self.going_on = None;
    }

    /// How it was before the last step; `now` is how it is.
    pub(super) fn undo(&mut self, now: impl FnOnce() -> String) -> Option<String> {
        let before = self.past.pop_back()?;
        self.undone.push(now());
        self.going_on = None;
        Some(before)
    }

    /// How it was before the last undo; `now` is how it is.
    pub(super) fn redo(&mut self, now: impl FnOnce() -> String) -> Option<String> {
        let after = self.undone.pop()?;
        self.past.push_back(now());
        self.going_on = None;
        Some(after)
    }

    /// Whether there is a step to go back over.
    pub(super) fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is one that was gone back over.
    pub(super) fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_gone_back_over_and_on_again_until_something_else_is_done() {
        let mut steps = Steps::default();
        steps.note("a".to_owned(), None);
        steps.note("b".to_owned(), None);
        assert_eq!(steps.undo(|| "c".to_owned()).as_deref(), Some("b"));
        assert_eq!(steps.undo(|| "b".to_owned()).as_deref(), Some("a"));
        assert_eq!(steps.undo(|| "a".to_owned()), None);
        assert_eq!(steps.redo(|| "a".to_owned()).as_deref(), Some("b"));
        assert!(steps.can_undo() && steps.can_redo());
        steps.note("b".to_owned(), None);
        assert_eq!(steps.redo(|| "d".to_owned()), None);
    }

    #[test]
    fn what_is_typed_in_one_field_is_one_step_until_it_is_left() {
        let mut steps = Steps::default();
        steps.note(String::new(), Some("/name".to_owned()));
        assert!(steps.goes_on_at("/name") && !steps.goes_on_at("/description"));
        steps.end();
        assert!(!steps.goes_on_at("/name"));
    }

    #[test]
    fn the_oldest_steps_are_forgotten_first() {
        let mut steps = Steps::default();
        (0..MOST + 50).for_each(|step| steps.note(step.to_string(), None));
        let undone: Vec<String> = std::iter::from_fn(|| steps.undo(String::new)).collect();
        assert_eq!((undone.len(), undone[MOST - 1].as_str()), (MOST, "50"));
        steps.note("x".repeat(MOST_BYTES), None);
        steps.note("y".repeat(MOST_BYTES), None);
        assert_eq!(std::iter::from_fn(|| steps.undo(String::new)).count(), 1);
    }
}
