//! The bars in a row of the timeline: the visits of a node, its model calls and its tools.

use protocol::{CallView, NodeId, NodeView, RunView, Timestamp, ToolView, Visit};

use super::Span;
use crate::{
    components::status::{Tone, tool_sign},
    format,
    pages::run::clock::ends_at,
};

/// Bars that are closer than this, as a percentage of the axis, look like one.
const NEAR: f64 = 0.1;
/// The newest calls or tools of a node among which those under way are looked for: more are not under way at once.
const NEWEST: usize = 256;

/// A bar in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bar {
    pub class: String,
    /// What it stands for; of several, the first.
    name: String,
    /// How long that took, in milliseconds; `None` while it lasts.
    length: Option<u64>,
    pub start: Timestamp,
    /// `None` while it lasts.
    pub end: Option<Timestamp>,
    /// Upper edge and height in the row.
    pub top: u32,
    pub height: u32,
    /// How many it stands for.
    count: usize,
}

impl Bar {
    fn of_visit(visit: &Visit) -> Self {
        let tone = match (visit.duration_ms, visit.failed) {
            (None, _) => Tone::Live,
            (_, true) => Tone::Failed,
            _ => Tone::Done,
        };
        let name = format!("Visit {}", visit.number);
        Self::new(format!("bar-visit {}", tone.class()), name, visit.started_at, visit.duration_ms, (5, 24))
    }

    fn of_call(call: &CallView) -> Self {
        let length = call.outcome.as_ref().map(|outcome| outcome.latency_ms);
        let failed = call.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some());
        let class = if failed { "bar-call tone-failed" } else { "bar-call" };
        Self::new(class.to_owned(), call.model.clone(), call.started_at, length, (9, 8))
    }

    fn of_tool(tool: &ToolView) -> Self {
        let length = tool.outcome.as_ref().map(|outcome| outcome.latency_ms);
        let sign = tool_sign(tool.outcome.as_ref().map(|outcome| outcome.status));
        let class = format!("bar-tool {}", sign.tone.class());
        Self::new(class, tool.tool.clone(), tool.started_at, length, (19, 6))
    }

    fn new(class: String, name: String, start: Timestamp, length: Option<u64>, place: (u32, u32)) -> Self {
        let end = length.map(|length| ends_at(start, length));
        let (top, height) = place;
        Self { class, name, length, start, end, top, height, count: 1 }
    }

    /// What it stands for, in words.
    pub fn title(&self) -> String {
        let one = match self.length {
            Some(length) => format!("{}, {}", self.name, format::duration(length)),
            None => format!("{}, under way", self.name),
        };
        if self.count == 1 { one } else { format!("{} times, the first: {one}", self.count) }
    }
}

/// How much a row has to show: it tells, without a look at all of it, whether there is more than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    calls: (usize, usize),
    tools: (usize, usize),
}

impl Counts {
    /// The calls and tools of a node, and those of them that are under way.
    pub fn of(view: &RunView, node: &NodeId) -> Self {
        let newest_calls = view.calls.of_node(node).rev().take(NEWEST);
        let newest_tools = view.tools.of_node(node).rev().take(NEWEST);
        Self {
            calls: (
                view.calls.count_of_node(node),
                newest_calls.filter(|call| call.outcome.is_none()).count(),
            ),
            tools: (
                view.tools.count_of_node(node),
                newest_tools.filter(|tool| tool.outcome.is_none()).count(),
            ),
        }
    }
}

/// The bars of a row. Those of what has ended are not made again when more happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    span: Span,
    visits: Vec<Bar>,
    calls: Joined,
    tools: Joined,
}

impl Bars {
    /// None yet, on an axis.
    pub fn on(span: Span) -> Self {
        Self { span, visits: Vec::new(), calls: Joined::default(), tools: Joined::default() }
    }

    /// Whether they stand on this axis.
    pub fn is_on(&self, span: Span) -> bool {
        self.span == span
    }

    /// Takes in what there is of a node, which is what there was before, and more.
    pub fn take(&mut self, view: &RunView, node: Option<&NodeView>, id: &NodeId) {
        // What was taken over was done before this axis begins.
        let begins = view.summary.created_at;
        let visits = node.into_iter().flat_map(|node| &node.visits).filter(|visit| !visit.inherited);
        self.visits = visits.map(Bar::of_visit).collect();
        let calls = view.calls.of_node(id).skip(self.calls.ended);
        let calls = calls.map(|call| (call.started_at >= begins).then(|| Bar::of_call(call)));
        self.calls.take(calls, self.span);
        let tools = view.tools.of_node(id).skip(self.tools.ended);
        let tools = tools.map(|tool| (tool.started_at >= begins).then(|| Bar::of_tool(tool)));
        self.tools.take(tools, self.span);
    }

