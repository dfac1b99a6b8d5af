//! What was said, in order: requests, questions with their answers, and the reports.

use std::sync::Arc;

use leptos::{html, prelude::*};
use protocol::{CallId, 
    ChatView, RunId,
    resolver::{SessionRun, TaskRequest},
};

use super::{Pane, Screen};
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        long_text::{LongText, Reading},
    },
    format,
    live::LiveRun,
    pages::run::{InFlight, kept},
};

#[component]
pub(super) fn Conversation(screen: Screen, live: LiveRun) -> impl IntoView {
    let last = live.view.with_untracked(|view| view.summary.run);
    let (runs, exchanges) =
        screen.conversation.with_untracked(|it| (it.session.runs.clone(), it.exchanges.clone()));
    let count = Memo::new(move |_| live.view.with(|view| view.chats.len()));
    // What was said last is in sight.
    let frame = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        count.track();
        if let Some(frame) = frame.get() {
            // After what changed is drawn.
            request_animation_frame(move || browser::scroll_to_end(&frame));
        }
    });
    let turns = runs.into_iter().map(|run| {
        let id = run.run;
        let talk = if id == last {
            view! {
                <For each=move || 0..count.get() key=|chat| *chat let:chat>
                    <LiveExchange live chat />
                </For>
            }
            .into_any()
        } else {
            let past = exchanges.get(&id).cloned().unwrap_or_default();
            past.into_iter().map(|chat| view! { <PastExchange run=id chat /> }).collect_view().into_any()
        };
        view! {
            <Request screen run=run.clone() />
            {talk}
            <Outcome screen live run is_last=id == last />
        }
    });
    view! {
        <section class="task-pane task-chat" aria-labelledby="task-chat-heading">
            <h2 id="task-chat-heading">"Conversation"</h2>
            <div class="task-turns" role="log" tabindex="0" aria-label="What was said" node_ref=frame>{turns.collect_view()}</div>
        </section>
    }
}

/// What a run was asked for.
#[component]
fn Request(screen: Screen, run: SessionRun) -> impl IntoView {
    let what = match &run.request {
        TaskRequest::Task { .. } => "Task".to_owned(),
        TaskRequest::Refinement { of, .. } => match screen.number_of(*of) {
            Some(number) => format!("Refinement of report {number}: no step is done again"),
            None => "Refinement: no step is done again".to_owned(),
        },
    };
    let words = run.request.words().to_owned();
    view! {
        <article class="task-turn task-said">
            <header>
                <span class="speaker"><Icon name=IconName::Person />"You"</span>
                <time class="dim mono" datetime=run.created_at.to_string()>{run.created_at.clock()}</time>
            </header>
            <p>{words}</p>
            <p class="dim">{what}</p>
        </article>
    }
}

/// What a run has come to.
#[component]
fn Outcome(screen: Screen, live: LiveRun, run: SessionRun, is_last: bool) -> impl IntoView {
    let SessionRun { run: id, result, error, .. } = run;
    let ended = Memo::new(move |_| match is_last {
        true => live.view.with(|view| (view.summary.result.clone(), view.summary.error.clone())),
        false => (result.clone(), error.clone()),
    });
    move || {
        let (result, error) = ended.get();
        let report = result.filter(|_| error.is_none()).map(|headline| {
            let number = screen.number_of(id).unwrap_or_default();
            let open = move |_| {
                screen.compared.set(None);
                screen.version.set((!is_last).then_some(id));
                screen.pane.set(Pane::Report);
            };
            view! {
                <p class="task-outcome tone-done">
                    <Icon name=IconName::Document />
                    <button type="button" class="task-link" on:click=open>{format!("Report {number}")}</button>
                    <span>{headline}</span>
                </p>
            }
        });
        let error = error.map(|error| view! {
            <p class="task-outcome tone-failed" role="status"><Icon name=IconName::Cross /><span>{error}</span></p>
        });
        view! { {report} {error} }
    }
}

/// A question beside the last run, with what comes of it.
#[component]
fn LiveExchange(live: LiveRun, chat: usize) -> impl IntoView {
    let run = live.view.with_untracked(|view| view.summary.run);
    let state = Memo::new(move |_| live.view.with(|view| view.chats.get(chat).cloned()));
    let is_answered =
        Memo::new(move |_| state.with(|chat| chat.as_ref().is_some_and(|chat| chat.answered.is_some())));
    let asked = state.get_untracked();
    let number = asked.as_ref().map(|chat| chat.asked.chat);
    let answer = move || match (is_answered.get(), state.get_untracked()) {
        (true, Some(chat)) => view! { <Answer run chat /> }.into_any(),
        _ => {
            let call = number.map(CallId::of_chat);
            let stream = move || call.as_ref().and_then(|call| live.streams.of(call));
            view! {
                <article class="task-turn">
                    <header><span class="speaker"><Icon name=IconName::Chat />"Clarifier"</span></header>
                    <InFlight stream=kept(stream, is_answered) />
                </article>
            }
            .into_any()
        }
    };
    view! {
        {asked.map(|chat| view! { <Question run chat /> })}
        {answer}
    }
}

/// A question beside an earlier run.
#[component]
fn PastExchange(run: RunId, chat: Arc<ChatView>) -> impl IntoView {
    view! {
        <Question run chat=chat.clone() />
        <Answer run chat />
    }
}

#[component]
fn Question(run: RunId, chat: Arc<ChatView>) -> impl IntoView {
    let by = format::person(&chat.asked.by);
    view! {
        <article class="task-turn task-said">
            <header>
                <span class="speaker"><Icon name=IconName::Person />{by}</span>
                <time class="dim mono" datetime=chat.asked_at.to_string()>{chat.asked_at.clock()}</time>
            </header>
            <LongText run text=chat.asked.question.clone() reading=Reading::Prose />
        </article>
    }
}

#[component]
fn Answer(run: RunId, chat: Arc<ChatView>) -> impl IntoView {
    let answered = chat.answered.clone();
    answered.map(|answered| {
        let cost = answered.cost.map_or_else(|| "cost unknown".to_owned(), format::dollars);
        let foot = format!(
            "The work went on · {} · {} · {} · {cost}",
            answered.model,
            format::duration(answered.latency_ms),
            format::tokens(answered.usage),
        );
        view! {
            <article class="task-turn">
                <header><span class="speaker"><Icon name=IconName::Chat />"Clarifier"</span></header>
                {answered.error.map(|error| view! {
                    <p class="turn-problem tone-failed"><Icon name=IconName::Cross />{format!("No answer: {error}")}</p>
                })}
                {(answered.answer.bytes() > 0).then(|| view! {
                    <LongText run text=answered.answer reading=Reading::Prose />
                })}
                <p class="dim">{foot}</p>
            </article>
        }
    })
}
