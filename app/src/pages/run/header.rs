//! The head of the run page. It never scrolls away.

use leptos::{html, prelude::*};
use protocol::{Decimal, RunView};

use super::{clock::horizon, screen::Screen};
use crate::{
    api,
    components::{
        icon::{Icon, IconName},
        status::RunPill,
    },
    format,
    live::ConnectionLabel,
};

/// What runs, where it stands, what it used, and the acts.
#[component]
pub fn Header(screen: Screen) -> impl IntoView {
    let view = screen.live.view;
    let summary = Memo::new(move |_| view.with(|view| view.summary.clone()));
    let (flow, title) =
        view.with_untracked(|view| (view.summary.request.flow.clone(), view.summary.title.clone()));
    let elapsed = move || {
        let now = screen.now.get();
        view.with(|view| format::stopwatch(horizon(view, now).since(view.summary.created_at)))
    };
    let cost_limit = view.with_untracked(|view| view.summary.request.limits.cost);
    let cost = Memo::new(move |_| summary.with(|summary| format::cost(&summary.totals)));
    view! {
        <header class="run-head">
            <div class="run-name">
                <nav class="crumbs" aria-label="Where this is">
                    <a href="/runs">"Runs"</a>
                    " › "
                    <a class="crumb-flow" href=format!("/runs?flow={flow}")>
                        {format!("Flow {flow}")}
                    </a>
                </nav>
                <div class="run-title">
                    <h1>{title}</h1>
                    <span aria-live="polite">
                        {move || {
                            let (status, phase) = summary.with(|summary| (summary.status, summary.phase.clone()));
                            view! { <RunPill status phase /> }
                        }}
                    </span>
                </div>
            </div>
            <dl class="facts run-facts">
                <div>
                    <dt>"Elapsed"</dt>
                    <dd>{elapsed}</dd>
                </div>
                <div>
                    <dt>"Nodes"</dt>
                    <dd>{move || summary.with(|summary| format!("{} / {}", summary.nodes_done, summary.nodes))}</dd>
                </div>
                <div>
                    <dt>"Tokens"</dt>
                    <dd>{move || summary.with(|summary| format::count(summary.totals.tokens()))}</dd>
                </div>
                <div class="fact-cost">
                    <dt>
                        {match cost_limit {
                            Some(limit) => format!("Cost of {}", format::dollars(limit)),
                            None => "Cost".to_owned(),
                        }}
                    </dt>
                    <dd>
                        {move || cost.get().known}
                        {move || cost.get().gap.map(|gap| view! { " " <small class="dim">{gap}</small> })}
                    </dd>
                    {cost_limit.map(|limit| view! { <Budget screen limit /> })}
                </div>
                <div>
                    <dt>"Connection"</dt>
                    <dd>
                        <ConnectionLabel connection=screen.live.connection />
                    </dd>
                </div>
            </dl>
            <StopButton screen />
        </header>
    }
}

/// How much of the money that the run may spend is spent.
#[component]
fn Budget(screen: Screen, limit: Decimal) -> impl IntoView {
    let spent = move || screen.live.view.with(|view| view.summary.totals.cost.min(limit).to_string());
    view! {
        <progress class="budget" max=limit.to_string() value=spent aria-label="Part of the budget that is spent"></progress>
    }
}

#[component]
fn StopButton(screen: Screen) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let reason = NodeRef::<html::Input>::new();
    let can_stop = Memo::new(move |_| screen.live.view.with(can_be_stopped));
    let close = move || {
        if let Some(dialog) = dialog.try_get_untracked().flatten() {
            dialog.close();
        }
    };
    let stop = Action::new(move |reason: &Option<String>| {
        let reason = reason.clone();
        async move {
            api::stop_run(screen.id, reason).await?;
            close();
            Ok::<(), api::ApiError>(())
        }
    });
    let open = move |_| {
        if let Some(dialog) = dialog.try_get_untracked().flatten() {
            drop(dialog.show_modal());
        }
    };
    let confirm = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let said = reason.try_get_untracked().flatten().map(|input| input.value().trim().to_owned());
        stop.dispatch(said.filter(|said| !said.is_empty()));
    };
    let problem = move || {
        let error = stop.value().get().and_then(Result::err)?;
        Some(view! { <p class="inline-problem" role="alert">{error.to_string()}</p> })
    };
    view! {
        <div class="run-acts">
            <Show when=move || can_stop.get()>
                <button type="button" class="button danger" on:click=open>
                    <Icon name=IconName::Stop />
                    "Stop"
                </button>
            </Show>
            <dialog class="dialog" node_ref=dialog aria-labelledby="stop-title">
                <h2 id="stop-title">"Stop this run?"</h2>
                <p>
                    "It asks no further model and calls no further tool. What it found so far is kept. "
                    "A stopped run does not go on later."
                </p>
                <form class="dialog-form" on:submit=confirm>
                    <label>
                        "Reason, for the log (optional)"
                        <input class="input" node_ref=reason type="text" maxlength="300" autocomplete="off" />
                    </label>
                    {problem}
                    <div class="dialog-acts">
                        <button type="button" class="button" on:click=move |_| close()>
                            "Let it run"
                        </button>
                        <button type="submit" class="button danger" disabled=stop.pending()>
                            "Stop the run"
                        </button>
                    </div>
                </form>
            </dialog>
        </div>
    }
}

fn can_be_stopped(view: &RunView) -> bool {
    !view.summary.status.is_over()
}
