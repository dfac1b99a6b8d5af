//! What the runs ask that this one has started, to be answered here.

use leptos::prelude::*;
use protocol::{ApprovalForm, CallId, Edits, GivenAnswer, InputForm, RunId, SubRunAsk, Timestamp};

use super::{Reply, approval::RejectForm, value::ValueAsk};
use crate::{
    api,
    base::at,
    browser::drafts::forget_drafts_of,
    components::{
        icon::{Icon, IconName},
        long_text::{LongText, Reading},
        notice::Refusal,
    },
    pages::run::screen::Screen,
};

/// Which question, of which run, asked when.
type Ask = (RunId, CallId, Timestamp);

/// The open questions of started runs.
#[component]
pub fn BelowAsks(screen: Screen) -> impl IntoView {
    let open = Memo::new(move |_| {
        screen.live.view.with(|view| {
            let below = view.open_asks().filter(|ask| ask.run != screen.id);
            below.map(|ask| (ask.run, ask.request.input.clone(), ask.asked_at)).collect::<Vec<Ask>>()
        })
    });
    view! {
        <Show when=move || !open.with(Vec::is_empty)>
            <section class="asks" aria-label="Needs you, in runs that this one has started" hidden=move || screen.travel.is_past()>
                <For each=move || open.get() key=Clone::clone let:ask>
                    <BelowAsk screen ask />
                </For>
            </section>
        </Show>
    }
}

#[component]
fn BelowAsk(screen: Screen, ask: Ask) -> impl IntoView {
    let found = screen.live.view.with_untracked(|view| {
        view.sub_runs.iter().find_map(|sub_run| {
            let is_it = |it: &&SubRunAsk| (it.run, &it.request.input) == (ask.0, &ask.1);
            sub_run.asks.iter().find(is_it).map(|it| (sub_run.title.clone(), it.clone()))
        })
    });
    found.map(|(title, asked)| {
        let SubRunAsk { run, node, asked_at, request } = asked;
        let name = format!("ask-{run}-{}", request.input.as_str().replace([':', '/', '.'], "-"));
        let draft = format!("ask {run} {} {} ", request.input, asked_at.0);
        let reply: Reply = Action::new({
            let (input, draft) = (request.input.clone(), draft.clone());
            move |answer: &GivenAnswer| {
                let (input, draft, answer) = (input.clone(), draft.clone(), answer.clone());
                async move {
                    api::answer_input(run, input, answer).await?;
                    forget_drafts_of(&draft);
                    Ok(())
                }
            }
        });
        let form = match request.form {
            InputForm::Approval(form) => view! { <Decision screen form draft reply /> }.into_any(),
            form => view! { <ValueAsk screen name=name.clone() form draft reply /> }.into_any(),
        };
        let heading = format!("{name}-title");
        view! {
            <article class="ask" id=name tabindex="-1" aria-labelledby=heading>
                <header class="ask-head">
                    <span class="pill tone-attention">
                        <Icon name=IconName::Person />
                        "Needs you"
                    </span>
                    <a href=at(format!("/runs/{run}"))>{title}</a>
                    {node.map(|node| view! { <span class="dim">{node.to_string()}</span> })}
                    <time class="dim mono" datetime=asked_at.to_string()>{asked_at.clock()}</time>
                </header>
                <div class="ask-question">
                    <h2 id=heading.clone()>{request.prompt}</h2>
                    {request.reason.map(|reason| view! { <p class="dim">{reason}</p> })}
                </div>
                {form}
                <Refusal act=reply lead="Not taken: " />
            </article>
        }
    })
}

/// Whether a node may begin. To change what it gets, or to send the work back, one needs to see that run's state.
#[component]
fn Decision(screen: Screen, form: ApprovalForm, draft: String, reply: Reply) -> impl IntoView {
    let ApprovalForm { subject, digest, .. } = form;
    let rejects = RwSignal::new(false);
    let approve = move |_| {
        reply.dispatch(GivenAnswer::Approved { digest: digest.clone(), edits: Edits::new() });
    };
    view! {
        {subject.map(|text| view! { <LongText run=screen.id text reading=Reading::Verbatim /> })}
        <p class="dim">"To edit the state, send the work back or take another route, open that run."</p>
        <div class="ask-acts">
            <button type="button" class="button primary" disabled=reply.pending() on:click=approve>
                <Icon name=IconName::Check />
                {move || if reply.pending().get() { "Sending …" } else { "Approve" }}
            </button>
            <button
                type="button"
                class="button danger"
                aria-expanded=move || rejects.get().to_string()
                on:click=move |_| rejects.update(|rejects| *rejects = !*rejects)
            >
                <Icon name=IconName::Cross />
                "Reject …"
            </button>
        </div>
        <div class="ask-panel" hidden=move || !rejects.get()>
            <RejectForm reply draft=format!("{draft}reject") />
        </div>
    }
}
