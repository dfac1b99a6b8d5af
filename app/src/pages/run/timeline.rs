//! When what happened: a row for each node, and in it its visits, calls and tools.

use std::{ops::Range, sync::Arc};

use leptos::{html, prelude::*};
use protocol::{CallView, NodeId, NodeView, RunView, Timestamp, ToolView};

use super::{
    clock::{ends_at, horizon},
    graph::card::icon_of,
    screen::Screen,
};
use crate::{
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, Tone, node_sign, tool_sign},
        window::Rows,
    },
    format,
    graph::tree::Tree,
};

/// Rows of nodes that are deeper within others than this stand no further right.
const DEEPEST: usize = 6;
/// Marks on the axis at most.
const MARKS: u64 = 6;
/// Bars that are closer than this, as a percentage of the axis, look like one.
const NEAR: f64 = 0.1;
/// Height of a row in pixels; the style sets the same.
const ROW: i32 = 36;

/// The time that the axis spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: Timestamp,
    /// More than zero, in milliseconds.
    length: u64,
}

impl Span {
    fn of(view: &RunView, now: Option<Timestamp>) -> Self {
        let start = view.summary.created_at;
        Self { start, length: horizon(view, now).since(start).max(1_000) }
    }

    /// A moment as a percentage of the axis.
    fn at(&self, moment: Timestamp) -> f64 {
        (moment.since(self.start) as f64 / self.length as f64 * 100.0).min(100.0)
    }

    fn end(&self) -> Timestamp {
        ends_at(self.start, self.length)
    }

    /// Round times, in milliseconds from the start.
    fn marks(&self) -> Vec<u64> {
        const STEPS: [u64; 16] = [
            100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000,
            7_200_000, 21_600_000, 86_400_000,
        ];
        let fits = |step: &&u64| self.length / **step <= MARKS;
        let step = STEPS.iter().find(fits).copied().unwrap_or(self.length / MARKS + 1);
        (0..=self.length / step).map(|mark| mark * step).collect()
    }
}

/// A bar in a row.
#[derive(Clone, Debug, PartialEq)]
struct Bar {
    class: String,
    title: String,
    start: Timestamp,
    /// `None` while it lasts.
    end: Option<Timestamp>,
    /// Upper edge and height in the row.
    top: u32,
    height: u32,
}

/// The timeline of the run.
#[component]
pub fn Timeline(screen: Screen) -> impl IntoView {
    let view = screen.view;
    let shape = Memo::new(move |_| view.with(|view| view.nodes.len()));
    let tree = Memo::new(move |_| {
        shape.track();
        view.with_untracked(|view| Tree::new(&view.nodes.iter().map(|node| &node.plan).collect::<Vec<_>>()))
    });
    // Groups are open here until somebody folds them: a list may be long.
    let nodes = Memo::new(move |_| {
        screen.folds.track();
        tree.with(|tree| {
            view.with_untracked(|view| {
                let id = |group: usize| view.nodes.get(group).map(|node| &node.plan.id);
                tree.rows(|group| id(group).and_then(|id| screen.folds.chosen(id)).unwrap_or(true))
            })
        })
    });
    let count = Memo::new(move |_| nodes.with(Vec::len));
    let frame = NodeRef::<html::Div>::new();
    let rows = Rows::new(frame, ROW, count.into());
    let span = Memo::new(move |_| {
        let now = screen.now.get();
        view.with(|view| Span::of(view, now))
    });
    let axis = move || {
        let span = span.get();
        let marks = span.marks().into_iter().map(move |mark| {
            let place = span.at(ends_at(span.start, mark));
            let at = format!("{place:.2}%");
            // A word at the end of the axis would reach beyond it.
            let word = (place <= 90.0)
                .then(|| view! { <text class="axis-word" x=at.clone() y="14">{mark_word(mark)}</text> });
            view! {
                <line class="axis-line" x1=at.clone() x2=at y1="18" y2="26" />
                {word}
            }
        });
        marks.collect_view()
    };
    view! {
        <div class="timeline" node_ref=frame on:scroll=move |_| rows.look()>
            <div class="timeline-head">
                <span class="timeline-name dim">"Node"</span>
                <svg class="timeline-axis" height="26" aria-hidden="true">
                    {axis}
                </svg>
            </div>
            // An SVG takes its height from an attribute: styles in the document are forbidden.
            <svg class="spacer" width="1" height=move || rows.above() aria-hidden="true"></svg>
            <ol class="timeline-rows">
                <For each=move || drawn(nodes, rows.range()) key=|(node, _)| *node let((node, depth))>
                    <Row screen span tree node depth />
                </For>
            </ol>
            <svg class="spacer" width="1" height=move || rows.below() aria-hidden="true"></svg>
            <ul class="timeline-legend dim" aria-label="Colours">
                <li class="legend-visit">"visit"</li>
                <li class="legend-call">"model call"</li>
                <li class="legend-tool">"tool"</li>
            </ul>
        </div>
    }
}

