//! The report that is shown, a draft of it before it is written, and all versions.

use leptos::prelude::*;
use protocol::{
    RunId, RunStatus, RunView,
    resolver::{MessageMeaning, SessionRun, StepResult, TaskPlan, TaskReport, TaskRequest},
};

use super::{
    Pane, Screen,
    comparison::Comparison,
    document::{document, last_of},
    plan::{End, in_flight},
};
use crate::{
    api,
    base::at,
    browser,
    components::{
        copy::CopyButton,
        notice::ProblemNotice,
    },
    families::resolver::cards::ReportText,
    format,
    legible::legible,
    live::LiveRun,
    pages::run::{InFlight, kept},
};

#[component]
pub(super) fn Reports(screen: Screen, live: LiveRun, plan: RwSignal<RunView>) -> impl IntoView {
    let last = live.view.with_untracked(|view| view.summary.run);
    let number = move || screen.number_of(screen.version.get().unwrap_or(last)).unwrap_or_default();
    let flow = screen.conversation.with_untracked(|it| it.session.flow.clone());
    let has_report = move || {
        let is_written = |view: &RunView| view.summary.status == RunStatus::Succeeded;
        screen.version.get().is_some() || live.view.with(is_written)
    };
    // Earlier reports are asked for when they are to be shown.
    let earlier = Resource::new(
        move || screen.version.get(),
        |version| async move {
            match version {
                Some(run) => api::run(run).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let shown_run = move || screen.version.get().unwrap_or(last);
    let shown = move || match (screen.compared.get(), screen.version.get()) {
        (Some(other), _) => view! { <Comparison screen runs=[other, shown_run()] /> }.into_any(),
        (None, None) => view! { <Last live plan /> }.into_any(),
        (None, Some(_)) => view! {
            <Transition fallback=|| view! { <p class="loading">"Loading the report …"</p> }>
                {move || Suspend::new(async move {
                    match earlier.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(Some(view)) => view! { <Written view /> }.into_any(),
                        Ok(None) => ().into_any(),
                    }
                })}
            </Transition>
        }
        .into_any(),
    };
    view! {
        <section class="task-pane task-report" aria-labelledby="task-report-heading">
            <h2 id="task-report-heading">{move || format!("Report {}", number())}</h2>
            <Show when=has_report>
                {
                    let flow = flow.clone();
                    move || {
                        let run = shown_run();
                        let file = at(format!("/api/v1/tasks/{flow}/report.md?run={run}"));
                        view! { <a class="task-file" href=file rel="external" download=format!("report-{run}.md")>"Download"</a> }
                    }
                }
            </Show>
            <div class="task-report-text" tabindex="0" role="group" aria-label="The report">{shown}</div>
        </section>
        <Versions screen live />
    }
}

/// The report of the last run: written, being written, or a draft of what the steps have found so far.
#[component]
fn Last(live: LiveRun, plan: RwSignal<RunView>) -> impl IntoView {
    let run = live.view.with_untracked(|view| view.summary.run);
    let report = Memo::new(move |_| live.view.with(last_of::<TaskReport>));
    let call = Memo::new(move |_| {
        live.view.with(|view| {
            let writers = ["report", "rewriter"].iter().filter_map(|node| node.parse().ok());
            writers.into_iter().find_map(|node| in_flight(view, &node))
        })
    });
    move || match (report.get(), call.get()) {
        (Some(product), _) => {
            let report = document::<TaskReport>(run, &product);
            (move || shown(report.get())).into_any()
        }
        (None, Some(call)) => {
            let stream = move || live.streams.of(&call);
            view! {
                <p class="task-draft">"It is being written."</p>
                <InFlight stream=kept(stream, false) />
            }
            .into_any()
        }
        (None, None) => view! { <Draft live plan /> }.into_any(),
    }
}

fn shown(report: Option<TaskReport>) -> AnyView {
    match report {
        Some(report) => {
            let markdown = report.markdown.clone();
            view! {
                <CopyButton text=Callback::new(move |()| markdown.clone()) />
                <ReportText report />
            }
            .into_any()
        }
        None => view! { <p class="loading">"Loading the report …"</p> }.into_any(),
    }
}

/// The report of an earlier run.
#[component]
fn Written(view: RunView) -> impl IntoView {
    match last_of::<TaskReport>(&view) {
        None => {
            let why = view.summary.error.unwrap_or_else(|| "The run has left no report.".to_owned());
            view! { <p class="empty">{why}</p> }.into_any()
        }
        Some(product) => {
            let report = document::<TaskReport>(view.summary.run, &product);
            (move || shown(report.get())).into_any()
        }
    }
}

fn run_of(view: &RunView) -> RunId {
    view.summary.run
}

/// All steps in the order of the plan, each with what it has come to so far.
#[component]
fn Draft(live: LiveRun, plan: RwSignal<RunView>) -> impl IntoView {
    let (run, last) = (plan.with_untracked(run_of), live.view.with_untracked(run_of));
    let error = Memo::new(move |_| {
        live.view.with(|view| view.summary.status.is_over().then(|| view.summary.error.clone()).flatten())
    });
    let product = Memo::new(move |_| plan.with(last_of::<TaskPlan>));
    let results = Memo::new(move |_| {
        plan.with(|view| view.products.iter().filter(|it| it.holds::<StepResult>()).cloned().collect::<Vec<_>>())
    });
    let sections = move || {
        let Some(product) = product.get() else {
            return view! { <p class="empty">"The report appears here. First the task is planned."</p> }.into_any();
        };
        let plan = document::<TaskPlan>(run, &product);
        let found = results.get().iter().map(|product| document::<StepResult>(run, product)).collect::<Vec<_>>();
        (move || {
            let steps = plan.get().map(|plan| plan.steps).unwrap_or_default();
            let sections = steps.into_iter().zip(1..).map(|(step, number)| {
                let end = found.iter().filter_map(|result| result.get()).find(|it| it.step == step.id).map(|it| it.end);
                view! {
                    <section class="task-section">
                        <h3>{legible(&step.title).into_owned()}" "<span class="dim">{format!("step {number}")}</span></h3>
                        {match end {
                            Some(end) => view! { <End end /> }.into_any(),
                            None => view! { <p class="dim">{format!("waits for step {number}")}</p> }.into_any(),
                        }}
                    </section>
                }
            });
            sections.collect_view()
        })
        .into_any()
    };
    view! {
        <p class="task-draft">
            {move || match error.get() {
                Some(error) => view! {
                    {format!("There is no report: {error} What the steps have found is kept. ")}
                    <a href=at(format!("/runs/{last}"))>"Go on from a step"</a>
                }
                .into_any(),
                None => "Draft made of the steps' results. The report is written after the last step.".into_any(),
            }}
        </p>
        {sections}
    }
}

/// All reports of the session. Nothing is overwritten.
#[component]
fn Versions(screen: Screen, live: LiveRun) -> impl IntoView {
    let last = live.view.with_untracked(|view| view.summary.run);
    let is_over = Memo::new(move |_| live.view.with(|view| view.summary.status.is_over()));
    let last_status = Memo::new(move |_| live.view.with(|view| view.summary.status));
    let runs = screen.conversation.with_untracked(|it| it.session.runs.clone());
    let shown_has_report = Memo::new(move |_| {
        let shown = screen.version.get().unwrap_or(last);
        let status = if shown == last {
            Some(last_status.get())
        } else {
            screen.conversation.with(|it| it.session.run(shown).map(|run| run.status))
        };
        status == Some(RunStatus::Succeeded)
    });
    let rows = runs.into_iter().zip(1..).map(|(run, number): (SessionRun, usize)| {
        let id = run.run;
        let is_shown = Memo::new(move |_| screen.version.get().unwrap_or(last) == id);
        let has_report = Memo::new(move |_| {
            let status = if id == last { last_status.get() } else { run.status };
            status == RunStatus::Succeeded
        });
        let go_on = move |_| {
            screen.chosen.set(Some(MessageMeaning::Refinement { of: id }));
            screen.pane.set(Pane::Chat);
            browser::focus_id("task-message");
        };
        view! {
            <li class:is-shown=is_shown>
                <span class="mono">{number}</span>
                <span class="task-version">
                    {run.request.words().to_owned()}
                    " "
                    <span class="dim">{made(screen, &run)}</span>
                </span>
                <Show when=move || is_shown.get()><span class="dim">"shown"</span></Show>
                <Show when=move || !is_shown.get()>
                    <button type="button" class="task-link" on:click=move |_| open(screen, id, last)>"Open"</button>
                </Show>
                <Show when=move || !is_shown.get() && has_report.get() && shown_has_report.get()>
                    <button type="button" class="task-link" title="What this report and the one that is shown have otherwise" on:click=move |_| compare(screen, id)>"Compare"</button>
                </Show>
                <Show when=move || has_report.get() && is_over.get()>
                    <button type="button" class="task-link" on:click=go_on>{format!("Go on from {number}")}</button>
                </Show>
            </li>
        }
    });
    view! {
        <section class="task-pane task-versions" aria-labelledby="task-versions-heading">
            <h2 id="task-versions-heading">"Versions"" "<span class="dim">"Nothing is overwritten."</span></h2>
            <ol tabindex="0">{rows.collect_view()}</ol>
        </section>
    }
}

fn compare(screen: Screen, with: RunId) {
    screen.compared.set(Some(with));
    screen.pane.set(Pane::Report);
}

fn open(screen: Screen, run: RunId, last: RunId) {
    screen.compared.set(None);
    screen.version.set((run != last).then_some(run));
    screen.pane.set(Pane::Report);
}

/// How a report came to be: `14:07 · from 1, no step is done again · $0.0031`.
fn made(screen: Screen, run: &SessionRun) -> String {
    let how = match &run.request {
        TaskRequest::Task { .. } => "new steps".to_owned(),
        TaskRequest::Refinement { of, .. } => match screen.number_of(*of) {
            Some(number) => format!("from {number}, no step is done again"),
            None => "no step is done again".to_owned(),
        },
    };
    format!("{} · {how} · {}", run.created_at.clock(), format::cost(&run.totals).known)
}
