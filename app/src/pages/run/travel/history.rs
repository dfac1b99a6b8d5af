//! Views of the past, folded from the log and kept at intervals.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{Event, RunView};

/// Events between two views that are kept, in a short log.
const INTERVAL: u64 = 64;
/// Views that are kept at most. In a longer log they stand further apart.
const KEPT: usize = 64;

/// Views that were folded before, so that a step back folds few events.
#[derive(Clone, Debug, Default)]
pub struct History {
    kept: BTreeMap<u64, RunView>,
    /// Views are kept at multiples of so many times the interval.
    doubled: u32,
    last: Option<RunView>,
}

impl History {
    /// The view of the log up to event `seq`; `None` if that is not here or does not begin a run.
    pub fn view_at(&mut self, events: &[Arc<Event>], seq: u64) -> Option<RunView> {
        if events.last()?.seq < seq {
            return None;
        }
        let mut view = match self.nearest(seq) {
            Some(view) => view.clone(),
            None => RunView::begin(events.first()?)?,
        };
        let from = events.partition_point(|event| event.seq <= view.seq());
        for event in events[from..].iter().take_while(|event| event.seq <= seq) {
            view.apply(event);
            if event.seq.is_multiple_of(INTERVAL << self.doubled) {
                self.keep(event.seq, view.clone());
            }
        }
        self.last = Some(view.clone());
        Some(view)
    }

    fn keep(&mut self, seq: u64, view: RunView) {
        self.kept.insert(seq, view);
        if self.kept.len() > KEPT {
            self.doubled += 1;
            self.kept.retain(|seq, _| seq.is_multiple_of(INTERVAL << self.doubled));
        }
    }

    fn nearest(&self, seq: u64) -> Option<&RunView> {
        let kept = self.kept.range(..=seq).next_back().map(|(_, view)| view);
        let last = self.last.as_ref().filter(|view| view.seq() <= seq);
        [kept, last].into_iter().flatten().max_by_key(|view| view.seq())
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Body, Heading, LogLevel, LogLine, RunId, RunRequest, RunStarted, Timestamp, Workflow};

    use super::*;

    fn log(length: u64) -> Vec<Arc<Event>> {
        let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
        let body = |seq| match seq {
            1 => Body::RunStarted(RunStarted::new(request.clone(), Heading::new("Essay · rain"))),
            _ => Body::Logged(LogLine { level: LogLevel::Info, message: format!("line {seq}") }),
        };
        let event = |seq| Event {
            run: RunId(Default::default()),
            seq,
            at: Timestamp(seq as i64),
            node: None,
            body: body(seq),
        };
        (1..=length).map(|seq| Arc::new(event(seq))).collect()
    }

    #[test]
    fn the_view_of_any_event_is_the_fold_of_the_log_up_to_it() {
        let events = log(300);
        let mut history = History::default();
        for seq in [300, 1, 64, 65, 63, 200, 128, 299] {
            let folded = RunView::fold(events[..seq as usize].iter().map(|event| &**event));
            assert_eq!(history.view_at(&events, seq), folded, "event {seq}");
        }
    }

    #[test]
    fn of_a_long_log_few_views_are_kept_at_growing_distances() {
        let events = log(20_000);
        let mut history = History::default();
        for seq in [20_000, 19_999, 1, 12_345] {
            let folded = RunView::fold(events[..seq as usize].iter().map(|event| &**event));
            assert_eq!(history.view_at(&events, seq), folded, "event {seq}");
            assert!(history.kept.len() <= KEPT);
        }
        assert!(history.kept.len() >= KEPT / 4, "there are enough to begin from");
    }

    #[test]
    fn an_event_that_has_not_come_has_no_view() {
        assert_eq!(History::default().view_at(&log(5), 6), None);
    }
}
