//! A run, live: graph, timeline, transcript and events of one selection, and beside
//! them the inspector.

mod acts;
mod asks;
mod banner;
mod beside;
mod chat;
mod clock;
mod events;
mod events_of;
mod fork;
mod graph;
mod header;
mod inspector;
mod lineage;
mod log;
mod place;
mod screen;
mod share;
mod state_editor;
mod sub_run_table;
mod sub_runs;
mod time_bar;
mod timeline;
mod transcript;
mod travel;
mod unreadable;
mod whole;

pub use self::travel::Shown;

pub(crate) use self::transcript::{InFlight, kept};

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use protocol::{KindSpec, Problem, RunFilter, RunId, RunSummary, RunView};
use serde::{Deserialize, Serialize};

use self::{
    asks::OpenAsks,
    banner::Banners,
    chat::Chat,
    events::EventTable,
    fork::ForkDialog,
    graph::GraphView,
    header::Header,
    inspector::Inspector,
    screen::{Screen, Tab},
    sub_run_table::SubRunTable,
    time_bar::TimeBar,
    timeline::Timeline,
    transcript::Transcript,
    unreadable::UnreadableRun,
    whole::{Growing, Whole},
};
use crate::{
    api::{self, ApiError},
    browser,
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        notice::ProblemNotice,
    },
    live::{OldSince, RunNews, run_feed},
};

