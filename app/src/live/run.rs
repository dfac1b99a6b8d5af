//! A run that the page follows.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Applied, CallId, Control, Event, Frame, RunView};

use super::{Connection, Streams, Taken};

/// The signals of a run that is followed.
#[derive(Clone, Copy, Debug)]
pub struct LiveRun {
    /// The run up to the last event that was received.
    pub view: RwSignal<RunView>,
    /// How the page hears of more.
    pub connection: Signal<Connection>,
    /// The text of calls in flight.
    pub streams: Streams,
    /// Events received since the page was opened, in order.
    pub received: RwSignal<Vec<Arc<Event>>>,
    /// The place in the queue, while the run waits for one.
    pub place: RwSignal<Option<usize>>,
    /// Whether `view` is all of the run, and not its outline alone ([`RunView::keep_outline`]).
    pub is_whole: RwSignal<bool>,
    /// The number of an event that the log is known to have, or to get.
    awaited: RwSignal<u64>,
    /// The number of the newest event when the connection began.
    newest: StoredValue<u64>,
}

/// Follows a run from `initial` on, without a gap, for as long as the caller's owner lives.
pub fn use_run(initial: RunView, is_whole: bool) -> LiveRun {
    let is_closed = initial.summary.is_closed();
    let connection = RwSignal::new(if is_closed { Connection::Complete } else { Connection::Connecting });
    let run = LiveRun {
        view: RwSignal::new(initial),
        connection: connection.into(),
        streams: Streams::new(),
        received: RwSignal::new(Vec::new()),
        place: RwSignal::new(None),
        is_whole: RwSignal::new(is_whole),
        awaited: RwSignal::new(0),
        newest: StoredValue::new(0),
    };
    // Of the log, how much it was last opened anew for. Opened at all counts as well.
    let opened_for = RwSignal::new((!is_closed).then_some(0));
    let sees_more = Memo::new(move |_| {
        let awaited = run.awaited.get();
        let is_complete = connection.get() == Connection::Complete;
        // Once for each: what a socket does not bring it does not bring the second time, either.
        let is_new = opened_for.get_untracked().is_none_or(|opened| awaited > opened);
        (is_complete && is_new && run.view.with_untracked(RunView::seq) < awaited).then_some(awaited)
    });
    Effect::new(move |_| {
        if let Some(awaited) = sees_more.get() {
            connection.set(Connection::Connecting);
            opened_for.set(Some(awaited));
        }
    });
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        use super::listener::{Listener, listen};

        // What is complete stays closed, until it is known that there is more.
        if opened_for.get().is_none() {
            return;
        }
        let path = move || {
            let (id, seq) = run.view.try_with_untracked(|view| (view.summary.run, view.seq()))?;
            Some(format!("/ws/v1/runs/{id}?after={seq}"))
        };
        listen(
            connection,
            Listener { path: move || path().unwrap_or_default(), read, take: move |frames| run.take(frames) },
        );
    });
    run
}

/// Reads a message. Pieces of text in flight stay as they are: they are numbered by their bytes.
#[cfg(feature = "hydrate")]
fn read(text: &str) -> Option<Frame> {
    use crate::legible::{LONGEST_REMARK, legible_json};

    match text.starts_with(r#"{"control":"#) {
        true => Frame::parse(text).ok(),
        false => Frame::parse(&legible_json(text, LONGEST_REMARK)).ok(),
    }
}

impl LiveRun {
    /// The log has an event of this number. Where it was complete before, or is just being closed, it
    /// is opened again.
    pub fn expect(&self, seq: u64) {
        if self.awaited.try_with_untracked(|awaited| *awaited < seq) == Some(true) {
            self.awaited.try_set(seq);
        }
    }

    /// Something is about to be added to the log.
    pub fn expect_more(&self) {
        if let Some(seq) = self.view.try_with_untracked(RunView::seq) {
            self.expect(seq.saturating_add(1));
        }
    }

    /// Whether there is more to be known of what happened than is here.
    pub fn needs_whole(&self) -> bool {
        self.is_whole.try_get_untracked() == Some(false)
    }

