//! One turn: who, in which phase, when, and what.

use std::sync::Arc;

use leptos::{ev, html, prelude::*};
use protocol::{
    ApprovalChanged, CallId, CallOutcome, CallView, LogLevel, RunView, StateEdited, ToolView, Turn,
    TurnContent,
};

use crate::{
    browser::{self, GrowingText},
    components::{
        icon::{Icon, IconName},
        long_text::{LongText, Reading},
        product::ProductCard,
        status::Tone,
    },
    format,
    live::Stream,
    pages::run::{
        asks::AskTurn,
        beside::{Attempts, CutOff, Thoughts},
        graph::card::icon_of,
        inspector::tools::ToolRow,
        screen::{Screen, visit_of},
        transcript::find::Found,
    },
};

/// The turn with this index. Turns are only added, never changed; the calls in them are.
#[component]
pub fn TurnView(screen: Screen, found: Found, count: Memo<usize>, turn: usize) -> impl IntoView {
    let place = turn;
    let turn = screen.view.with_untracked(|view| view.turns.get(turn).cloned());
    turn.map(|turn| {
        let class = match &turn.content {
            TurnContent::Log(line) => match line.level {
                LogLevel::Info => "turn turn-line tone-quiet",
                LogLevel::Warning => "turn turn-line tone-attention",
                LogLevel::Error => "turn turn-line tone-failed",
            },
            _ => "turn",
        };
        view! {
            <li
                id=turn_id(place)
                class=class
                class:found=move || found.is_at(place)
                // Only those around what is in sight are in the document.
                aria-posinset=(place + 1).to_string()
                aria-setsize=move || count.get().to_string()
            >
                <TurnHead screen turn=turn.clone() />
                {content(screen, &turn)}
            </li>
        }
    })
}

/// The id of a turn's element in the document.
pub fn turn_id(turn: usize) -> String {
    format!("turn-{turn}")
}

#[component]
fn TurnHead(screen: Screen, turn: Arc<Turn>) -> impl IntoView {
    let plan = turn
        .node
        .as_ref()
        .and_then(|node| screen.view.with_untracked(|view| view.node(node).map(|node| node.plan.clone())));
    let round = match &turn.content {
        TurnContent::Call { call } => visit_of(call),
        _ => None,
    };
    let moment = view! { <time class="dim mono" datetime=turn.at.to_string()>{turn.at.clock()}</time> };
    match plan {
        Some(plan) => {
            let round = round.filter(|_| plan.planned_visits > 1);
            let id = plan.id.clone();
            let phase = match round {
                Some(round) => format!("{} · round {round}", plan.phase),
                None => plan.phase.clone(),
            };
            let (icon, speaker) = match turn.other_speaker(&plan.label) {
                Some(source) => (IconName::Person, format::speaker(source)),
                None => (icon_of(&plan.role, plan.kind), plan.label),
            };
            view! {
                <div class="turn-head">
                    <button type="button" class="speaker" on:click=move |_| screen.select(Some(id.clone()))>
                        <Icon name=icon />
                        {speaker}
                    </button>
                    <span class="dim">{phase}</span>
                    {moment}
                </div>
            }
            .into_any()
        }
        None => view! {
            <div class="turn-head">
                <span class="speaker">"Run"</span>
                {moment}
            </div>
        }
        .into_any(),
    }
}

/// Who changed which values of the state.
pub fn edit_in_words(edited: &StateEdited) -> String {
    let keys: Vec<_> = edited.patch.keys().cloned().collect();
    format!("{} changed the state: {}.", format::person(&edited.by), keys.join(", "))
}

/// Who changed before which nodes the run pauses.
pub fn mode_in_words(changed: &ApprovalChanged) -> String {
    format!("{} changed the approve mode: {}.", format::person(&changed.by), changed.approval.label())
}

fn content(screen: Screen, turn: &Turn) -> AnyView {
    match &turn.content {
        TurnContent::Call { call } => view! { <CallTurn screen call=call.clone() /> }.into_any(),
        TurnContent::Message(said) => {
            view! { <LongText run=screen.id text=said.content.clone() reading=Reading::Prose /> }.into_any()
        }
        TurnContent::Log(line) => view! { <p class="turn-log">{line.message.clone()}</p> }.into_any(),
        TurnContent::Product { index } => {
            let product = screen.view.with_untracked(|view| view.products.get(*index).cloned());
            product.map(|product| view! { <ProductCard run=screen.id product /> }).into_any()
        }
        TurnContent::Input { input } => view! { <AskTurn screen input=input.clone() /> }.into_any(),
        TurnContent::Edited(edited) => view! { <p class="turn-log">{edit_in_words(edited)}</p> }.into_any(),
        TurnContent::ApprovalChanged(changed) => {
            view! { <p class="turn-log">{mode_in_words(changed)}</p> }.into_any()
        }
        TurnContent::Unknown { kind } => view! {
            <p class="turn-log dim">
                {format!("An event of the kind {kind}, which this version cannot draw. It is kept in the log.")}
            </p>
        }
        .into_any(),
    }
}

/// A model call: its text while it is written, then its answer, and the tools it asked for.
#[component]
fn CallTurn(screen: Screen, call: CallId) -> impl IntoView {
    let state = screen.call(call.clone());
    let is_over =
        Memo::new(move |_| state.with(|call| call.as_ref().is_some_and(|call| call.outcome.is_some())));
    let tools = Memo::new({
        let call = call.clone();
        move |_| {
            screen.view.with(|view| view.call(&call).map(|call| tools_of(view, call)).unwrap_or_default())
        }
    });
    let place = NodeRef::<html::Div>::new();
    let may_end = once_let_go(is_over, place);
    let body = move || {
        if !may_end.get() {
            return view! { <Writing screen call=call.clone() ended=is_over /> }.into_any();
        }
        let call = state.get_untracked();
        let outcome = call.as_ref().and_then(|call| call.outcome.clone());
        outcome.map(|outcome| answer(screen, outcome)).into_any()
    };
    view! {
        <div class="turn-body" node_ref=place>{body}</div>
        <For each=move || tools.get() key=|tool| tool.clone() let:tool>
            <ToolRow screen tool />
        </For>
    }
}

