//! When each agent worked, one below the other: what really went on side by side.

use leptos::prelude::*;
use protocol::{NodeView, RunView, Timestamp};

use crate::{components::status::node_sign, format, legible::legible};

/// The width of all bars together, in units of the drawing.
const WIDE: u64 = 1_000;

/// The time from the run's start to a node's first visit, and the time that it worked, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bar {
    label: String,
    tone: &'static str,
    word: &'static str,
    begins: u64,
    lasts: u64,
}

#[component]
pub(super) fn Times(plan: RwSignal<RunView>) -> impl IntoView {
    let bars = Memo::new(move |_| plan.with(bars));
    let all = Memo::new(move |_| bars.with(|bars| bars.iter().map(|bar| bar.begins + bar.lasts).max().unwrap_or(0)));
    let rows = move || {
        let all = all.get().max(1);
        let rows = bars.get().into_iter().map(move |bar| {
            let (x, width) = (bar.begins * WIDE / all, (bar.lasts * WIDE / all).max(1));
            view! {
                <li>
                    <span class="task-bar-label">{legible(&bar.label).into_owned()}</span>
                    <svg class="task-bar-track" viewBox=format!("0 0 {WIDE} 6") preserveAspectRatio="none" aria-hidden="true">
                        <rect class=format!("task-bar {}", bar.tone) x=x width=width height="6"></rect>
                    </svg>
                    <span class="dim mono">{format!("{} · {}", bar.word, format::duration(bar.lasts))}</span>
                </li>
            }
        });
        rows.collect_view()
    };
    view! {
        <Show when=move || bars.with(|bars| !bars.is_empty())>
            <section class="task-times" aria-label="Time">
                <h3>"Time "<span class="dim">{move || format::duration(all.get())}</span></h3>
                <ol tabindex="0">{rows}</ol>
            </section>
        </Show>
    }
}

/// The bars of all nodes that were visited, those that began first before others.
fn bars(view: &RunView) -> Vec<Bar> {
    let start = view.summary.created_at;
    let mut bars: Vec<Bar> =
        view.nodes.iter().filter_map(|node| bar(node, start, view.updated_at)).collect();
    bars.sort_by_key(|bar| bar.begins);
    bars
}

fn bar(node: &NodeView, start: Timestamp, known: Timestamp) -> Option<Bar> {
    let (first, last) = (node.visits.first()?, node.visits.last()?);
    let ends = match last.duration_ms {
        Some(lasted) => last.started_at.since(start).saturating_add(lasted),
        // Until the last moment that the log tells of.
        None => known.since(start),
    };
    let begins = first.started_at.since(start);
    let sign = node_sign(node);
    let label = node.plan.label.clone();
    Some(Bar { label, tone: sign.tone.class(), word: sign.word, begins, lasts: ends.saturating_sub(begins) })
}

#[cfg(test)]
mod tests {
    use protocol::{
        Body, Event, Heading, NodeAdded, NodeFinished, NodeKind, NodeStarted, NodeStatus, RunId, RunRequest,
        RunStarted, Workflow,
    };

    use super::*;

    fn node(id: &str) -> Body {
        Body::NodeAdded(NodeAdded {
            id: id.parse().unwrap(),
            label: id.to_owned(),
            role: String::new(),
            kind: NodeKind::Agent,
            phase: "Steps".to_owned(),
            scope: None,
            owner: None,
            tier: None,
            planned_visits: 1,
        })
    }

    fn ends(duration_ms: u64) -> Body {
        Body::NodeFinished(NodeFinished {
            visit: 1,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms,
            patch: Default::default(),
            appended: Default::default(),
            next: Vec::new(),
            complete: true,
            anew: false,
        })
    }

    #[test]
    fn a_bar_lasts_as_long_as_its_node_worked_and_to_the_last_moment_known_while_it_works() {
        let request = RunRequest::new(Workflow::bare("task".parse().unwrap()), "talk".parse().unwrap());
        let started = Body::RunStarted(RunStarted::new(request, Heading::new("Task")));
        let begins = || Body::NodeStarted(NodeStarted { visit: 1, phase: "Steps".to_owned() });
        let log = [
            (0, None, started),
            (0, None, node("a")),
            (0, None, node("b")),
            (0, None, node("c")),
            (1_000, Some("b"), begins()),
            (500, Some("a"), begins()),
            (2_500, Some("a"), ends(2_000)),
        ];
        let events = log.into_iter().zip(1..).map(|((at, node, body), seq)| Event {
            run: RunId(Default::default()),
            seq,
            at: Timestamp(at),
            node: node.map(|node: &str| node.parse().unwrap()),
            body,
        });
        let view = RunView::fold(&events.collect::<Vec<_>>()).unwrap();
        let shown = bars(&view).into_iter().map(|bar| (bar.label, bar.word, bar.begins, bar.lasts));
        let expected =
            [("a".to_owned(), "done", 500, 2_000), ("b".to_owned(), "working", 1_000, 1_500)];
        assert_eq!(shown.collect::<Vec<_>>(), expected, "one that was not visited has none");
    }
}
