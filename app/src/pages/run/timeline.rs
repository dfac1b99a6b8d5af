//! When what happened: a row for each node, and in it its visits, calls and tools.

mod bars;

use std::ops::Range;

use leptos::{html, prelude::*};
use protocol::{RunView, Timestamp};

use self::bars::{Bar, Bars, Counts};
use super::{
    clock::{ends_at, horizon},
    graph::card::icon_of,
    screen::Screen,
};
use crate::{
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, node_sign},
        window::Rows,
    },
    format,
    graph::tree::Tree,
};

/// Rows of nodes that are deeper within others than this stand no further right.
const DEEPEST: usize = 6;
/// Marks on the axis at most.
const MARKS: u64 = 6;
/// Height of a row in pixels; the style sets the same.
const ROW: i32 = 36;

/// As long as a run works its axis grows in steps, so that not all bars move with every event: a step is between so
/// many parts of the axis and half as many.
const STEPS: u64 = 64;

/// The time that the axis spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Span {
    start: Timestamp,
    /// More than zero, in milliseconds.
    length: u64,
}

impl Span {
    fn of(view: &RunView, now: Option<Timestamp>) -> Self {
        let start = view.summary.created_at;
        let length = horizon(view, now).since(start).max(1_000);
        let length = match view.summary.finished_at {
            Some(_) => length,
            None => length.next_multiple_of((length / STEPS).next_power_of_two()),
        };
        Self { start, length }
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

/// The timeline of the run.
#[component]
pub fn Timeline(screen: Screen) -> impl IntoView {
    let view = screen.view;
    let shape = Memo::new(move |_| view.with(|view| view.nodes.len()));
    let tree = Memo::new(move |_| {
        shape.get();
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
        let counts = Memo::new({
            let id = id.clone();
            // Between moments of the past, as much may be under way and not be the same.
            let moment = move |view: &RunView| screen.travel.is_past().then(|| view.seq());
            move |_| screen.view.with(|view| (Counts::of(view, &id), moment(view)))
        });
        let bars = Memo::new({
            let id = id.clone();
            move |before: Option<&Bars>| {
                counts.get();
                let node = node.get();
                // Only of how the run is, more follows.
                let before = before.cloned().filter(|_| !screen.travel.is_past());
                let mut bars = before.filter(|bars| bars.is_on(span.get())).unwrap_or(Bars::on(span.get()));
                screen.view.with_untracked(|view| bars.take(view, node.as_deref(), &id));
                bars
            }
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
        let all =
            move || bars.with(|bars| bars.all().cloned().map(|bar| (bar, span.get())).collect::<Vec<_>>());
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
                        <For each=all key=Clone::clone let((bar, span))>
                            {draw(&bar, span)}
                        </For>
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
                <title>{bar.title()}</title>
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

#[cfg(test)]
mod tests {
    use protocol::{Body, Event, Heading, RunId, RunRequest, RunStarted, Workflow};

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
    fn the_axis_of_a_run_at_work_grows_in_steps() {
        let lengths = (100_000..103_000).map(|at| {
            let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
            let body = Body::RunStarted(RunStarted::new(request, Heading::new("Essay · rain")));
            let start = Event { run: RunId(Default::default()), seq: 1, at: Timestamp(0), node: None, body };
            Span::of(&RunView::begin(&start).unwrap(), Some(Timestamp(at))).length
        });
        let lengths: Vec<_> = lengths.collect();
        assert!((100_000..).zip(&lengths).all(|(at, length)| (at..at + at / 16).contains(length)));
        assert!(lengths.iter().collect::<std::collections::BTreeSet<_>>().len() <= 3, "few steps");
    }

    #[test]
    fn a_moment_outside_the_axis_stays_on_it() {
        let span = Span { start: Timestamp(1_000), length: 4_000 };
        assert_eq!(span.at(Timestamp(0)), 0.0);
        assert_eq!(span.at(Timestamp(3_000)), 50.0);
        assert_eq!(span.at(Timestamp(9_000)), 100.0);
    }
}