    /// Puts the whole run in the place of its outline, with what was received since.
    pub fn complete(&self, mut whole: RunView) {
        if !self.needs_whole() {
            return;
        }
        self.received.with_untracked(|received| {
            let first = received.partition_point(|event| event.seq <= whole.seq());
            for event in &received[first..] {
                whole.apply(event);
            }
        });
        // An older view would bring back what is over.
        if self.view.try_with_untracked(|view| view.seq() <= whole.seq()) == Some(true) {
            self.view.set(whole);
            self.is_whole.set(true);
            // It may know of ends that came with no event so far, and then come with none that is new.
            self.forget_what_ended();
        }
    }

    fn forget_what_ended(&self) {
        self.streams.keep(|call| self.is_open(call));
    }

    /// Whether more text of a call can come.
    fn is_open(&self, call: &CallId) -> bool {
        self.view.try_with_untracked(|view| is_open(view, call)) == Some(true)
    }

    /// Takes in what came since the last drawn frame, with one change of the view.
    /// Where events are missing, the rest was left out: read on from the view's last event.
    pub fn take(&self, frames: Vec<Frame>) -> Taken {
        let (mut events, mut in_flight) = (Vec::new(), Vec::new());
        for frame in frames {
            match frame {
                Frame::Event(event) => events.push(*event),
                Frame::Control(Control::Queued { place }) => drop(self.place.try_set(Some(place))),
                Frame::Control(Control::Hello { seq, .. }) => drop(self.newest.try_set_value(seq)),
                // What is about the connection itself does not come so far.
                Frame::Control(Control::Trouble(_) | Control::Heartbeat { .. } | Control::Closed { .. }) => {}
                Frame::Control(frame) => in_flight.push(frame),
            }
        }
        let is_whole = events.is_empty() || self.apply(events);
        for frame in in_flight {
            if frame.call().is_some_and(|call| self.is_open(call)) {
                self.streams.take(frame);
            }
        }
        let seq = self.view.try_with_untracked(RunView::seq);
        match (is_whole, seq.zip(self.newest.try_get_value())) {
            (false, _) => Taken::Missing,
            (true, Some((seq, newest))) if seq < newest => Taken::Behind,
            (true, _) => Taken::UpToDate,
        }
    }

    fn apply(&self, events: Vec<Event>) -> bool {
        let mut taken = Vec::with_capacity(events.len());
        let is_whole = self.view.try_update(|view| {
            for event in events {
                match view.apply(&event) {
                    Applied::Changed => taken.push(Arc::new(event)),
                    Applied::Duplicate => {}
                    Applied::Gap => return false,
                }
            }
            true
        });
        if !taken.is_empty() {
            self.received.try_update(|received| received.extend(taken));
            self.forget_what_ended();
        }
        is_whole.unwrap_or(true)
    }
}

