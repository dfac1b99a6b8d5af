//! A run, live: graph, timeline, transcript and events of one selection, and beside
//! them the inspector.

mod banner;
mod clock;
mod events;
mod events_of;
mod graph;
mod header;
mod inspector;
mod log;
mod screen;
mod timeline;
mod transcript;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use protocol::{Problem, RunId, RunView};

use self::{
    banner::Banners,
    events::EventTable,
    graph::GraphView,
    header::Header,
    inspector::Inspector,
    screen::{Screen, Tab},
    timeline::Timeline,
    transcript::Transcript,
};
use crate::{
    api::{self, ApiError},
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        notice::ProblemNotice,
    },
};

/// The page: the run as the server knows it, and from there on live.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let run = Resource::new(move || id.get(), load);
    view! {
        <Suspense fallback=|| view! { <p class="loading">"Loading the run …"</p> }>
            {move || Suspend::new(async move {
                match run.await {
                    Ok(view) => view! { <RunScreen view /> }.into_any(),
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn load(id: String) -> Result<RunView, ApiError> {
    match id.parse::<RunId>() {
        Ok(id) => api::run(id).await,
        Err(error) => {
            api::set_status(404);
            Err(ApiError(Problem::not_found(error.to_string())))
        }
    }
}

#[component]
fn RunScreen(view: RunView) -> impl IntoView {
    let title = view.summary.title.clone();
    let screen = Screen::open(view);
    on_page_key(move |event| {
        let tab = match event.key().as_str() {
            "g" => Tab::Graph,
            "t" => Tab::Timeline,
            "l" => Tab::Transcript,
            "e" => Tab::Events,
            "j" => return screen.step(1),
            "k" => return screen.step(-1),
            "Escape" => return screen.select(None),
            _ => return,
        };
        screen.show(tab);
    });
    view! {
        <Title text=title />
        <div class="run-page">
            <Header screen />
            <Banners screen />
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
                            Tab::Timeline => view! { <Timeline screen /> }.into_any(),
                            Tab::Transcript => view! { <Transcript screen /> }.into_any(),
                            Tab::Events => view! { <EventTable screen /> }.into_any(),
                        }}
                    </div>
                </section>
                <Inspector screen />
            </div>
        </div>
    }
}

#[component]
fn Tabs(screen: Screen) -> impl IntoView {
    let count = move || screen.live.view.with(RunView::seq);
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
                {(tab == Tab::Events).then(|| view! { <span class="tab-count">{count}</span> })}
            </button>
        }
    };
    let step = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => Tab::ALL.len() - 1,
            _ => return,
        };
        event.prevent_default();
        let at = Tab::ALL.iter().position(|tab| *tab == screen.tab_untracked()).unwrap_or(0);
        let next = Tab::ALL[(at + step) % Tab::ALL.len()];
        screen.show(next);
        screen::focus(&format!("tab-{}", next.id()));
    };
    view! {
        <div class="run-tabs tabs" role="tablist" aria-label="Views" on:keydown=step>
            {tab(Tab::Graph, IconName::Route)}
            {tab(Tab::Timeline, IconName::Timeline)}
            {tab(Tab::Transcript, IconName::Document)}
            {tab(Tab::Events, IconName::List)}
        </div>
    }
}
