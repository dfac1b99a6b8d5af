//! The raw log: every event, of which only those in sight are in the document.

mod filter;
mod headline;
mod outcome;

pub use self::headline::headline_of;

use std::sync::Arc;

use leptos::{html, prelude::*};
use protocol::{Event, NodeId, RunView};

use self::{
    filter::{Filter, Filters},
    outcome::outcome_of,
};
use super::{log::Loading, screen::Screen};
use crate::{
    browser,
    components::{
        copy::CopyButton,
        icon::{Icon, IconName},
        notice::InlineProblem,
        paper::PaperNote,
        verbatim::Verbatim,
        window::{MOST_PRINTED, Rows},
    },
    format,
};

/// Height of a row in pixels; the style sets the same.
const ROW: i32 = 30;

/// Lines that are copied at most: a clipboard is no place for a whole log.
const MOST_COPIED: usize = 10_000;

/// The table of events.
#[component]
pub fn EventTable(screen: Screen) -> impl IntoView {
    let log = screen.log;
    Effect::new(move |_| log.load());
    let filter = RwSignal::new(Filter::default());
    let opened = RwSignal::new(None::<Arc<Event>>);
    let admitted = log.filtered(filter.into(), Filter::admits);
    // The last event that is shown while the table is paused.
    let paused_after = RwSignal::new(None::<u64>);
    let length = Memo::new(move |_| {
        admitted.with(|events| match paused_after.get() {
            Some(last) => events.partition_point(|event| event.seq <= last),
            None => events.len(),
        })
    });
    let shown = ShownEvents { events: admitted, length };
    let count = move || {
        let (shown, all) = (length.get(), log.events.with(Vec::len));
        match log.loading.get() {
            Loading::Idle | Loading::Busy => format!("Loading, {} so far …", format::count(all as u64)),
            _ if shown == all => format!("{all} events"),
            _ => format!("{shown} of {all} events"),
        }
    };
    let problem = move || match log.loading.get() {
        Loading::Failed(error) => Some(view! {
            <p class="inline-problem" role="alert">
                {error.to_string()}
                " "
                <button type="button" class="quiet-button" on:click=move |_| log.load()>
                    "Try again"
                </button>
            </p>
        }),
        _ => None,
    };
    view! {
        <div class="events">
            <div class="event-head">
                <Filters screen filter />
                <span class="dim" aria-live="polite">{count}</span>
                <PauseButton screen paused_after shown />
                <CopyAndDownload screen shown />
            </div>
            {problem}
            <EventWindow screen shown paused_after opened />
            {move || opened.get().map(|event| view! { <Opened event on_close=move || opened.set(None) /> })}
        </div>
    }
}

/// The events that are shown: the first of those that the filters admit.
#[derive(Clone, Copy)]
struct ShownEvents {
    events: ReadSignal<Vec<Arc<Event>>>,
    length: Memo<usize>,
}

impl ShownEvents {
    /// Those between two places.
    fn range(self, range: std::ops::Range<usize>) -> Vec<Arc<Event>> {
        let end = range.end.min(self.length.get());
        self.events.with(|events| events.get(range.start.min(end)..end).unwrap_or_default().to_vec())
    }
}

/// Pauses the table while somebody reads, and lets it go on.
#[component]
fn PauseButton(screen: Screen, paused_after: RwSignal<Option<u64>>, shown: ShownEvents) -> impl IntoView {
    let is_working = Memo::new(move |_| screen.live.view.with(|view| !view.summary.status.is_over()));
    let toggle = move |_| {
        let newest = screen.log.events.with_untracked(|events| events.last().map_or(0, |event| event.seq));
        paused_after.update(|last| *last = if last.is_some() { None } else { Some(newest) });
    };
    let words = move || match paused_after.get() {
        None => "Pause".to_owned(),
        Some(_) => {
            let newer = shown.events.with(Vec::len).saturating_sub(shown.length.get());
            format!("Go on, {} newer", format::count(newer as u64))
        }
    };
    move || {
        (is_working.get() || paused_after.with(Option::is_some)).then(|| {
            view! {
                <button type="button" class="quiet-button" aria-pressed=move || paused_after.with(Option::is_some).to_string() on:click=toggle>
                    {move || view! { <Icon name=if paused_after.with(Option::is_some) { IconName::Play } else { IconName::Pause } /> }}
                    {words}
                </button>
            }
        })
    }
}

/// Copies what is shown as lines, or saves it as a file.
#[component]
fn CopyAndDownload(screen: Screen, shown: ShownEvents) -> impl IntoView {
    let refused = RwSignal::new(false);
    let is_here = Memo::new(move |_| screen.log.loading.with(|loading| *loading == Loading::Done));
    let lines = move |()| {
        let events = untrack(|| shown.range(0..MOST_COPIED));
        let lines: Vec<_> = events.iter().map(|event| line_of(screen, event)).collect();
        lines.join("\n")
    };
    let save = move |_| {
        let events = untrack(|| shown.range(0..usize::MAX));
        let lines = events.iter().filter_map(|event| serde_json::to_string(&**event).ok());
        let text: String = lines.map(|line| line + "\n").collect();
        refused.set(
            browser::save(&format!("{}-events.jsonl", screen.id), "application/x-ndjson", &text).is_err(),
        );
    };
    let cut = move || {
        (shown.length.get() > MOST_COPIED)
            .then(|| view! { <span class="dim">{format!("Copies the first {}", format::count(MOST_COPIED as u64))}</span> })
    };
    view! {
        <Show when=move || is_here.get()>
            <span class="event-acts">
                <CopyButton text=lines />
                <button type="button" class="quiet-button" title="What is shown, as lines of JSON" on:click=save>
                    <Icon name=IconName::Download />
                    "Download"
                </button>
                {cut}
            </span>
        </Show>
        {move || refused.get().then(|| view! { <InlineProblem text="The browser does not save files from this page. The run's export has all of its events." /> })}
    }
}