/// The nodes of these rows, with how deep they are within groups.
fn drawn(nodes: Memo<Vec<(usize, usize)>>, rows: Range<usize>) -> Vec<(usize, usize)> {
    nodes.with(|nodes| nodes.get(rows).map(<[_]>::to_vec).unwrap_or_default())
}

/// The row of a node. What is within a group stands further right.
#[component]
fn Row(screen: Screen, span: Memo<Span>, tree: Memo<Tree>, node: usize, depth: usize) -> impl IntoView {
    let is_group = Memo::new(move |_| tree.with(|tree| tree.is_group(node)));
    let has_groups = Memo::new(move |_| tree.with(Tree::has_groups));
    let node = screen.node(node);
    let plan = node.get_untracked().map(|node| node.plan.clone());
    plan.map(|plan| {
        let id = plan.id.clone();
        let bars = Memo::new({
            let id = id.clone();
            move |_| node.with(|node| screen.view.with(|view| bars_of(view, node.as_deref(), &id)))
        });
        let class = {
            let id = id.clone();
            move || if screen.is_selected(&id) { "timeline-row selected" } else { "timeline-row" }
        };
        let pressed = {
            let id = id.clone();
            move || screen.is_selected(&id).to_string()
        };
        let select = move |_| screen.select(Some(id.clone()));
        let drawn = move || {
            let span = span.get();
            let bars = bars.with(|bars| joined(bars, span));
            bars.into_iter().map(move |bar| draw(&bar, span)).collect_view()
        };
        let label = plan.label.clone();
        let fold = {
            let id = plan.id.clone();
            move || {
                let is_open = screen.folds.chosen(&id).unwrap_or(true);
                let (turned, label) = (id.clone(), label.clone());
                is_group.get().then(|| {
                    view! {
                        <button
                            type="button"
                            class="timeline-fold"
                            aria-expanded=is_open.to_string()
                            aria-label=format!("{} {label}", if is_open { "Fold" } else { "Open" })
                            on:click=move |_| screen.folds.set(turned.clone(), !is_open)
                        >
                            <Icon name=IconName::Chevron />
                        </button>
                    }
                })
            }
        };
        view! {
            <li class=format!("timeline-line depth-{}", depth.min(DEEPEST)) class:in-tree=has_groups>
                {fold}
                <button type="button" class=class aria-pressed=pressed on:click=select>
                    <span class="timeline-name">
                        <Icon name=icon_of(&plan.role, plan.kind) />
                        <span class="timeline-label">{plan.label}</span>
                        {move || node.get().map(|node| view! { <SignLabel sign=node_sign(&node) /> })}
                    </span>
                    <svg class="timeline-bars" height="34">
                        {drawn}
                    </svg>
                </button>
            </li>
        }
    })
}

fn draw(bar: &Bar, span: Span) -> impl IntoView + use<> {
    let start = span.at(bar.start);
    let length = span.at(bar.end.unwrap_or(span.end())) - start;
    view! {
        // A bar too short to be seen is still there.
        <svg x=format!("{start:.2}%") width=format!("{:.2}%", length.max(0.25)) y=bar.top.to_string() height=bar.height.to_string()>
            <rect class=bar.class.clone() width="100%" height="100%" rx="3">
                <title>{bar.title.clone()}</title>
            </rect>
        </svg>
    }
}