/// The page: the run as the server knows it, and from there on live.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let query = use_query_map();
    // The moment of the address is asked for once; from then on the page has all that it needs.
    let asked = move || {
        query.with_untracked(|query| {
            let at = query.get("at").and_then(|at| at.parse().ok());
            let looks_closer = query.get("node").is_some() || query.get("view").is_some();
            (at, looks_closer)
        })
    };
    let run =
        Resource::new(move || (id.get(), asked()), |(id, (at, looks_closer))| load(id, at, looks_closer));
    view! {
        <Suspense fallback=|| view! { <p class="loading">"Loading the run …"</p> }>
            {move || Suspend::new(async move {
                match run.await {
                    Ok(Loaded::Run(data)) => view! { <RunScreen data=*data /> }.into_any(),
                    Ok(Loaded::Unreadable(summary)) => view! { <UnreadableRun summary=*summary /> }.into_any(),
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// What there is to be shown of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Loaded {
    /// All of it.
    Run(Box<PageData>),
    /// Only how it stands: its log cannot be read.
    Unreadable(Box<RunSummary>),
}

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    view: RunView,
    /// Whether the view is all of the run, and not its outline alone.
    is_whole: bool,
    /// The outline of the run at the moment that the address asks for.
    past: Option<RunView>,
    /// The runs that continue this one.
    continuations: Vec<RunSummary>,
    /// What its kind's family says of it; `None`: this version does not know the kind.
    spec: Option<KindSpec>,
}

/// A run of so many events comes with the page as a whole, where the address asks for more than its outline.
const SMALL: u64 = 2_000;

async fn load(id: String, at: Option<u64>, looks_closer: bool) -> Result<Loaded, ApiError> {
    let id = id.parse::<RunId>().map_err(|error| {
        api::set_status(404);
        ApiError(Problem::not_found(error.to_string()))
    })?;
    let summary = api::run_summary(id).await?;
    if summary.unreadable.is_some() {
        return Ok(Loaded::Unreadable(Box::new(summary)));
    }
    let is_whole = looks_closer && summary.seq <= SMALL;
    let view = if is_whole { api::run(id).await? } else { api::run_outline(id, None).await? };
    let past = match at {
        Some(at) => Some(api::run_outline(id, Some(at)).await?),
        None => None,
    };
    let filter = RunFilter { origin: Some(id), ..RunFilter::default() };
    let continuations = api::runs(filter).await?.runs;
    let spec =
        api::kinds().await?.into_iter().find(|spec| spec.kind == *view.summary.request.workflow.kind());
    Ok(Loaded::Run(Box::new(PageData { view, is_whole, past, continuations, spec })))
}

#[component]
fn RunScreen(data: PageData) -> impl IntoView {
    let PageData { view, is_whole, past, continuations, spec } = data;
    let title = view.summary.title.clone();
    let screen = Screen::open(view, is_whole, past, spec);
    run_feed().follow(move |news| match news {
        RunNews::Stands(summary) if summary.run == screen.id => screen.live.expect(summary.seq),
        RunNews::Removed(run) if run == screen.id => drop(screen.deleted.try_set(true)),
        _ => {}
    });
    on_page_key(move |event| {
        let tab = match event.key().as_str() {
            "g" => Tab::Graph,
            "r" => Tab::Runs,
            "t" => Tab::Timeline,
            "l" => Tab::Transcript,
            "e" => Tab::Events,
            "c" => Tab::Chat,
            "a" => {
                // The letter is not typed into the field that it leads to.
                event.prevent_default();
                return asks::answer_first(screen);
            }
            "j" if screen.tab_untracked() == Tab::Chat => return chat::step(1),
            "k" if screen.tab_untracked() == Tab::Chat => return chat::step(-1),
            "j" => return screen.step(1),
            "k" => return screen.step(-1),
            "Escape" => return screen.select(None),
            _ => return,
        };
        screen.show(tab);
    });
    view! {
        <Title text=title />
        <div class="run-page" class:is-old=OldSince::is_old()>
            <Header screen />
            <Banners screen />
            <OpenAsks screen />
            <div class="run-body">
                <section class="run-main" aria-label="Run">
                    <Tabs screen />
                    <div
                        class="run-view"
                        id="run-view"
                        role="tabpanel"
                        aria-labelledby=move || format!("tab-{}", screen.tab().id())
                    >
                        {move || match screen.tab() {
                            Tab::Graph => view! { <GraphView screen /> }.into_any(),
                            Tab::Runs => view! { <Growing screen view=|screen| view! { <SubRunTable screen /> }.into_any() /> }.into_any(),
                            Tab::Timeline => view! { <Growing screen view=|screen| view! { <Timeline screen /> }.into_any() /> }.into_any(),
                            Tab::Transcript => view! { <Growing screen view=|screen| view! { <Transcript screen /> }.into_any() /> }.into_any(),
                            Tab::Events => view! { <EventTable screen /> }.into_any(),
                            Tab::Chat => view! { <Whole screen><Chat screen /></Whole> }.into_any(),
                        }}
                    </div>
                </section>
                <Inspector screen continuations />
            </div>
            <TimeBar screen />
            <ForkDialog screen />
        </div>
    }
}

#[component]
fn Tabs(screen: Screen) -> impl IntoView {
    let events = move || screen.view.with(RunView::seq);
    // An outline has none of those that have ended.
    let runs = move || screen.is_whole().then(|| screen.view.with(|view| view.sub_runs.len()));
    let has_runs = Memo::new(move |_| {
        screen.view.with(|view| !view.sub_runs.is_empty() || !view.summary.below.is_nothing())
    });
    // Most runs start no other.
    let is_shown = move |tab: Tab| tab != Tab::Runs || has_runs.get() || screen.tab() == Tab::Runs;
    let tab = move |tab: Tab, icon: IconName| {
        view! {
            <button
                type="button"
                class="tab"
                role="tab"
                id=format!("tab-{}", tab.id())
                aria-controls="run-view"
                aria-selected=move || (screen.tab() == tab).to_string()
                tabindex=move || if screen.tab() == tab { "0" } else { "-1" }
                on:click=move |_| screen.show(tab)
            >
                <Icon name=icon />
                <span class="tab-word" data-word=tab.label()>
                    {tab.label()}
                </span>
                {(tab == Tab::Events).then(|| view! { <span class="tab-count">{events}</span> })}
                {(tab == Tab::Runs).then(|| view! { <span class="tab-count">{runs}</span> })}
            </button>
        }
    };
    let step = move |event: leptos::ev::KeyboardEvent| {
        let tabs: Vec<Tab> = untrack(|| Tab::ALL.into_iter().filter(|tab| is_shown(*tab)).collect());
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => tabs.len() - 1,
            _ => return,
        };
        event.prevent_default();
        let at = tabs.iter().position(|tab| *tab == screen.tab_untracked()).unwrap_or(0);
        let Some(next) = tabs.get((at + step) % tabs.len()).copied() else { return };
        screen.show(next);
        browser::focus_id(&format!("tab-{}", next.id()));
    };
    view! {
        <div class="run-tabs tabs" role="tablist" aria-label="Views" on:keydown=step>
            {tab(Tab::Graph, IconName::Route)}
            {move || is_shown(Tab::Runs).then(|| tab(Tab::Runs, IconName::Group))}
            {tab(Tab::Timeline, IconName::Timeline)}
            {tab(Tab::Transcript, IconName::Document)}
            {tab(Tab::Events, IconName::List)}
            {tab(Tab::Chat, IconName::Chat)}
        </div>
    }
}
