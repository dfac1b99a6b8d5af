//! The history of runs: searched, filtered, live.

pub mod address;
pub mod elapsed;
pub mod list;

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use protocol::{ListedKind, ListedRun, ListedRuns, RunFilter, RunId, Timestamp};

use self::{
    address::{BELOW, STATUSES, address_of, filter_of, value, word},
    elapsed::{elapsed, use_clock},
    list::{RunList, use_list},
};
use crate::{
    api,
    base::at,
    components::{
        choice::choice,
        delete_run::DeleteDialog,
        icon::{Icon, IconName},
        import::{Exported, ImportButton, Importer},
        notice::{FormError, ProblemNotice},
        paper::PaperNote,
        status::{SignLabel, run_sign},
        table::{Cell, DataTable, Empty},
    },
    format,
    live::{ConnectionLabel, RunNews, run_feed},
};

/// The page.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(filter_of));
    let page = Resource::new(move || filter.get(), api::listed_runs);
    let kinds = Resource::new(|| (), |()| api::listed_kinds());
    let chosen = Chosen::default();
    let problem = RwSignal::new(None::<String>);
    let importer = Importer::new(problem, Some(Exported::Run));

    view! {
        <Title text="Runs" />
        <div class="page runs-page" class:dropping=importer.is_over on:dragover=move |event| importer.drag_over(&event) on:dragleave=move |event| importer.drag_leave(&event) on:drop=move |event| importer.drop(&event)>
            <header class="page-head">
                <h1>"Runs"</h1>
                <ConnectionLabel connection=run_feed().connection() />
                <div class="page-acts">
                    <CompareLink chosen />
                    <ImportButton importer label="File of a run" accept=".jsonl,application/x-ndjson" title="Take in a run that was exported as JSON Lines; it can be dropped here as well">"Import"</ImportButton>
                </div>
            </header>
            <FormError text=problem />
            <Suspense>
                {move || Suspend::new(async move {
                    // Without their names the kinds cannot be chosen; the runs are listed all the same.
                    view! { <Filters filter kinds=kinds.await.unwrap_or_default() /> }
                })}
            </Suspense>
            <Transition fallback=|| view! { <p class="loading">"Loading the runs …"</p> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(page) => view! { <History filter=filter.get_untracked() page chosen /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// The runs that are to be compared, at most two: a third takes the place of the first.
#[derive(Clone, Copy, Default)]
pub struct Chosen(RwSignal<Vec<RunId>>);

impl Chosen {
    fn has(self, run: RunId) -> bool {
        self.0.with(|chosen| chosen.contains(&run))
    }

    /// Chooses a run, or lets it go.
    pub fn choose(self, run: RunId, on: bool) {
        self.0.update(|chosen| {
            chosen.retain(|other| *other != run);
            if on {
                chosen.push(run);
                let surplus = chosen.len().saturating_sub(2);
                chosen.drain(..surplus);
            }
        });
    }
}

/// Chooses a run to be compared.
#[component]
pub fn ChooseBox(
    /// The run.
    run: RunId,
    /// What people call it.
    title: String,
    /// Those that are chosen.
    chosen: Chosen,
) -> impl IntoView {
    view! {
        <label class="row-choice" title="Choose to compare">
            <input
                type="checkbox"
                aria-label=format!("Choose {title} to compare")
                prop:checked=move || chosen.has(run)
                on:change=move |event| chosen.choose(run, event_target_checked(&event))
            />
        </label>
    }
}

/// Says how many runs are missing for a comparison, and leads to it.
#[component]
pub fn CompareLink(
    /// Those that are chosen.
    chosen: Chosen,
) -> impl IntoView {
    move || {
        match chosen.0.get().as_slice() {
        [] => ().into_any(),
        [left, right, ..] => view! {
            <a class="button primary" href=at(format!("/compare?left={left}&right={right}"))>"Compare the two"</a>
        }
        .into_any(),
        [_] => {
            view! { <span class="dim" aria-live="polite">"Choose one more run to compare"</span> }.into_any()
        }
    }
    }
}

/// Search box and filters. They stand in the address, so that a view can be kept and shared.
#[component]
fn Filters(filter: Memo<RunFilter>, kinds: Vec<ListedKind>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |(filter, replace): (RunFilter, bool)| {
        let options = NavigateOptions { replace, scroll: false, ..Default::default() };
        navigate(&address_of(&filter), options);
    });
    let with = move |change: &dyn Fn(&mut RunFilter)| {
        let mut next = filter.get_untracked();
        change(&mut next);
        next
    };
    let apply = Callback::new(move |search: String| {
        go.run((with(&|filter| filter.search.clone_from(&search)), true));
    });
    view! {
        // A plain form, so that the search works before the page is taken over.
        <form class="filters" role="search" aria-label="Runs" method="get" action=at("/runs") on:submit=|event| event.prevent_default()>
            <SearchField asked=Memo::new(move |_| filter.with(|filter| filter.search.clone())) apply />
            <FilterSelect
                label="Status"
                name="status"
                options=STATUSES.iter().map(|(status, word)| ((*word).to_owned(), status.label().to_owned())).collect()
                chosen=Signal::derive(move || word(filter.get().status, &STATUSES).to_owned())
                choose=move |chosen: String| go.run((with(&|filter| filter.status = value(&chosen, &STATUSES)), false))
            />
            <FilterSelect
                label="Type"
                name="kind"
                options=kinds.into_iter().map(|spec| (spec.kind.to_string(), spec.label)).collect()
                chosen=Signal::derive(move || filter.get().kind.map(String::from).unwrap_or_default())
                choose=move |chosen: String| go.run((with(&|filter| filter.kind = chosen.parse().ok()), false))
            />
            <label class="filter-check">
                <input
                    type="checkbox"
                    name="below"
                    value=BELOW
                    checked=!filter.get_untracked().top
                    prop:checked=move || !filter.get().top
                    on:change=move |event| go.run((with(&|filter| filter.top = !event_target_checked(&event)), false))
                />
                <span>"Also runs that others have started"</span>
            </label>
            {move || filter.get().flow.map(|flow| {
                let without = address_of(&RunFilter { flow: None, ..filter.get() });
                view! {
                    <p class="flow-filter">
                        "Flow " <code>{flow.to_string()}</code>
                        <a class="quiet-button" href=at(without)>"All flows"</a>
                    </p>
                }
            })}
            {move || filter.get().document.map(|document| {
                let without = address_of(&RunFilter { document: None, ..filter.get() });
                view! {
                    <p class="flow-filter">
                        "Made from " <a href=at(format!("/documents/{document}"))>"one document"</a>
                        <a class="quiet-button" href=at(without)>"All runs"</a>
                    </p>
                }
            })}
        </form>
    }
}

/// The words to search for. They are applied when typing pauses; an address that asks for other
/// words, such as that of the page before, replaces them.
#[component]
fn SearchField(asked: Memo<String>, apply: Callback<String>) -> impl IntoView {
    let typed = RwSignal::new(asked.get_untracked());
    let pause = StoredValue::new(None::<TimeoutHandle>);
    let clear_pause = move || {
        if let Some(earlier) = pause.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
    };
    on_cleanup(clear_pause);
    let search = move |event| {
        let search: String = event_target_value(&event);
        typed.set(search.clone());
        clear_pause();
        let finish = move || {
            pause.set_value(None);
            apply.run(search.clone());
        };
        pause.set_value(set_timeout_with_handle(finish, Duration::from_millis(250)).ok());
    };
    Effect::new(move || {
        let asked = asked.get();
        let is_typing = pause.with_value(Option::is_some);
        if !is_typing && typed.with_untracked(|typed| typed.trim() != asked) {
            typed.set(asked);
        }
    });
    view! {
        <label class="filter">
            <span>"Search"</span>
            <input
                class="input"
                type="search"
                name="q"
                placeholder="Ticker, portfolio or day"
                value=asked.get_untracked()
                prop:value=typed
                on:input=search
            />
        </label>
    }
}

#[component]
fn FilterSelect(
    label: &'static str,
    name: &'static str,
    options: Vec<(String, String)>,
    chosen: Signal<String>,
    #[prop(into)] choose: Callback<String>,
) -> impl IntoView {
    view! {
        <label class="filter">
            <span>{label}</span>
            <select class="input" name=name on:change=move |event| choose.run(event_target_value(&event))>
                {choice("", "All", move || chosen.with(String::is_empty))}
                {options.into_iter().map(|(word, shown)| {
                    let own = StoredValue::new(word.clone());
                    choice(word, shown, move || own.with_value(|own| chosen.with(|chosen| chosen == own)))
                }).collect_view()}
            </select>
        </label>
    }
}

#[component]
fn History(filter: RunFilter, page: ListedRuns, chosen: Chosen) -> impl IntoView {
    let is_filtered = address_of(&filter) != "/runs";
    let list = use_list(filter, page);
    let ids = Memo::new(move |_| list.with(RunList::ids));
    let deleting = RwSignal::new(None);
    let removed = move |run| {
        list.try_update(|list| list.take(RunNews::Removed(run)));
        chosen.choose(run, false);
    };
    let clock = use_clock();
    let none = Memo::new(move |_| list.with(RunList::is_empty));
    view! {
        {move || match (none.get(), is_filtered) {
            (true, true) => view! { <NoMatch /> }.into_any(),
            (true, false) => view! { <NoRuns /> }.into_any(),
            (false, _) => view! {
                <div class="card table-card">
                    <DataTable
                        caption="Runs, newest first"
                        columns=vec!["Status", "Run", "Result", "Flow", "#Duration", "#Tokens", "#Cost", "Created (UTC)"]
                    >
                        <For each=move || ids.get() key=|run| *run let:run>
                            <RunRow run list clock chosen deleting />
                        </For>
                    </DataTable>
                </div>
            }.into_any(),
        }}
        <LoadMore list />
        <DeleteDialog asked=deleting on_deleted=removed />
    }
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <Empty title="No run matches">
            <p>"No run has this state, type and these words in its title."</p>
            <p><a class="button" href=at("/runs")>"Show all runs"</a></p>
        </Empty>
    }
}

#[component]
fn NoRuns() -> impl IntoView {
    view! {
        <Empty title="There is no run yet">
            <p>"Every run will stand here with its result, what it used and its whole log."</p>
            <p><a class="button primary" href=at("/start")>"Start a run"</a></p>
        </Empty>
    }
}

#[component]
fn RunRow(
    run: RunId,
    list: RwSignal<RunList>,
    clock: ReadSignal<Option<Timestamp>>,
    chosen: Chosen,
    deleting: RwSignal<Option<(RunId, String)>>,
) -> impl IntoView {
    let summary = Memo::new(move |_| list.with(|list| list.get(run).cloned()));
    move || summary.get().map(|summary| view! { <Row run=summary clock chosen deleting /> })
}

#[component]
fn Row(
    run: ListedRun,
    clock: ReadSignal<Option<Timestamp>>,
    chosen: Chosen,
    deleting: RwSignal<Option<(RunId, String)>>,
) -> impl IntoView {
    let cost = format::cost(&run.used());
    let flow = run.flow().to_string();
    let short_flow: String = flow.chars().take(8).collect();
    let ListedRun { run: id, title, status, totals, created_at, .. } = run.clone();
    let (outcome, name) = (run.clone(), title.clone());
    let is_imported = run.imported_from.is_some();
    let ask = {
        let title = title.clone();
        move |_| deleting.set(Some((id, title.clone())))
    };
    let delete = status.is_over().then(|| {
        view! {
            <button type="button" class="icon-button above-row row-delete" aria-label=format!("Delete {title}") title="Delete" on:click=ask>
                <Icon name=IconName::Trash />
            </button>
        }
    });
    view! {
        <tr role="row" class="run-row">
            <Cell label="Status">
                <span class="row-state">
                    <ChooseBox run=id title=name chosen />
                    <SignLabel sign=run_sign(status) />
                </span>
            </Cell>
            <Cell label="Run">
                <a class="row-link" href=at(format!("/runs/{id}"))>{title}</a>
                {is_imported.then(|| view! { <small class="reason">"imported"</small> })}
            </Cell>
            <Cell label="Result"><Outcome run=outcome /></Cell>
            <Cell label="Flow">
                <a class="mono above-row" href=at(format!("/runs?flow={flow}")) title=format!("All runs of flow {flow}")>{short_flow}</a>
            </Cell>
            <Cell label="Duration" numeric=true>{move || elapsed(&run, clock)}</Cell>
            <Cell label="Tokens" numeric=true>{format::count(totals.tokens())}</Cell>
            <Cell label="Cost" numeric=true>
                {cost.known}
                {cost.gap.map(|gap| view! { <small class="reason">{gap}</small> })}
            </Cell>
            <Cell label="Created (UTC)">
                <span class="row-end">
                    <time datetime=created_at.to_string()>{format::moment(created_at)}</time>
                    {delete}
                </span>
            </Cell>
        </tr>
    }
}

/// The result, the error, or where the run is now.
#[component]
pub fn Outcome(
    /// The run.
    run: ListedRun,
) -> impl IntoView {
    if let Some(why) = run.unreadable {
        return view! { <span class="result fault" title=why>{why.clone()}</span> };
    }
    let (class, words) = match (run.result, run.error, run.phase) {
        (Some(result), None, _) => ("result", result),
        (Some(result), Some(error), _) => ("result", format!("{result} – {error}")),
        (None, Some(error), _) => ("result fault", error),
        (None, None, Some(phase)) => ("result dim", phase),
        (None, None, None) => ("result dim", "–".to_owned()),
    };
    view! { <span class=class title=words>{words.clone()}</span> }
}

/// Loads the next page, where there are older runs.
#[component]
pub fn LoadMore(
    /// The runs so far.
    list: RwSignal<RunList>,
) -> impl IntoView {
    let load = Action::new(move |filter: &RunFilter| api::listed_runs(filter.clone()));
    Effect::new(move || {
        if let Some(Ok(page)) = load.value().get() {
            list.try_update(|list| list.extend(page));
        }
    });
    let failed = move || load.value().with(|answer| answer.as_ref()?.as_ref().err().map(ToString::to_string));
    let more = Memo::new(move |_| list.with(RunList::has_more));
    let next = move |_| {
        if !load.pending().get_untracked() {
            load.dispatch(list.with_untracked(RunList::next_page));
        }
    };
    view! {
        <Show when=move || more.get()>
            <PaperNote text="Older runs are not on this paper: load them before it is printed.".to_owned() />
            <p class="load-more">
                <button type="button" class="button" on:click=next aria-disabled=move || load.pending().get().then_some("true")>
                    {move || if load.pending().get() { "Loading …" } else { "Load older runs" }}
                </button>
                {move || failed().map(|error| view! { <span class="fault" role="alert">{error}</span> })}
            </p>
        </Show>
    }
}