    /// All of them, those below others first.
    pub fn all(&self) -> impl Iterator<Item = &Bar> {
        self.visits.iter().chain(self.calls.all()).chain(self.tools.all())
    }
}

/// Bars at one height. Those that lie so close that nobody could tell them apart are one.
#[derive(Clone, Debug, Default, PartialEq)]
struct Joined {
    /// How many entries have ended before the first that has not.
    ended: usize,
    /// The bars of these.
    bars: Vec<Bar>,
    /// The bars of the others.
    rest: Vec<Bar>,
}

impl Joined {
    /// Takes in the entries after those that have ended; `None` stands for one without a bar.
    fn take(&mut self, entries: impl Iterator<Item = Option<Bar>>, span: Span) {
        self.rest.clear();
        let mut have_ended = true;
        for bar in entries {
            have_ended &= bar.as_ref().is_none_or(|bar| bar.end.is_some());
            let bars = if have_ended { &mut self.bars } else { &mut self.rest };
            bar.into_iter().for_each(|bar| join(bars, bar, span));
            self.ended += usize::from(have_ended);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Bar> {
        self.bars.iter().chain(&self.rest)
    }
}

fn join(bars: &mut Vec<Bar>, bar: Bar, span: Span) {
    if let Some((before, (until, end))) =
        bars.last_mut().and_then(|last| Some((last.end?, bar.end?)).map(|ends| (last, ends)))
        && before.class == bar.class
        && span.at(bar.start) - span.at(until) < NEAR
        && bar.start >= before.start
    {
        before.end = Some(until.max(end));
        before.count += bar.count;
    } else {
        bars.push(bar);
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Event, RunId};

    use super::*;

    /// The events of a run with a node that makes calls side by side, of which every third fails.
    fn events() -> Vec<Event> {
        let mut events = Vec::new();
        let mut add = |at: i64, node: Option<&str>, kind: &str, data: serde_json::Value| {
            events.push(Event {
                run: RunId(Default::default()),
                seq: events.len() as u64 + 1,
                at: Timestamp(at),
                node: node.map(|node| node.parse().unwrap()),
                body: serde_json::from_value(serde_json::json!({ "kind": kind, "data": data })).unwrap(),
            });
        };
        let request = serde_json::json!({ "workflow": { "type": "essay" }, "flow": "flow" });
        add(0, None, "run_started", serde_json::json!({ "request": request }));
        let plan = serde_json::json!({
            "id": "one", "label": "One", "role": "analyst", "kind": "agent", "phase": "Work", "planned_visits": 1,
        });
        add(0, Some("one"), "node_added", plan);
        add(0, Some("one"), "node_started", serde_json::json!({ "visit": 1, "phase": "Work" }));
        for number in 1..=40_i64 {
            let started = serde_json::json!({ "call": format!("one:1:{number}"), "model": "m", "tier": "quick", "prompt": "?" });
            add(number * 100, Some("one"), "call_started", started);
            // One stays open while the next begins.
            let ended = if number % 2 == 0 { vec![number, number - 1] } else { Vec::new() };
            for call in ended {
                let error = (call % 3 == 0).then_some("It did not answer.");
                let finished = serde_json::json!({
                    "call": format!("one:1:{call}"), "model": "m", "answer": "Yes.", "latency_ms": 60, "retries": 0,
                    "usage": {}, "error": error,
                });
                add(number * 100 + 60, Some("one"), "call_finished", finished);
            }
        }
        events
    }

    #[test]
    fn the_bars_of_a_row_that_grows_are_those_of_the_whole_row() {
        let span = Span { start: Timestamp(0), length: 50_000 };
        let id: NodeId = "one".parse().unwrap();
        let (mut growing, mut joined) = (Bars::on(span), 0);
        let events = events();
        let mut view = RunView::begin(&events[0]).unwrap();
        for event in &events {
            view.apply(event);
            let node = view.node(&id).cloned();
            growing.take(&view, node.as_deref(), &id);
            let mut whole = Bars::on(span);
            whole.take(&view, node.as_deref(), &id);
            let shown = |bars: &Bars| bars.all().cloned().collect::<Vec<_>>();
            // Where a bar that has ended follows one that had not, they are not joined later.
            let stands_for = |bars: &Bars| bars.all().map(|bar| bar.count).sum::<usize>();
            assert_eq!(stands_for(&growing), stands_for(&whole), "event {}", event.seq);
            assert_eq!(shown(&growing), shown(&whole), "event {}", event.seq);
            joined = whole.calls.bars.len();
        }
        assert_eq!(view.calls.len(), 40);
        assert!(growing.calls.rest.is_empty() && joined < 40, "{joined} bars");
    }
}