/// A moment on the axis in few letters: `250 ms`, `40 s`, `1:10`, `2:00:00`.
fn mark_word(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (milliseconds, seconds) {
        (0, _) => "0".to_owned(),
        (..60_000, _) if !milliseconds.is_multiple_of(1_000) => format::duration(milliseconds),
        (_, ..60) => format!("{seconds} s"),
        (_, ..3_600) => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// The bars with those of one look put together that lie so close that nobody could tell them apart.
fn joined(bars: &[Bar], span: Span) -> Vec<Bar> {
    let mut joined: Vec<(Bar, usize)> = Vec::new();
    for bar in bars {
        let before = joined.iter_mut().rev().find(|(before, _)| before.top == bar.top);
        match (before, bar.end) {
            (Some((before, count)), Some(end))
                if before.class == bar.class
                    && before.end.is_some_and(|until| span.at(bar.start) - span.at(until) < NEAR)
                    && bar.start >= before.start =>
            {
                before.end = before.end.max(Some(end));
                *count += 1;
            }
            _ => joined.push((bar.clone(), 1)),
        }
    }
    let titled = joined.into_iter().map(|(bar, count)| match count {
        1 => bar,
        _ => Bar { title: format!("{count} times, the first: {}", bar.title), ..bar },
    });
    titled.collect()
}

fn bars_of(view: &RunView, node: Option<&NodeView>, id: &NodeId) -> Vec<Bar> {
    // What was taken over was done before this axis begins.
    let begins = view.summary.created_at;
    let visits = node.into_iter().flat_map(|node| {
        node.visits.iter().filter(|visit| !visit.inherited).map(move |visit| {
            let tone = match (visit.duration_ms, visit.failed) {
                (None, _) => Tone::Live,
                (_, true) => Tone::Failed,
                _ => Tone::Done,
            };
            Bar {
                class: format!("bar-visit {}", tone.class()),
                title: titled(&format!("Visit {}", visit.number), visit.duration_ms),
                start: visit.started_at,
                end: visit.duration_ms.map(|length| ends_at(visit.started_at, length)),
                top: 5,
                height: 24,
            }
        })
    });
    let calls = view.calls.of_node(id).filter(|call| call.started_at >= begins).map(call_bar);
    let tools = view.tools.of_node(id).filter(|tool| tool.started_at >= begins).map(tool_bar);
    visits.chain(calls).chain(tools).collect()
}

fn call_bar(call: &Arc<CallView>) -> Bar {
    let length = call.outcome.as_ref().map(|outcome| outcome.latency_ms);
    let failed = call.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some());
    Bar {
        class: if failed { "bar-call tone-failed".into() } else { "bar-call".into() },
        title: titled(&call.model, length),
        start: call.started_at,
        end: length.map(|length| ends_at(call.started_at, length)),
        top: 9,
        height: 8,
    }
}

fn tool_bar(tool: &Arc<ToolView>) -> Bar {
    let length = tool.outcome.as_ref().map(|outcome| outcome.latency_ms);
    let sign = tool_sign(tool.outcome.as_ref().map(|outcome| outcome.status));
    Bar {
        class: format!("bar-tool {}", sign.tone.class()),
        title: titled(&tool.tool, length),
        start: tool.started_at,
        end: length.map(|length| ends_at(tool.started_at, length)),
        top: 19,
        height: 6,
    }
}

fn titled(name: &str, length: Option<u64>) -> String {
    match length {
        Some(length) => format!("{name}, {}", format::duration(length)),
        None => format!("{name}, under way"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_round_marks_and_not_too_many() {
        let marks = |length| Span { start: Timestamp(0), length }.marks();
        assert_eq!(marks(4_500), [0, 1_000, 2_000, 3_000, 4_000]);
        assert_eq!(marks(60_000), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
        let words = marks(210_000).into_iter().map(mark_word).collect::<Vec<_>>();
        assert_eq!(words, ["0", "1:00", "2:00", "3:00"]);
        assert_eq!([250, 40_000, 7_200_000].map(mark_word), ["250 ms", "40 s", "2:00:00"]);
        for length in [1_000, 7_777, 123_456, 86_400_000] {
            assert!(marks(length).len() <= MARKS as usize + 1, "{length}");
        }
    }

    #[test]
    fn a_moment_outside_the_axis_stays_on_it() {
        let span = Span { start: Timestamp(1_000), length: 4_000 };
        assert_eq!(span.at(Timestamp(0)), 0.0);
        assert_eq!(span.at(Timestamp(3_000)), 50.0);
        assert_eq!(span.at(Timestamp(9_000)), 100.0);
    }
}