/// Plain text while it is being written: it grows with every frame.
#[component]
pub fn Writing(
    screen: Screen,
    call: CallId,
    /// Whether the call is over and its text only stays because it is held.
    #[prop(optional, into)]
    ended: Signal<bool>,
) -> impl IntoView {
    view! { <InFlight stream=kept(move || screen.stream(&call), ended) /> }
}

/// What a call brings; after its end, what it brought last.
pub fn kept(
    stream: impl Fn() -> Option<Stream> + Send + Sync + 'static,
    ended: impl Into<Signal<bool>>,
) -> Signal<Option<Stream>> {
    let ended = ended.into();
    let stream = Memo::new(move |before: Option<&Option<Stream>>| {
        let now = stream();
        if now.is_none() && ended.get() { before.cloned().flatten() } else { now }
    });
    stream.into()
}

/// Whether what a text ended with may take its place: not while the person has some of it selected.
pub fn once_let_go(ended: Memo<bool>, place: NodeRef<html::Div>) -> Signal<bool> {
    let let_go = RwSignal::new(ended.get_untracked());
    Effect::new(move |_| {
        let look = move || {
            let place = place.try_get_untracked().flatten();
            if !place.is_some_and(|place| browser::is_selected_in(&place)) {
                let_go.try_set(true);
            }
        };
        if !ended.get() {
            let_go.set(false);
        } else if !let_go.get_untracked() {
            look();
            // A selection ends by a click or a key.
            let click = window_event_listener(ev::click, move |_| look());
            let key = window_event_listener(ev::keyup, move |_| look());
            on_cleanup(move || {
                click.remove();
                key.remove();
            });
        }
    });
    let_go.into()
}

/// A call in flight: what it has written, or what it does before.
#[component]
pub fn InFlight(
    /// What comes of it.
    #[prop(into)]
    stream: Signal<Option<Stream>>,
) -> impl IntoView {
    let stream = Memo::new(move |_| stream.get().unwrap_or_default());
    let is_writing = Memo::new(move |_| stream.get().text.with(|text| !text.is_empty()));
    move || {
        if is_writing.get() {
            view! { <Growing stream /> }.into_any()
        } else {
            view! { <p class="writing dim caret">{move || format::before_answer(stream.get().before.get()) + " "}</p> }
                .into_any()
        }
    }
}

/// An answer to which pieces are added. It is drawn in the browser only: the server sends none.
#[component]
fn Growing(stream: Memo<Stream>) -> impl IntoView {
    let place = NodeRef::<html::P>::new();
    Effect::new(move |growing: Option<Option<GrowingText>>| {
        let growing = growing.flatten();
        let Some(place) = place.get() else { return growing };
        stream.get().text.with(|text| {
            let mut growing = growing.or_else(|| GrowingText::begin(&place));
            if let Some(growing) = &mut growing {
                growing.show(text);
            }
            growing
        })
    });
    view! { <p class="writing caret" node_ref=place></p> }
}

fn answer(screen: Screen, outcome: CallOutcome) -> AnyView {
    let error = outcome.error.as_ref().map(|error| {
        view! {
            <p class=format!("turn-problem {}", Tone::Failed.class())>
                <Icon name=IconName::Cross />
                {format!("No answer: {error}")}
            </p>
        }
    });
    let has_answer = outcome.answer.bytes() > 0;
    let text = has_answer.then(|| {
        view! { <LongText run=screen.id text=outcome.answer.clone() reading=Reading::Prose /> }
    });
    view! {
        <Thoughts run=screen.id text=outcome.thoughts.clone() />
        {error}
        {text}
        <CutOff run=screen.id text=outcome.cut_off.clone() />
        <p class="turn-foot dim mono">{used(&outcome)}</p>
        <Attempts failed=outcome.attempts.clone() succeeded=outcome.error.is_none() />
    }
    .into_any()
}

/// What a call used for its answer, in a line. Attempts that failed stand for themselves.
pub fn used(outcome: &CallOutcome) -> String {
    let mut parts = vec![format::duration(outcome.latency_ms)];
    if outcome.error.is_none() || outcome.attempts.is_empty() {
        parts.push(format::tokens(outcome.usage));
        parts.push(outcome.cost.map_or_else(|| "cost unknown".to_owned(), format::dollars));
    }
    // Only logs of old versions do not have the attempts themselves.
    if outcome.retries > 0 && outcome.attempts.is_empty() {
        parts.push(format!("{} retried", outcome.retries));
    }
    parts.join(" · ")
}

/// The tools that a call asked for: those that its node called after it and before
/// the next model call of the same visit.
fn tools_of(view: &RunView, call: &CallView) -> Vec<CallId> {
    let visit = call.id.visit();
    let Some(node) = &call.node else { return Vec::new() };
    let asker = |tool: &ToolView| {
        let mut calls = view.calls.of_node(node).filter(|other| other.id.visit() == visit);
        let is_before = |other: &CallId| other.lane() == tool.id.lane() && other.number() < tool.id.number();
        calls.rfind(|other| is_before(&other.id)).map(|other| other.id.clone())
    };
    let tools = view.tools.of_node(node).filter(|tool| tool.id.visit() == visit);
    tools.filter(|tool| asker(tool).as_ref() == Some(&call.id)).map(|tool| tool.id.clone()).collect()
}
