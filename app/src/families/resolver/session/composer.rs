//! The box for the next message. What a message is stands on its button before it is sent: a task and a refinement
//! cost something, and a question never disturbs the work.

use leptos::{ev, prelude::*};
use protocol::{
    Problem, StartRun,
    resolver::{MessageMeaning, TaskRequest},
};

use super::Screen;
use crate::{
    api::{self, ApiError},
    browser::drafts::forget_draft,
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        keys,
        notice::Refusal,
    },
};

/// What is sent.
#[derive(Clone)]
enum Sent {
    Question(protocol::RunId, String),
    Run(StartRun),
}

#[component]
pub(super) fn Composer(screen: Screen) -> impl IntoView {
    let flow = screen.conversation.with_untracked(|it| it.session.flow.clone());
    let draft_name = {
        let flow = flow.clone();
        move || format!("session {flow}")
    };
    let typed = RwSignal::new(String::new());
    let meaning = Memo::new(move |_| screen.meaning());
    let send = Action::new({
        let draft_name = draft_name.clone();
        move |(words, meaning): &(String, MessageMeaning)| {
            let prepared = prepare(screen, words.clone(), *meaning);
            let (words, flow, draft_name) = (words.clone(), flow.clone(), draft_name.clone());
            async move {
                match prepared? {
                    Sent::Question(run, question) => drop(api::ask_run(run, question).await?),
                    Sent::Run(request) => {
                        api::start_run(request).await?;
                        screen.renew(flow);
                    }
                }
                // What was typed meanwhile is another message.
                if typed.try_with_untracked(|typed| typed.trim() == words) == Some(true) {
                    forget_draft(&draft_name());
                    typed.try_set(String::new());
                }
                Ok::<(), ApiError>(())
            }
        }
    });
    let is_empty = Memo::new(move |_| typed.with(|typed| typed.trim().is_empty()));
    let act = move || {
        if !is_empty.get_untracked() && !send.pending().get_untracked() {
            send.dispatch((typed.get_untracked().trim().to_owned(), meaning.get_untracked()));
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        if keys::sends(&event) {
            event.prevent_default();
            act();
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        act();
    };
    let heading = move || match meaning.get() {
        MessageMeaning::Task => ("New task".to_owned(), "planned and carried out anew"),
        MessageMeaning::Question { .. } => ("Ask the clarifier".to_owned(), "the work goes on meanwhile"),
        MessageMeaning::Refinement { of } => {
            let number = screen.number_of(of).map(|number| format!(" {number}")).unwrap_or_default();
            (format!("Refine report{number}"), "no step is done again")
        }
    };
    let button = move || match meaning.get() {
        MessageMeaning::Task => (IconName::Play, "Start"),
        MessageMeaning::Question { .. } => (IconName::Chat, "Ask"),
        MessageMeaning::Refinement { .. } => (IconName::Document, "Refine"),
    };
    let other = move || match meaning.get() {
        MessageMeaning::Refinement { .. } => Some(("New task", Some(MessageMeaning::Task))),
        MessageMeaning::Task if screen.chosen.get().is_some() => Some(("Refine instead", None)),
        _ => None,
    };
    view! {
        <form class="task-composer" on:submit=submit node_ref=draft_of(draft_name)>
            <label for="task-message" aria-live="polite">
                <strong>{move || heading().0}</strong>" "<span class="dim">{move || heading().1}" · "<kbd>"Enter"</kbd>" sends"</span>
            </label>
            <div class="task-composer-row">
                <textarea
                    id="task-message"
                    class="input"
                    rows="2"
                    maxlength="8000"
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                    on:keydown=key
                ></textarea>
                <button type="submit" class="button primary" disabled=move || send.pending().get() || is_empty.get()>
                    {move || view! { <Icon name=button().0 /> }}
                    {move || button().1}
                </button>
            </div>
            {move || other().map(|(word, meaning)| view! {
                <button type="button" class="task-link" on:click=move |_| screen.chosen.set(meaning)>{word}</button>
            })}
            <Refusal act=send lead="Your message is kept, but was not sent: " />
        </form>
    }
}

/// What a message of this meaning asks of the server.
fn prepare(screen: Screen, words: String, meaning: MessageMeaning) -> Result<Sent, ApiError> {
    let request = match meaning {
        MessageMeaning::Question { run } => return Ok(Sent::Question(run, words)),
        MessageMeaning::Task => TaskRequest::Task { request: words, context: String::new() },
        MessageMeaning::Refinement { of } => TaskRequest::Refinement { of, instruction: words, task: None },
    };
    let request = screen.conversation.with_untracked(|it| it.session.start(request));
    request.map(Sent::Run).map_err(|error| ApiError(Problem::invalid(error.to_string())))
}
