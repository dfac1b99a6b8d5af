//! Questions beside the run. They never disturb it, and are answered after its end, too.

use std::sync::Arc;

use leptos::{ev, html, prelude::*};
use protocol::{CallId, ChatAnswered, ChatView};

use super::{
    beside::Attempts,
    screen::Screen,
    transcript::{InFlight, kept, once_let_go},
};
use crate::{
    api,
    browser::{self, drafts::forget_draft},
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        keys,
        long_text::{LongText, Reading},
        notice::Refusal,
        whole_text::whole_text,
    },
    format,
};

fn draft_name(screen: Screen) -> String {
    format!("chat {}", screen.id)
}

/// Every question with its answer.
const EXCHANGES: &str = ".chat-turns > .turn";

/// Goes to the next question of the conversation; back to the one before where `by` is negative.
pub fn step(by: isize) {
    if by < 0 { browser::focus_previous(EXCHANGES) } else { browser::focus_next(EXCHANGES) }
}

/// The conversation, and the box for the next question.
#[component]
pub fn Chat(screen: Screen) -> impl IntoView {
    let live = screen.live.view;
    let count = Memo::new(move |_| live.with(|view| view.chats.len()));
    let typed = screen.question;
    let ask = Action::new(move |question: &String| {
        let question = question.clone();
        async move {
            let sent = question.clone();
            api::ask_run(screen.id, question).await?;
            screen.live.expect_more();
            // What was typed meanwhile is another question.
            if typed.try_with_untracked(|typed| typed.trim() == sent) == Some(true) {
                forget_draft(&draft_name(screen));
                typed.try_set(String::new());
            }
            Ok::<(), api::ApiError>(())
        }
    });
    let send = move || {
        let question = typed.get_untracked().trim().to_owned();
        if !question.is_empty() && !ask.pending().get_untracked() {
            ask.dispatch(question);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        if keys::sends(&event) {
            event.prevent_default();
            send();
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send();
    };
    view! {
        <section class="chat" aria-label="Chat beside the run">
            <div class="chat-turns" tabindex="0" role="log" aria-label="Conversation">
                <Show when=move || count.get() == 0>
                    <p class="empty">
                        "Ask about this run: why it decided as it did, what an agent left out, what a figure means. A model answers from the run's state at that moment. The run does not notice."
                    </p>
                </Show>
                <For each=move || 0..count.get() key=|chat| *chat let:chat>
                    <Exchange screen chat />
                </For>
            </div>
            <form class="chat-form" on:submit=submit node_ref=draft_of(move || draft_name(screen))>
                <textarea
                    class="input"
                    rows="2"
                    maxlength="8000"
                    placeholder="A question about this run"
                    aria-label="Your question"
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                    on:keydown=key
                ></textarea>
                <button type="submit" class="button primary" disabled=move || ask.pending().get() || typed.with(|typed| typed.trim().is_empty())>
                    <Icon name=IconName::Chat />
                    "Ask"
                </button>
                <Refusal act=ask lead="Your question is kept, but was not asked: " />
            </form>
        </section>
    }
}

/// A question and its answer.
#[component]
fn Exchange(screen: Screen, chat: usize) -> impl IntoView {
    let state = Memo::new(move |_| screen.live.view.with(|view| view.chats.get(chat).cloned()));
    let answered =
        Memo::new(move |_| state.with(|chat| chat.as_ref().is_some_and(|chat| chat.answered.is_some())));
    let place = NodeRef::<html::Div>::new();
    let is_over = once_let_go(answered, place);
    // The question stands from the beginning and does not change.
    state.get_untracked().map(|chat: Arc<ChatView>| {
        let by = format::person(&chat.asked.by);
        let number = chat.asked.chat;
        let question = whole_text(screen.id, chat.asked.question.clone());
        let beginning = chat.asked.question.shown().to_owned();
        let answer = move || match state.get_untracked().and_then(|chat| chat.answered.clone()) {
            Some(answered) if is_over.get() => view! { <AnswerText screen answered /> }.into_any(),
            _ => {
                is_over.track();
                view! { <Streaming screen chat=number answered /> }.into_any()
            }
        };
        view! {
            <article class="turn" tabindex="-1">
                <div class="turn-head">
                    <span class="speaker"><Icon name=IconName::Person />{by}</span>
                    <time class="dim mono" datetime=chat.asked_at.to_string()>{chat.asked_at.clock()}</time>
                </div>
                <p class="chat-question">{move || question.get().unwrap_or_else(|| beginning.clone())}</p>
                <div class="turn-body" node_ref=place>{answer}</div>
            </article>
        }
    })
}

#[component]
fn Streaming(screen: Screen, chat: u32, answered: Memo<bool>) -> impl IntoView {
    let call = CallId::of_chat(chat);
    let stream = move || screen.live.streams.of(&call);
    view! { <InFlight stream=kept(stream, answered) /> }
}

#[component]
fn AnswerText(screen: Screen, answered: ChatAnswered) -> impl IntoView {
    let ChatAnswered { model, answer, usage, cost, latency_ms, attempts, error, .. } = answered;
    let tokens = usage.tokens_in.zip(usage.tokens_out);
    let tokens = tokens.map(|(tokens_in, tokens_out)| tokens_in.saturating_add(tokens_out));
    let succeeded = error.is_none();
    let foot = [
        Some(model),
        Some(format::duration(latency_ms)),
        Some(tokens.map_or_else(
            || "tokens unknown".to_owned(),
            |tokens| format!("{} tokens", format::count(tokens)),
        )),
        Some(cost.map_or_else(|| "cost unknown".to_owned(), format::dollars)),
    ];
    view! {
        {error.map(|error| view! {
            <p class="turn-problem tone-failed">
                <Icon name=IconName::Cross />
                {format!("No answer: {error}")}
            </p>
        })}
        {(answer.bytes() > 0).then(|| view! { <LongText run=screen.id text=answer reading=Reading::Prose /> })}
        <p class="turn-foot dim mono">{foot.into_iter().flatten().collect::<Vec<_>>().join(" · ")}</p>
        <Attempts failed=attempts succeeded />
    }
}
