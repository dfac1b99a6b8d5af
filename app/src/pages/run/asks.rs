//! What the run asks of people, at the top of its page.

mod approval;
mod below;
mod left;
mod value;

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Answer, CallId, GivenAnswer, InputForm, InputView, Timestamp};

use self::{approval::ApprovalAsk, below::BelowAsks, left::LeftDrafts, value::ValueAsk};
use super::{graph::card::icon_of, screen::Screen};
use crate::{
    api::{self, ApiError},
    browser::{self, drafts::forget_drafts_of},
    components::{
        icon::{Icon, IconName},
        notice::Refusal,
    },
    format,
};

/// How long the page says that a question was answered.
const NOTE_TIME: Duration = Duration::from_secs(6);

/// An answer on its way to the server.
type Reply = Action<GivenAnswer, Result<(), ApiError>>;

/// The open questions, oldest first.
#[component]
pub fn OpenAsks(screen: Screen) -> impl IntoView {
    // Asked anew is another card: what was typed was about something else.
    let open = Memo::new(move |_| {
        screen.live.view.with(|view| {
            view.open_inputs().map(|input| (input.request.input.clone(), input.asked_at)).collect::<Vec<_>>()
        })
    });
    // How many answers were taken.
    let sent = RwSignal::new(0_u32);
    view! {
        <Show when=move || !open.with(Vec::is_empty)>
            <section class="asks" aria-label="Needs you" hidden=move || screen.travel.is_past()>
                <For each=move || open.get() key=Clone::clone let:ask>
                    <AskCard screen input=ask.0 asked_at=ask.1 sent />
                </For>
            </section>
        </Show>
        <BelowAsks screen />
        <LeftDrafts screen open sent />
        <AnsweredNote screen open />
    }
}

/// Says for a while that a question which the page has shown was answered: perhaps elsewhere.
#[component]
fn AnsweredNote(screen: Screen, open: Memo<Vec<(CallId, Timestamp)>>) -> impl IntoView {
    let note = RwSignal::new(None::<String>);
    Effect::new(move |before: Option<Vec<(CallId, Timestamp)>>| {
        let now = open.get();
        let gone = before.into_iter().flatten().filter(|ask| !now.contains(ask));
        for (input, _) in gone {
            let words =
                screen.live.view.with_untracked(|view| view.input(&input).and_then(|input| outcome(input)));
            if words.is_some() {
                note.set(words);
                set_timeout(move || drop(note.try_set(None)), NOTE_TIME);
            }
        }
        now
    });
    view! {
        <p class="toast" role="status" hidden=move || note.with(Option::is_none)>
            <Icon name=IconName::Check />
            <span>{note}</span>
        </p>
    }
}

/// What was answered, and by whom.
fn outcome(asked: &InputView) -> Option<String> {
    let received = asked.received.as_ref()?;
    let by = received.by.as_ref().map_or_else(|| "Nobody".to_owned(), format::person);
    Some(format!("Answered. {by}: {}", in_full(&received.answer)))
}

fn ask_id(input: &CallId) -> String {
    format!("ask-{}", input.as_str().replace(':', "-"))
}

/// How the names of the drafts of a question's forms begin.
fn draft_name(screen: Screen, input: &CallId, asked_at: Timestamp) -> String {
    format!("ask {} {input} {} ", screen.id, asked_at.0)
}

/// Brings a question's card into sight.
pub fn show_ask(input: &CallId) {
    let id = ask_id(input);
    browser::show_id(&id);
    browser::focus_id(&id);
}

/// Brings the oldest open question into sight, with the focus where it is answered.
pub fn answer_first(screen: Screen) {
    let first = screen
        .live
        .view
        .with_untracked(|view| view.open_inputs().next().map(|input| input.request.input.clone()));
    if let Some(input) = first {
        show_ask(&input);
        browser::focus_first(&format!("[id='{}'] .ask-form :is(textarea, input, select)", ask_id(&input)));
    }
}

