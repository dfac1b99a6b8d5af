//! The raw log: every event, of which only those in sight are in the document.

mod headline;

pub use self::headline::headline_of;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use leptos::{html, prelude::*};
use protocol::{Event, NodeId, RunView};

use self::headline::json_of;
use super::{log::Loading, screen::Screen};
use crate::{
    browser::{self, lowercase},
    components::{
        copy::CopyButton,
        draft::draft_of,
        icon::{Icon, IconName},
        paper::PaperNote,
        verbatim::Verbatim,
        window::{MOST_PRINTED, Rows},
    },
};

/// Height of a row in pixels; the style sets the same.
const ROW: i32 = 30;

/// Which events are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    kind: String,
    node: String,
    words: String,
}

impl Filter {
    fn admits(&self, event: &Event) -> bool {
        (self.kind.is_empty() || event.body.kind() == self.kind)
            && (self.node.is_empty() || event.node.as_ref().is_some_and(|node| node.as_str() == self.node))
            && (self.words.is_empty() || lowercase(&json_of(event)).contains(&self.words))
    }
}

/// The table of events.
#[component]
pub fn EventTable(screen: Screen) -> impl IntoView {
    let log = screen.log;
    let filters: NodeRef<html::Div> = draft_of(move || format!("events {}", screen.id));
    Effect::new(move |_| log.load());
    let filter = RwSignal::new(Filter::default());
    let opened = RwSignal::new(None::<Arc<Event>>);
    let shown = log.filtered(filter.into(), Filter::admits);
    let count = move || {
        let (shown, all) = (shown.with(Vec::len), log.events.with(Vec::len));
        match log.loading.get() {
            Loading::Idle | Loading::Busy => format!("Loading, {all} so far …"),
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
            <div class="event-filters" node_ref=filters>
                <KindFilter screen filter />
                <NodeFilter screen filter />
                <WordFilter filter />
                <span class="dim" aria-live="polite">{count}</span>
            </div>
            {problem}
            <EventWindow screen shown opened />
            {move || opened.get().map(|event| view! { <Opened event on_close=move || opened.set(None) /> })}
        </div>
    }
}

#[component]
fn KindFilter(screen: Screen, filter: RwSignal<Filter>) -> impl IntoView {
    let kinds = RwSignal::new(BTreeSet::new());
    Effect::new(move |known: Option<usize>| {
        screen.log.events.with(|events| {
            let new = events.get(known.unwrap_or(0)..).into_iter().flatten();
            let new = new.filter(|event| kinds.with_untracked(|kinds| !kinds.contains(event.body.kind())));
            let new: BTreeSet<_> = new.map(|event| event.body.kind().to_owned()).collect();
            if !new.is_empty() {
                kinds.update(|kinds| kinds.extend(new));
            }
            events.len()
        })
    });
    view! {
        <label>
            <span class="visually-hidden">"Kind"</span>
            <select class="input" name="kind" on:change=move |event| filter.update(|filter| filter.kind = event_target_value(&event))>
                <option value="">"All kinds"</option>
                <For each=move || kinds.get() key=String::clone let:kind>
                    {kind_option(kind)}
                </For>
            </select>
        </label>
    }
}

fn kind_option(kind: String) -> impl IntoView {
    let words = kind.replace('_', " ");
    view! { <option value=kind>{words}</option> }
}

#[component]
fn NodeFilter(screen: Screen, filter: RwSignal<Filter>) -> impl IntoView {
    let count = Memo::new(move |_| screen.view.with(|view| view.nodes.len()));
    let nodes = Memo::new(move |_| {
        count.track();
        screen.view.with_untracked(|view| {
            view.nodes.iter().map(|node| (node.plan.id.clone(), node.plan.label.clone())).collect::<Vec<_>>()
        })
    });
    view! {
        <label>
            <span class="visually-hidden">"Node"</span>
            <select class="input" name="node" on:change=move |event| filter.update(|filter| filter.node = event_target_value(&event))>
                <option value="">"All nodes"</option>
                <For each=move || nodes.get() key=|(id, _)| id.clone() let:node>
                    <option value=node.0.to_string()>{node.1}</option>
                </For>
            </select>
        </label>
    }
}

#[component]
fn WordFilter(filter: RwSignal<Filter>) -> impl IntoView {
    // Looking through all texts takes a moment: not with every key.
    let mut search = debounce(Duration::from_millis(200), move |words: String| {
        filter.try_update(|filter| filter.words = words);
    });
    view! {
        <label class="event-words">
            <span class="visually-hidden">"Text"</span>
            <input
                class="input"
                name="words"
                type="search"
                placeholder="Text in the event"
                on:input=move |event| search(lowercase(event_target_value(&event).trim()))
            />
        </label>
    }
}

/// The rows that are in sight, between two spacers that stand for the others.
#[component]
fn EventWindow(
    screen: Screen,
    shown: ReadSignal<Vec<Arc<Event>>>,
    opened: RwSignal<Option<Arc<Event>>>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let window = Rows::new(frame, ROW, Signal::derive(move || shown.with(Vec::len)));
    // A run at work is read from its end.
    let is_working = screen.view.with_untracked(|view| !view.summary.status.is_over());
    let at_end = StoredValue::new(is_working);
    let scrolled = move |_| {
        if let Some(frame) = frame.try_get_untracked().flatten() {
            at_end.set_value(browser::sight_of(&frame).below < ROW);
        }
        window.look();
    };
    Effect::new(move |_| {
        shown.with(Vec::len);
        if frame.get().is_none() {
            return;
        }
        request_animation_frame(move || {
            if at_end.try_get_value() == Some(true)
                && let Some(frame) = frame.try_get_untracked().flatten()
            {
                browser::scroll_to_end(&frame);
                window.look();
            }
        });
    });
    let rows = move || shown.with(|events| events.get(window.range()).unwrap_or_default().to_vec());
    let missing = move || {
        let (printed, shown) = (shown.with(Vec::len).min(MOST_PRINTED), shown.with(Vec::len));
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
                (shown.with(Vec::is_empty) && screen.log.loading.get() == Loading::Done)
                    .then(|| view! { <p class="empty">"No event fits these filters."</p> })
            }}
        </div>
    }
}

#[component]
fn EventRow(screen: Screen, event: Arc<Event>, opened: RwSignal<Option<Arc<Event>>>) -> impl IntoView {
    let seq = event.seq;
    let is_open = move || opened.with(|opened| opened.as_ref().is_some_and(|event| event.seq == seq));
    let node = event.node.as_ref().map(|node| name_of(screen, node));
    let line = headline_of(&event);
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
            <span class="event-line dim">{line}</span>
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