/// Whether more text of a call can come. A run that ended, by a stop for example, may leave calls without an end;
/// what is asked beside it goes on.
fn is_open(view: &RunView, call: &CallId) -> bool {
    match call.chat() {
        Some(number) => !view.chats.iter().any(|chat| chat.asked.chat == number && chat.answered.is_some()),
        None => !view.summary.status.is_over() && view.call(call).is_none_or(|call| call.outcome.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        Body, CallFinished, CallStarted, Heading, LogLevel, LogLine, Prompt, RunFinished, RunId, RunRequest,
        RunStarted, RunStatus, Tier, Timestamp, Totals, Usage, Workflow,
    };

    use super::*;

    fn event(seq: u64, body: Body) -> Event {
        Event { run: RunId(Default::default()), seq, at: Timestamp(seq as i64), node: None, body }
    }

    fn line(seq: u64) -> Frame {
        let line = LogLine { level: LogLevel::Info, message: format!("line {seq}") };
        Frame::Event(Box::new(event(seq, Body::Logged(line))))
    }

    fn followed() -> LiveRun {
        let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
        use_run(
            RunView::begin(&event(
                1,
                Body::RunStarted(RunStarted::new(request, Heading::new("Essay · rain"))),
            ))
            .unwrap(),
            true,
        )
    }

    fn turns(run: LiveRun) -> usize {
        run.view.with_untracked(|view| view.turns.len())
    }

    #[test]
    fn an_event_that_comes_twice_counts_once() {
        Owner::new().with(|| {
            let run = followed();
            assert_eq!(run.take(vec![line(2), line(2), line(3)]), Taken::UpToDate);
            assert_eq!(turns(run), 2);
            assert_eq!(run.received.with_untracked(Vec::len), 2);
        });
    }

    #[test]
    fn a_gap_is_noticed_and_nothing_behind_it_is_taken() {
        Owner::new().with(|| {
            let run = followed();
            assert_eq!(run.take(vec![line(2), line(4), line(5)]), Taken::Missing);
            assert_eq!(run.view.with_untracked(RunView::seq), 2);
        });
    }

    #[test]
    fn it_is_up_to_date_once_all_is_there_that_was_there_when_the_connection_began() {
        Owner::new().with(|| {
            let run = followed();
            let hello = Frame::Control(Control::Hello { run: RunId(Default::default()), seq: 4 });
            assert_eq!(run.take(vec![hello]), Taken::Behind);
            assert_eq!(run.take(vec![line(2), line(3)]), Taken::Behind);
            assert_eq!(run.take(vec![line(4)]), Taken::UpToDate);
        });
    }

    fn piece(call: &CallId) -> Frame {
        Frame::Control(Control::Delta { call: call.clone(), from: 0, text: "The".into() })
    }

    fn call_started(seq: u64, call: &CallId) -> Frame {
        let started = CallStarted {
            call: call.clone(),
            model: "m".into(),
            tier: Tier::Quick,
            profile: None,
            prompt: Prompt::default(),
            tools: Vec::new(),
            asked: None,
        };
        Frame::Event(Box::new(event(seq, Body::CallStarted(started))))
    }

    fn call_finished(seq: u64, call: &CallId) -> Event {
        let finished = CallFinished {
            call: call.clone(),
            model: "m".into(),
            answer: "The end".into(),
            thoughts: protocol::Text::default(),
            cut_off: protocol::Text::default(),
            tool_requests: Vec::new(),
            echo: None,
            usage: Usage::default(),
            cost: None,
            latency_ms: 1,
            retries: 0,
            attempts: Vec::new(),
            error: None,
        };
        event(seq, Body::CallFinished(finished))
    }

    #[test]
    fn text_in_flight_ends_with_its_call() {
        Owner::new().with(|| {
            let run = followed();
            let call: CallId = "bull:1:1".parse().unwrap();
            run.take(vec![call_started(2, &call), piece(&call)]);
            assert!(run.streams.of(&call).is_some());
            run.take(vec![Frame::Event(Box::new(call_finished(3, &call)))]);
            assert!(run.streams.of(&call).is_none());
        });
    }

    #[test]
    fn text_in_flight_ends_with_a_call_whose_end_came_with_the_whole_run() {
        Owner::new().with(|| {
            let run = followed();
            run.is_whole.set(false);
            let call: CallId = "bull:1:1".parse().unwrap();
            run.take(vec![call_started(2, &call), piece(&call)]);
            let mut whole = run.view.get_untracked();
            whole.apply(&call_finished(3, &call));
            run.complete(whole);
            assert!(run.streams.of(&call).is_none());
            assert_eq!(run.take(vec![Frame::Event(Box::new(call_finished(3, &call)))]), Taken::UpToDate);
            assert_eq!(run.streams.tokens(), 0);
        });
    }

    #[test]
    fn a_run_that_ended_has_no_text_in_flight_but_of_what_is_asked_beside_it() {
        Owner::new().with(|| {
            let run = followed();
            let (call, chat): (CallId, CallId) = ("bull:1:1".parse().unwrap(), CallId::of_chat(1));
            run.take(vec![call_started(2, &call), piece(&call), piece(&chat)]);
            let finished = RunFinished {
                status: RunStatus::Cancelled,
                error: None,
                stopped: None,
                totals: Totals::default(),
            };
            run.take(vec![Frame::Event(Box::new(event(3, Body::RunFinished(finished)))), piece(&call)]);
            assert!(run.streams.of(&call).is_none());
            assert!(run.streams.of(&chat).is_some());
        });
    }
}
