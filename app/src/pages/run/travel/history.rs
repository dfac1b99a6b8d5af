//! Views of the past, folded from the log and kept at intervals.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{Event, RunView};

/// Events between two views that are kept, in a short log.
const INTERVAL: u64 = 64;
/// Views that are kept at most. In a longer log they stand further apart.
const KEPT: usize = 32;

/// Views that were folded before, so that few events are between any moment and one of them.
#[derive(Clone, Debug, Default)]
pub struct History {
    kept: BTreeMap<u64, RunView>,
    /// Views are kept at multiples of so many times the interval.
    doubled: u32,
}

impl History {
    /// That of a log which is so long already: none of its first views is kept only to be dropped again.
    pub fn of_length(events: u64) -> Self {
        let is_enough = |doubled: &u32| events / (INTERVAL << doubled) <= KEPT as u64;
        Self { kept: BTreeMap::new(), doubled: (0..32).find(is_enough).unwrap_or(32) }
    }

    /// The view of the log up to event `seq`; `None` if that is not here or does not begin a run. It is folded on from
    /// `last`, the view that was asked for before, where no other is nearer.
    pub fn view_at(&mut self, events: &[Arc<Event>], seq: u64, last: Option<RunView>) -> Option<RunView> {
        if events.last()?.seq < seq {
            return None;
        }
        let kept = self.kept.range(..=seq).next_back().map(|(_, view)| view);
        let last = last.filter(|view| view.seq() <= seq);
        let mut view = match (kept, last) {
            (Some(kept), Some(last)) if kept.seq() <= last.seq() => Some(last),
            (Some(kept), _) => Some(kept.clone()),
            (None, last) => last,
        };
        let from = view.as_ref().map_or(0, RunView::seq);
        let (from, end) = [from, seq].map(|seq| events.partition_point(|event| event.seq <= seq)).into();
        self.fold(&mut view, &events[from..end]);
        view
    }

    /// Applies events to a view, and keeps what it is between them. The first begins the run.
    pub fn fold(&mut self, view: &mut Option<RunView>, events: &[Arc<Event>]) {
        for event in events {
            match view {
                Some(view) => drop(view.apply(event)),
                None => *view = RunView::begin(event),
            }
            if event.seq.is_multiple_of(INTERVAL << self.doubled)
                && !self.kept.contains_key(&event.seq)
                && let Some(view) = view
            {
                self.keep(event.seq, view.clone());
            }
        }
    }

    fn keep(&mut self, seq: u64, view: RunView) {
        self.kept.insert(seq, view);
        if self.kept.len() > KEPT {
            self.doubled += 1;
            self.kept.retain(|seq, _| seq.is_multiple_of(INTERVAL << self.doubled));
        }
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
        let (mut history, mut last) = (History::default(), None);
        for seq in [300, 1, 64, 65, 63, 200, 128, 299] {
            let folded = RunView::fold(events[..seq as usize].iter().map(|event| &**event));
            last = history.view_at(&events, seq, last);
            assert_eq!(last, folded, "event {seq}");
        }
    }

    #[test]
    fn of_a_long_log_few_views_are_kept_at_growing_distances() {
        let events = log(20_000);
        for mut history in [History::default(), History::of_length(20_000)] {
            for seq in [20_000, 19_999, 1, 12_345] {
                let folded = RunView::fold(events[..seq as usize].iter().map(|event| &**event));
                assert_eq!(history.view_at(&events, seq, None), folded, "event {seq}");
                assert!(history.kept.len() <= KEPT);
            }
            assert!(history.kept.len() >= KEPT / 4, "there are enough to begin from");
        }
    }

    #[test]
    fn an_event_that_has_not_come_has_no_view() {
        assert_eq!(History::default().view_at(&log(5), 6, None), None);
    }
}
