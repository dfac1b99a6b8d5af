//! `/tasks/{session}`: a session. The conversation, the plan as a list that is ticked off while the work goes on, and
//! the reports, of which each can be gone back to.

mod comparison;
mod composer;
mod conversation;
mod difference;
mod document;
mod plan;
mod report;
mod times;

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use protocol::{
    FlowId, ListedRun, NodeStatus, Problem, RunId, RunView,
    resolver::{MessageMeaning, SessionState, TaskConversation, TaskPhase, TaskRequest},
};

use self::{composer::Composer, conversation::Conversation, plan::Plan, report::Reports};
use super::{SESSIONS, api as own_api};
use crate::{
    api::{self, ApiError},
    base::at,
    browser,
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        notice::ProblemNotice,
        status::{Tone, node_sign, NodeSigns},
        stop_run::StopRun,
    },
    format,
    live::{ConnectionLabel, LiveRun, OldSince, RunNews, run_feed, use_run},
};

/// The parts of the page, of which a narrow one shows one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pane {
    Plan,
    Report,
    Chat,
    Versions,
}

impl Pane {
    const ALL: [Self; 4] = [Self::Plan, Self::Report, Self::Chat, Self::Versions];

    fn label(self) -> &'static str {
        match self {
            Self::Plan => "Plan",
            Self::Report => "Report",
            Self::Chat => "Chat",
            Self::Versions => "Versions",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Report => "report",
            Self::Chat => "chat",
            Self::Versions => "versions",
        }
    }
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Screen {
    conversation: RwSignal<TaskConversation>,
    /// Where the session stands, as its last run is followed.
    state: RwSignal<SessionState>,
    /// What the next message is, where a person has chosen it.
    chosen: RwSignal<Option<MessageMeaning>>,
    /// The run whose report is shown; `None` is the last one.
    version: RwSignal<Option<RunId>>,
    /// The run whose report is set against the one that is shown, where one is.
    compared: RwSignal<Option<RunId>>,
    pane: RwSignal<Pane>,
}

impl Screen {
    /// What a message is now. While a run works it is a question, whatever was chosen before.
    fn meaning(&self) -> MessageMeaning {
        let state = self.state.get();
        let next = self.conversation.with(|conversation| conversation.session.next_in(state));
        match next {
            MessageMeaning::Question { .. } => next,
            MessageMeaning::Task | MessageMeaning::Refinement { .. } => self.chosen.get().unwrap_or(next),
        }
    }

    /// The number of the run's report among those of the session, from 1.
    fn number_of(&self, run: RunId) -> Option<usize> {
        self.conversation.with(|it| it.session.runs.iter().position(|known| known.run == run)).map(|at| at + 1)
    }

    /// Asks the server for the session again, which has another run.
    fn renew(self, flow: FlowId) {
        spawn_local(async move {
            if let Ok(newer) = own_api::conversation(flow).await {
                self.chosen.try_set(None);
                self.version.try_set(None);
                self.compared.try_set(None);
                self.state.try_set(newer.session.state());
                self.conversation.try_set(newer);
            }
        });
    }
}