/// `12 09:30:01 call finished Market analyst: The price rose …`
fn line_of(screen: Screen, event: &Event) -> String {
    let node = event.node.as_ref().map(|node| format!(" {}", name_of(screen, node))).unwrap_or_default();
    let kind = event.body.kind().replace('_', " ");
    format!("{} {} {kind}{node}: {}", event.seq, event.at.clock(), headline_of(event))
}

/// The rows that are in sight, between two spacers that stand for the others.
#[component]
fn EventWindow(
    screen: Screen,
    shown: ShownEvents,
    paused_after: RwSignal<Option<u64>>,
    opened: RwSignal<Option<Arc<Event>>>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let window = Rows::new(frame, ROW, shown.length.into());
    // A run at work is read from its end.
    let is_working = Memo::new(move |_| screen.view.with(|view| !view.summary.status.is_over()));
    window.keep_at_end(is_working.get_untracked());
    let scrolled = move |_| {
        if let Some(frame) = frame.try_get_untracked().flatten() {
            window.keep_at_end(browser::sight_of(&frame).below < ROW);
        }
        window.look();
    };
    Effect::new(move |_| {
        shown.length.track();
        if frame.get().is_some() {
            request_animation_frame(move || window.follow());
        }
    });
    let rows = move || shown.range(window.range());
    let missing = move || {
        let (printed, shown) = (shown.length.get().min(MOST_PRINTED), shown.length.get());
        let all = screen.view.with(RunView::seq);
        let is_cut = printed < usize::try_from(all).unwrap_or(usize::MAX);
        is_cut.then(|| {
            let text = match printed < shown {
                true => format!(
                    "The first {printed} of {shown} events. The run's export has all of its {all} events."
                ),
                false => format!(
                    "{printed} of {all} events: those that are chosen and loaded. The run's export has all."
                ),
            };
            view! { <PaperNote text /> }
        })
    };
    view! {
        {missing}
        <div class="event-frame" node_ref=frame on:scroll=scrolled tabindex="0" role="region" aria-label="Events">
            // An SVG takes its height from an attribute: styles in the document are forbidden.
            <svg class="spacer" width="1" height=move || window.above() aria-hidden="true"></svg>
            <For each=rows key=|event| event.seq let:event>
                <EventRow screen event opened />
            </For>
            <svg class="spacer" width="1" height=move || window.below() aria-hidden="true"></svg>
            {move || {
                (shown.length.get() == 0 && screen.log.loading.get() == Loading::Done)
                    .then(|| view! { <p class="empty">"No event fits these filters."</p> })
            }}
            <Show when=move || is_working.get() && !window.is_at_end() && paused_after.with(Option::is_none)>
                <button
                    type="button"
                    class="follow-chip to-end"
                    on:click=move |_| {
                        window.keep_at_end(true);
                        window.follow();
                    }
                >
                    <Icon name=IconName::Follow />
                    "To the newest"
                </button>
            </Show>
        </div>
    }
}

#[component]
fn EventRow(screen: Screen, event: Arc<Event>, opened: RwSignal<Option<Arc<Event>>>) -> impl IntoView {
    let seq = event.seq;
    let is_open = move || opened.with(|opened| opened.as_ref().is_some_and(|event| event.seq == seq));
    let node = event.node.as_ref().map(|node| name_of(screen, node));
    let line = headline_of(&event);
    let outcome = outcome_of(&event).map(|outcome| {
        view! { <span class=format!("event-outcome {}", outcome.tone().class())><Icon name=outcome.icon() /> <span class="visually-hidden">{outcome.label()}</span></span> }
    });
    let toggle = {
        let event = event.clone();
        move |_| {
            let next = (!is_open()).then(|| event.clone());
            opened.set(next);
        }
    };
    view! {
        <button type="button" class="event-row" aria-expanded=move || is_open().to_string() on:click=toggle>
            <span class="event-seq mono dim">{seq}</span>
            <span class="event-time mono dim">{event.at.clock()}</span>
            <span class="event-kind">{event.body.kind().replace('_', " ")}</span>
            <span class="event-node">{node}</span>
            <span class="event-line dim">{outcome}{line}</span>
        </button>
    }
}

fn name_of(screen: Screen, node: &NodeId) -> String {
    let label = |view: &RunView| view.node(node).map(|node| node.plan.label.clone());
    screen.view.with_untracked(label).unwrap_or_else(|| node.to_string())
}

/// One event as it stands in the log.
#[component]
fn Opened(event: Arc<Event>, on_close: impl Fn() + 'static) -> impl IntoView {
    let json = serde_json::to_string_pretty(&*event).unwrap_or_default();
    let copied = json.clone();
    view! {
        <section class="event-open" aria-label=format!("Event {}", event.seq)>
            <header>
                <h2>{format!("Event {} · {}", event.seq, format_kind(&event))}</h2>
                <CopyButton text=move |()| copied.clone() />
                <button type="button" class="icon-button" aria-label="Close" on:click=move |_| on_close()>
                    <Icon name=IconName::Close />
                </button>
            </header>
            <Verbatim text=json />
        </section>
    }
}

fn format_kind(event: &Event) -> String {
    format!("{} · {}", event.body.kind().replace('_', " "), event.at)
}
