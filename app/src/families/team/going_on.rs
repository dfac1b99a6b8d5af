//! A team that goes on after its run: the run before, those that followed, and the box for the next task.

use leptos::{ev, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use protocol::{
    FlowId, ListedRun, Problem, RunFilter, RunId, RunSummary, StartRun, Workflow, WorkflowKind,
    team::{AFTER, KIND, goes_on_after},
};

use crate::{
    api::{self, ApiError},
    base::at,
    browser::drafts::forget_draft,
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        keys,
        notice::Refusal,
        status::{SignLabel, run_sign},
    },
    format,
    live::{RunNews, run_feed},
    pages::{run::Shown, runs::Outcome},
};

/// Runs of a flow that are looked through for those that followed.
const MOST_RUNS: u32 = 100;
/// The most letters of a task that are typed here; longer ones go into the form.
const LONGEST_TASK: &str = "8000";

/// Above the transcript of a run that goes on after an earlier one: after which.
pub(super) fn earlier(kind: &WorkflowKind, view: Shown) -> Option<AnyView> {
    let after = view.with_untracked(|view| goes_on_after(&view.summary.request.workflow));
    let after = after.filter(|_| kind.as_str() == KIND)?;
    let address = transcript_of(after);
    Some(
        view! {
            <p class="team-earlier">
                <Icon name=IconName::Route />
                <span>
                    "Goes on after "
                    <a href=at(address) title=format!("Run {after}")>"an earlier run"</a>
                    ": the team remembers what was said there."
                </span>
            </p>
        }
        .into_any(),
    )
}

/// Below the transcript of a run that is over: the box for the next task.
pub(super) fn composer(kind: &WorkflowKind, view: Shown) -> Option<AnyView> {
    let is_imported = view.with_untracked(|view| view.summary.imported_from.is_some());
    if kind.as_str() != KIND || is_imported {
        return None;
    }
    let is_over = Memo::new(move |_| view.with(|view| view.summary.status.is_over()));
    let run = view.with_untracked(|view| view.summary.run);
    // What is typed outlives a look at the run as it was before its end.
    let typed = RwSignal::new(String::new());
    Some(view! { <Show when=move || is_over.get()><Composer run typed view /></Show> }.into_any())
}

fn transcript_of(run: RunId) -> String {
    format!("/runs/{run}?view=transcript")
}

/// A run that goes on after the one of this summary, in its flow, and as it was started.
fn following(earlier: &RunSummary, task: String) -> Result<StartRun, ApiError> {
    let again = StartRun::again(earlier.request.clone());
    let workflow = Workflow::bare(again.workflow.kind().clone())
        .with("task", task.into())
        .and_then(|workflow| workflow.with(AFTER, earlier.run.to_string().into()));
    let workflow = workflow.map_err(|error| ApiError(Problem::invalid(format!("{error}."))))?;
    Ok(StartRun { workflow, flow: Some(earlier.request.flow.clone()), ..again })
}

#[component]
fn Composer(run: RunId, typed: RwSignal<String>, view: Shown) -> impl IntoView {
    let draft_name = move || format!("team {run}");
    let navigate = use_navigate();
    let send = Action::new(move |task: &String| {
        let request = view.with_untracked(|view| following(&view.summary, task.clone()));
        let navigate = navigate.clone();
        async move {
            let started = api::start_run(request?).await?.run;
            forget_draft(&draft_name());
            typed.try_set(String::new());
            navigate(&transcript_of(started), Default::default());
            Ok::<(), ApiError>(())
        }
    });
    let is_empty = Memo::new(move |_| typed.with(|typed| typed.trim().is_empty()));
    let act = move || {
        if !is_empty.get_untracked() && !send.pending().get_untracked() {
            send.dispatch(typed.get_untracked().trim().to_owned());
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
    view! {
        // Whoever only reads sees none of the boxes of this class.
        <form class="chat-form team-going-on" on:submit=submit node_ref=draft_of(draft_name)>
            <label for="team-next-task">
                <strong>"Go on with this team"</strong>
                " "
                <span class="dim">"It remembers what was said. A new run begins · "<kbd>"Enter"</kbd>" sends"</span>
            </label>
            <textarea
                id="team-next-task"
                class="input"
                rows="2"
                placeholder="The next task"
                maxlength=LONGEST_TASK
                readonly=send.pending()
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
                on:keydown=key
            ></textarea>
            <button type="submit" class="button primary" disabled=move || send.pending().get() || is_empty.get()>
                <Icon name=IconName::Play />
                {move || if send.pending().get() { "Starting …" } else { "Go on" }}
            </button>
            <Refusal act=send lead="Your task is kept, but no run was started: " />
        </form>
    }
}

/// The runs that go on after one, in its flow.
async fn followers(run: RunId, flow: FlowId) -> Result<Vec<RunSummary>, ApiError> {
    let filter = RunFilter {
        kind: KIND.parse().ok(),
        flow: Some(flow),
        limit: Some(MOST_RUNS),
        ..RunFilter::default()
    };
    let mut runs = api::runs(filter).await?.runs;
    runs.retain(|other| goes_on_after(&other.request.workflow) == Some(run));
    Ok(runs)
}

/// Beside a run: what has followed it.
#[component]
pub(super) fn Followers(view: Shown) -> impl IntoView {
    let (run, flow) = view.with_untracked(|view| (view.summary.run, view.summary.request.flow.clone()));
    let found = RwSignal::new(Vec::<RunSummary>::new());
    let look = {
        let flow = flow.clone();
        move || {
            let flow = flow.clone();
            // Where they cannot be read there are none, as the page says by itself that it is not heard.
            spawn_local(async move {
                if let Ok(runs) = followers(run, flow).await {
                    found.try_set(runs);
                }
            });
        }
    };
    let newest = RwSignal::new(run);
    run_feed().follow({
        let look = look.clone();
        move |news| {
            let RunNews::Stands(told) = news else { return };
            let is_new = newest.try_get_untracked().is_some_and(|newest| told.run > newest);
            if is_new && told.read::<ListedRun>().is_some_and(|other| *other.flow() == flow) {
                newest.try_set(told.run);
                look();
            }
        }
    });
    Effect::new(move |_| look());
    move || {
        let runs = found.get();
        (!runs.is_empty()).then(|| {
            let rows = runs.into_iter().map(|run| {
                let title = run.title.clone();
                view! {
                    <li class="continuation">
                        <a href=at(transcript_of(run.run))>{title}</a>
                        <SignLabel sign=run_sign(run.status) />
                        <time class="dim" datetime=run.created_at.to_string()>{format::moment(run.created_at)}</time>
                        <Outcome run=run.into() />
                    </li>
                }
            });
            view! {
                <h3>"Gone on with in"</h3>
                <ul class="continuations">{rows.collect_view()}</ul>
            }
        })
    }
}