/// The page.
#[component]
pub fn SessionPage(
    /// The session's id, from the address.
    id: Signal<String>,
) -> impl IntoView {
    let conversation = Resource::new(move || id.get(), read);
    view! {
        <Suspense fallback=|| view! { <p class="loading">"Loading the session …"</p> }>
            {move || Suspend::new(async move {
                match conversation.await {
                    Err(error) => view! { <Title text="Tasks" /> <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(conversation) => view! { <Session conversation /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn read(id: String) -> Result<TaskConversation, ApiError> {
    let flow: FlowId = id.parse().map_err(|_| {
        api::set_status(404);
        ApiError(Problem::not_found("There is no session at this address. Choose one that is listed."))
    })?;
    own_api::conversation(flow).await
}

#[component]
fn Session(conversation: TaskConversation) -> impl IntoView {
    let flow = conversation.session.flow.clone();
    let screen = Screen {
        state: RwSignal::new(conversation.session.state()),
        conversation: RwSignal::new(conversation),
        chosen: RwSignal::new(None),
        version: RwSignal::new(None),
        compared: RwSignal::new(None),
        pane: RwSignal::new(Pane::Plan),
    };
    let last = Memo::new(move |_| {
        screen.conversation.with(|it| it.session.runs.last().map(|last| last.run))
    });
    run_feed().follow(move |news| {
        let RunNews::Stands(told) = news else { return };
        let is_new = last.try_get_untracked().is_some_and(|last| Some(told.run) > last);
        if is_new && told.read::<ListedRun>().is_some_and(|run| belongs_to(&run, &flow)) {
            screen.renew(flow.clone());
        }
    });
    on_page_key(move |event| match event.key().as_str() {
        "c" => {
            event.prevent_default();
            screen.pane.set(Pane::Chat);
            browser::focus_id("task-message");
        }
        "[" => step_version(screen, last, -1),
        "]" => step_version(screen, last, 1),
        _ => {}
    });
    let pane = move || format!("task-session shows-{}", screen.pane.get().id());
    view! {
        <div class=pane>
            {move || {
                last.get();
                view! { <Followed screen /> }
            }}
            <Composer screen />
        </div>
    }
}

/// Whether a run is one of the session in this flow.
fn belongs_to(run: &ListedRun, flow: &FlowId) -> bool {
    let is_of_kind = matches!(run.kind().as_str(), TaskRequest::TASK | TaskRequest::REFINEMENT);
    is_of_kind && run.flow() == flow && run.parent.is_none() && run.imported_from.is_none()
}

/// Shows the report before the one that is shown, or the one after it.
fn step_version(screen: Screen, last: Memo<Option<RunId>>, by: isize) {
    screen.conversation.with_untracked(|it| {
        let runs = &it.session.runs;
        let shown = screen.version.get_untracked().or(last.get_untracked());
        let Some(at) = runs.iter().position(|run| Some(run.run) == shown) else { return };
        if let Some(next) = at.checked_add_signed(by).and_then(|at| runs.get(at)) {
            screen.compared.set(None);
            screen.version.set(Some(next.run).filter(|run| Some(*run) != last.get_untracked()));
        }
    });
}

/// All that follows the last run. It is made anew when there is another one.
#[component]
fn Followed(screen: Screen) -> impl IntoView {
    let (last, task) = screen.conversation.with_untracked(|it| (it.last.clone(), it.task.clone()));
    let Some(last) = last else {
        let problem = Problem::not_found("The last run of this session was deleted. Load the page again.");
        return view! { <ProblemNotice problem /> }.into_any();
    };
    let live = use_run(last, true);
    let plan = task.map_or(live.view, RwSignal::new);
    let run = live.view.with_untracked(|view| view.summary.run);
    run_feed().follow(move |news| {
        if let RunNews::Stands(told) = news
            && told.run == run
        {
            live.expect(told.seq);
        }
    });
    OldSince::provide(move || live.connection.get().as_of());
    NodeSigns::provide(move |node| plan.with(|view| view.node(node).map(|node| node_sign(node))));
    let state = Memo::new(move |_| live.view.with(state_of));
    Effect::new(move |_| {
        if let Some(state) = state.get() {
            screen.state.set(state);
        }
    });
    view! {
        <Head screen live plan />
        <PaneTabs screen />
        <Conversation screen live />
        <Plan live plan />
        <Reports screen live plan />
    }
    .into_any()
}

/// Where a session stands of which this is the last run.
fn state_of(view: &RunView) -> Option<SessionState> {
    let request = TaskRequest::read(&view.summary.request.workflow)?.ok()?;
    let phase = view.summary.phase.as_deref().and_then(TaskPhase::named);
    Some(SessionState::of(view.summary.status, phase, &request))
}

/// What the session is about, where it stands, what its last run used, and the acts.
#[component]
fn Head(screen: Screen, live: LiveRun, plan: RwSignal<RunView>) -> impl IntoView {
    let (run, title, flow, started) = live.view.with_untracked(|view| {
        let summary = &view.summary;
        (summary.run, summary.title.clone(), summary.request.flow.clone(), summary.created_at)
    });
    let summary = Memo::new(move |_| live.view.with(|view| view.summary.clone()));
    let can_stop = Memo::new(move |_| summary.with(|summary| !summary.status.is_over()));
    let conversation = at(format!("/api/v1/tasks/{flow}/conversation.md"));
    let steps = Memo::new(move |_| plan.with(count_steps));
    let pill = move || {
        let (done, working, _) = steps.get();
        let state = screen.state.get();
        let (icon, tone) = sign_of(state);
        let word = match (state, working) {
            (SessionState::Executing, 1) => "Executing · 1 step at work".to_owned(),
            (SessionState::Executing, working) if working > 1 => format!("Executing · {working} steps at work"),
            (SessionState::Executing, _) => format!("Executing · {done} steps done"),
            _ => state.label().to_owned(),
        };
        let word = OldSince::word(word);
        view! { <span class=format!("pill {}", tone.class())><Icon name=icon /><span>{word}</span></span> }
    };
    let cost = Memo::new(move |_| summary.with(|summary| format::cost(&summary.used())));
    view! {
        <Title text=title.clone() />
        <header class="run-head task-head">
            <div class="run-name">
                <nav class="crumbs" aria-label="Where this is">
                    <a href=at(SESSIONS)>"Tasks"</a>
                    {format!(" › Session {} · started {}", flow, started.clock())}
                </nav>
                <div class="run-title">
                    <h1>{title}</h1>
                    <span aria-live="polite">{pill}</span>
                </div>
            </div>
            <dl class="facts run-facts">
                <div>
                    <dt>"Steps"</dt>
                    <dd>{move || { let (done, _, all) = steps.get(); format!("{done} / {all}") }}</dd>
                </div>
                <div>
                    <dt>"Tokens"</dt>
                    <dd>{move || summary.with(|summary| format::count(summary.used().tokens()))}</dd>
                </div>
                <div class="fact-cost">
                    <dt>"Cost"</dt>
                    <dd>
                        {move || cost.get().known}
                        {move || cost.get().gap.map(|gap| view! { " " <small class="dim">{gap}</small> })}
                    </dd>
                </div>
                <div>
                    <dt>"Connection"</dt>
                    <dd><ConnectionLabel connection=live.connection /></dd>
                </div>
            </dl>
            <div class="run-acts">
                <a class="button" href=at(format!("/runs/{run}"))><Icon name=IconName::Route />"Graph"</a>
                <a class="button" href=conversation rel="external" download=format!("conversation-{flow}.md") title="Take the conversation along as Markdown">
                    <Icon name=IconName::Download />
                    "Conversation"
                </a>
                <StopRun run can_stop noun="task" kept="and a new task can begin from it" />
            </div>
        </header>
    }
}

fn sign_of(state: SessionState) -> (IconName, Tone) {
    match state {
        SessionState::Idle => (IconName::Circle, Tone::Quiet),
        SessionState::Planning | SessionState::Executing | SessionState::Aggregating => {
            (IconName::CircleDot, Tone::Live)
        }
        SessionState::RefinementReady => (IconName::Check, Tone::Done),
        SessionState::Error => (IconName::Cross, Tone::Failed),
    }
}

/// How many steps are done, how many are at work, and how many there are.
fn count_steps(view: &RunView) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for node in view.nodes.iter().filter(|node| node.plan.phase == TaskPhase::Steps.name()) {
        counts.2 += 1;
        match node.status {
            NodeStatus::Running | NodeStatus::Waiting => counts.1 += 1,
            NodeStatus::Succeeded | NodeStatus::Failed | NodeStatus::Skipped => counts.0 += 1,
            NodeStatus::Pending | NodeStatus::Ready => {}
        }
    }
    counts
}

/// Chooses the part that a narrow page shows.
#[component]
fn PaneTabs(screen: Screen) -> impl IntoView {
    let tabs = Pane::ALL.map(|pane| {
        view! {
            <button
                type="button"
                class="tab"
                aria-pressed=move || (screen.pane.get() == pane).to_string()
                on:click=move |_| screen.pane.set(pane)
            >
                {pane.label()}
            </button>
        }
    });
    view! { <div class="tabs task-panes" role="group" aria-label="Parts of the session">{tabs.into_iter().collect_view()}</div> }
}
