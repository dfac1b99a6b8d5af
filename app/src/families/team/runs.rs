//! The runs of one team, of all its versions.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use protocol::{
    ListedRun, ListedRuns, Problem, RunFilter, RunId, StartRun, Timestamp,
    document::{DocumentId, DocumentReference, DocumentVersion},
    team::goes_on_after,
};

use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        dialog::Modal,
        notice::Refusal,
        status::{SignLabel, run_sign},
        table::{Cell, DataTable, Empty},
    },
    format,
    pages::runs::{
        ChooseBox, Chosen, CompareLink, LoadMore, Outcome,
        elapsed::{elapsed, use_clock},
        list::{RunList, use_list},
    },
};

/// Runs that are loaded at once.
const PAGE: u32 = 20;

/// The runs of a team, newest first.
pub(super) fn filter(team: DocumentId) -> RunFilter {
    RunFilter { document: Some(team), limit: Some(PAGE), ..RunFilter::default() }
}

/// The runs, each with the version that it was made from. Two can be compared, each can be started again.
#[component]
pub(super) fn TeamRuns(team: DocumentId, page: ListedRuns) -> impl IntoView {
    let list = use_list(filter(team), page);
    let ids = Memo::new(move |_| list.with(RunList::ids));
    let (chosen, again, clock) = (Chosen::default(), RwSignal::new(None::<Again>), use_clock());
    view! {
        <section class="team-runs" aria-labelledby="team-runs-heading">
            <header class="page-head">
                <h2 id="team-runs-heading">"Runs"</h2>
                <div class="page-acts"><CompareLink chosen /></div>
            </header>
            <Show
                when=move || !ids.with(Vec::is_empty)
                fallback=move || view! {
                    <Empty title="This team has not run yet">
                        <p>"Its runs stand here, whichever version they are made from."</p>
                        <p><a class="button primary" href=at(format!("/start?type=team&team={team}"))>"Run it"</a></p>
                    </Empty>
                }
            >
                <div class="card table-card">
                    <DataTable
                        caption="Runs of the team, newest first"
                        columns=vec!["Status", "Task", "Result", "#Version", "#Duration", "#Cost", "Started (UTC)", "Acts"]
                    >
                        <For each=move || ids.get() key=|run| *run let:run>
                            <Row run list clock chosen again />
                        </For>
                    </DataTable>
                </div>
            </Show>
            <LoadMore list />
            <RunAgain again />
        </section>
    }
}

/// A run that may be started again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Again {
    run: RunId,
    task: String,
    version: Option<DocumentVersion>,
}

#[component]
fn Row(
    run: RunId,
    list: RwSignal<RunList>,
    clock: ReadSignal<Option<Timestamp>>,
    chosen: Chosen,
    again: RwSignal<Option<Again>>,
) -> impl IntoView {
    let run = Memo::new(move |_| list.with(|list| list.get(run).cloned()));
    move || {
        run.get().map(|run| {
            let cost = format::cost(&run.used());
            let (task, outcome, timed) = (task_of(&run), run.clone(), run.clone());
            let version = run.document().and_then(|document| document.version);
            let asked = Again { run: run.run, task: task.clone(), version };
            let (choice, label) = (task.clone(), format!("Run again: {task}"));
            view! {
                <tr role="row">
                    <Cell label="Status">
                        <span class="row-state">
                            <ChooseBox run=run.run title=choice chosen />
                            <SignLabel sign=run_sign(run.status) />
                        </span>
                    </Cell>
                    <Cell label="Task">
                        <a href=at(format!("/runs/{}", run.run))>{task}</a>
                        {run.imported_from.map(|_| view! { <small class="reason">"imported"</small> })}
                    </Cell>
                    <Cell label="Result"><Outcome run=outcome /></Cell>
                    <Cell label="Version" numeric=true>{version.map_or_else(|| "unknown".to_owned(), |version| version.to_string())}</Cell>
                    <Cell label="Duration" numeric=true>{move || elapsed(&timed, clock)}</Cell>
                    <Cell label="Cost" numeric=true>
                        {cost.known}
                        {cost.gap.map(|gap| view! { <small class="reason">{gap}</small> })}
                    </Cell>
                    <Cell label="Started (UTC)"><time datetime=run.created_at.to_string()>{format::moment(run.created_at)}</time></Cell>
                    <Cell label="Acts">
                        <button type="button" class="button" aria-label=label on:click=move |_| again.set(Some(asked.clone()))>"Run again"</button>
                    </Cell>
                </tr>
            }
        })
    }
}

/// The first words of the task: the title without the team's name.
fn task_of(run: &ListedRun) -> String {
    let team = run.subject.as_deref().unwrap_or_default();
    let task = run.title.strip_prefix(team).and_then(|rest| rest.strip_prefix(" · "));
    task.filter(|task| !task.is_empty()).unwrap_or(&run.title).to_owned()
}

/// Asks with which version a run is to be started again, as it costs money, and opens the new run.
#[component]
fn RunAgain(again: RwSignal<Option<Again>>) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(again.with(Option::is_some)));
    Effect::new(move |_| {
        if !open.get() && again.with_untracked(Option::is_some) {
            again.set(None);
        }
    });
    let navigate = use_navigate();
    let start = Action::new(move |newest: &bool| {
        let (asked, newest, navigate) = (again.get_untracked(), *newest, navigate.clone());
        async move {
            let Some(asked) = asked else { return Ok(()) };
            let started = start_again(asked.run, newest).await?;
            again.try_set(None);
            navigate(&format!("/runs/{started}"), Default::default());
            Ok::<(), ApiError>(())
        }
    });
    let version = move || again.with(|again| again.as_ref().and_then(|again| again.version));
    view! {
        <Modal open id="run-again" title="Run it again?">
            <p><strong>{move || again.with(|again| again.as_ref().map(|again| again.task.clone()))}</strong></p>
            <p>"A new run with the same task, fields, model and limits. It costs what its calls cost."</p>
            <Refusal act=start lead="It was not started: " />
            <div class="dialog-acts">
                <button type="button" class="button" on:click=move |_| open.set(false)>"Cancel"</button>
                {move || version().map(|version| view! {
                    <button type="button" class="button" disabled=start.pending() on:click=move |_| { start.dispatch(false); }>
                        {format!("With version {version}")}
                    </button>
                })}
                <button type="button" class="button primary" disabled=start.pending() on:click=move |_| { start.dispatch(true); }>
                    "With the newest version"
                </button>
            </div>
        </Modal>
    }
}

/// Starts a run with the request of another one; with the newest version of its team, or with the same.
async fn start_again(run: RunId, newest: bool) -> Result<RunId, ApiError> {
    let mut request = StartRun::again(api::run_summary(run).await?.request);
    if newest && goes_on_after(&request.workflow).is_some() {
        let why = "This run goes on after an earlier one, with the team as it was then. Run it again with the same version.";
        return Err(ApiError(Problem::invalid(why)));
    }
    if newest && let Some(team) = request.workflow.document() {
        let team = DocumentReference { version: None, ..team }.to_string();
        let workflow = request.workflow.with("team", team.into());
        request.workflow = workflow.map_err(|error| ApiError(Problem::invalid(format!("{error}."))))?;
    }
    Ok(api::start_run(request).await?.run)
}
