//! `/tasks`: all sessions, and the beginning of a new one.

use std::collections::BTreeSet;

use leptos::{ev, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;
use protocol::{ListedRun, RunFilter, StartRun, resolver::TaskRequest};

use super::SESSIONS;
use crate::{
    api::{self, ApiError},
    base::at,
    browser::drafts::forget_draft,
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        notice::{ProblemNotice, Refusal},
        status::RunPill,
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// The most tasks that the page looks at; the list of runs has all.
const LISTED: u32 = 200;
/// The name under which a tab keeps what is typed.
const DRAFT: &str = "new task";

/// The page.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let tasks = Resource::new(
        || (),
        |()| {
            let kind = TaskRequest::TASK.parse().ok();
            api::listed_runs(RunFilter { kind, limit: Some(LISTED), ..RunFilter::default() })
        },
    );
    view! {
        <Title text="Tasks" />
        <div class="page sessions-page">
            <header class="page-head">
                <h1>"Tasks"</h1>
                <div class="page-acts">
                    <a class="button" href=at("/start?type=task")>"The sample, or with settings"</a>
                </div>
            </header>
            <NewSession />
            <Transition fallback=|| view! { <p class="loading">"Loading the sessions …"</p> }>
                {move || Suspend::new(async move {
                    match tasks.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(page) => view! { <Sessions tasks=page.runs /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// Begins a session with its first task.
#[component]
fn NewSession() -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let navigate = use_navigate();
    let begin = Action::new(move |request: &String| {
        let task = TaskRequest::Task { request: request.clone(), context: String::new() };
        let navigate = navigate.clone();
        async move {
            let workflow = task.workflow().map_err(|error| ApiError(protocol::Problem::invalid(error.to_string())))?;
            let accepted = api::start_run(StartRun::new(workflow)).await?;
            forget_draft(DRAFT);
            navigate(&format!("{SESSIONS}/{}", accepted.flow), Default::default());
            Ok::<(), ApiError>(())
        }
    });
    let is_empty = Memo::new(move |_| typed.with(|typed| typed.trim().is_empty()));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if !is_empty.get_untracked() && !begin.pending().get_untracked() {
            begin.dispatch(typed.get_untracked().trim().to_owned());
        }
    };
    view! {
        <form class="card task-new" on:submit=submit node_ref=draft_of(|| DRAFT.to_owned())>
            <label for="new-task">"What is to be done?"</label>
            <textarea
                id="new-task"
                class="input"
                rows="3"
                maxlength=TaskRequest::LONGEST
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
            <div class="task-new-acts">
                <button type="submit" class="button primary" disabled=move || begin.pending().get() || is_empty.get()>
                    <Icon name=IconName::Play />"Start"
                </button>
                <span class="dim">"It is planned, each step is carried out, and one report is written. You can ask while it works, and have the report written anew."</span>
            </div>
            <Refusal act=begin lead="Your request is kept, but was not started: " />
        </form>
    }
}

/// Each session by its newest task.
#[component]
fn Sessions(tasks: Vec<ListedRun>) -> impl IntoView {
    let mut known = BTreeSet::new();
    let newest: Vec<ListedRun> = tasks
        .into_iter()
        .filter(|task| task.parent.is_none() && task.imported_from.is_none())
        .filter(|task| known.insert(task.flow().to_string()))
        .collect();
    if newest.is_empty() {
        return view! {
            <Empty title="There is no session yet">
                "Say above what is to be done, or start the sample."
            </Empty>
        }
        .into_any();
    }
    let rows = newest.into_iter().map(|task| {
        let flow = task.flow().to_string();
        let started = task.created_at;
        let cost = format::cost(&task.totals);
        view! {
            <tr role="row">
                <Cell label="Last task"><a href=at(format!("{SESSIONS}/{flow}"))>{task.title}</a></Cell>
                <Cell label="State"><RunPill status=task.status phase=task.phase /></Cell>
                <Cell label="Result">{task.result.or(task.error).unwrap_or_default()}</Cell>
                <Cell label="Cost" numeric=true>
                    {cost.known} {cost.gap.map(|gap| view! { " " <small class="dim">{gap}</small> })}
                </Cell>
                <Cell label="Started (UTC)"><time datetime=started.to_string()>{format::moment(started)}</time></Cell>
            </tr>
        }
    });
    view! {
        <div class="card table-card">
            <DataTable
                caption="Sessions, the one with the newest task first"
                columns=vec!["Last task", "State", "Result", "#Cost", "Started (UTC)"]
            >
                {rows.collect_view()}
            </DataTable>
        </div>
    }
    .into_any()
}