#[component]
fn AskCard(screen: Screen, input: CallId, asked_at: Timestamp, sent: RwSignal<u32>) -> impl IntoView {
    let asked = screen.live.view.with_untracked(|view| view.input(&input).cloned());
    asked.map(|asked| {
        let draft = draft_name(screen, &input, asked_at);
        let reply = Action::new({
            let (input, draft) = (input.clone(), draft.clone());
            move |answer: &GivenAnswer| {
                let (input, draft, answer) = (input.clone(), draft.clone(), answer.clone());
                async move {
                    api::answer_input(screen.id, input, answer).await?;
                    forget_drafts_of(&draft);
                    sent.try_update(|sent| *sent += 1);
                    Ok(())
                }
            }
        });
        let id = ask_id(&input);
        let title = format!("{id}-title");
        let request = asked.request.clone();
        let form = match request.form.clone() {
            InputForm::Approval(form) => {
                view! { <ApprovalAsk screen node=asked.node.clone() form draft reply /> }.into_any()
            }
            form => view! { <ValueAsk screen name=id.clone() form draft reply /> }.into_any(),
        };
        view! {
            <article class="ask" id=id tabindex="-1" aria-labelledby=title>
                <header class="ask-head">
                    <Asker screen asked=(*asked).clone() />
                    <Deadline screen asked=(*asked).clone() />
                </header>
                <div class="ask-question">
                    <h2 id=title.clone()>{request.prompt}</h2>
                    {request.reason.map(|reason| view! { <p class="dim">{reason}</p> })}
                </div>
                {form}
                <Refusal act=reply lead="Not taken: " />
            </article>
        }
    })
}

/// Who asks, and in which phase.
#[component]
fn Asker(screen: Screen, asked: InputView) -> impl IntoView {
    let plan = asked.node.as_ref().and_then(|node| {
        screen.live.view.with_untracked(|view| view.node(node).map(|node| node.plan.clone()))
    });
    let (icon, name, phase) = match plan {
        Some(plan) => (icon_of(&plan.role, plan.kind), plan.label, Some(plan.phase)),
        None => (IconName::Person, "The run".to_owned(), None),
    };
    let select = move |_| screen.select(asked.node.clone());
    view! {
        <span class="pill tone-attention">
            <Icon name=IconName::Person />
            "Needs you"
        </span>
        <button type="button" class="speaker" on:click=select>
            <Icon name=icon />
            {name}
        </button>
        {phase.map(|phase| view! { <span class="dim">{phase}</span> })}
        <time class="dim mono" datetime=asked.asked_at.to_string()>{asked.asked_at.clock()}</time>
    }
}

/// How long an answer is awaited, and what happens then.
#[component]
fn Deadline(screen: Screen, asked: InputView) -> impl IntoView {
    let deadline = asked.request.deadline?;
    let then = match &asked.request.default {
        Some(default) => format!("then the answer is {}", default.shown()),
        None => "then the node fails".to_owned(),
    };
    Some(view! {
        <span class="ask-deadline">
            <Icon name=IconName::Hourglass />
            {move || format::time_left(deadline, screen.clock.get())}
            <span class="dim">{then}</span>
        </span>
    })
}

/// A question in the transcript: what was asked, and who answered what.
#[component]
pub fn AskTurn(screen: Screen, input: CallId) -> impl IntoView {
    let state = Memo::new(move |_| screen.view.with(|view| view.input(&input).cloned()));
    let is_open = Memo::new(move |_| {
        screen.view.with(|view| {
            state.with(|state| {
                let id = state.as_ref().map(|state| &state.request.input);
                view.open_inputs().any(|open| Some(&open.request.input) == id)
            })
        })
    });
    move || {
        state.get().map(|asked| {
            let input = asked.request.input.clone();
            let outcome = match &asked.received {
                Some(received) => {
                    let by = received.by.as_ref().map_or_else(|| "Nobody".to_owned(), format::person);
                    let at = asked.received_at.map(|at| format!(" · {} UTC", at.clock())).unwrap_or_default();
                    view! {
                        <p class="turn-answer">
                            <Icon name=IconName::Check />
                            <span>
                                <strong>{by}</strong>
                                {format!(": {}", in_full(&received.answer))}
                                <span class="dim">{at}</span>
                            </span>
                        </p>
                    }
                    .into_any()
                }
                None if is_open.get() && !screen.travel.is_past() => view! {
                    <p>
                        <button type="button" class="button" on:click=move |_| show_ask(&input)>
                            <Icon name=IconName::Person />
                            "Answer"
                        </button>
                    </p>
                }
                .into_any(),
                None if is_open.get() => view! { <p class="turn-log">"Not answered yet."</p> }.into_any(),
                None => view! { <p class="turn-log">"It was never answered."</p> }.into_any(),
            };
            view! {
                <p>{asked.request.prompt.clone()}</p>
                {asked.request.reason.clone().map(|reason| view! { <p class="dim">{reason}</p> })}
                {outcome}
            }
        })
    }
}

/// What was answered, with everything that was written.
pub fn in_full(answer: &Answer) -> String {
    let label = answer.label();
    match answer {
        Answer::Approved { edits, .. } if !edits.is_empty() => {
            format!("{label}: {}", edits.keys().cloned().collect::<Vec<_>>().join(", "))
        }
        Answer::SentBack { comment, .. } => format!("{label}: {comment}"),
        Answer::Rejected { reason: Some(reason) } => format!("{label}: {reason}"),
        _ => label,
    }
}
