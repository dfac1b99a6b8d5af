//! Cards of runs: those that wait for a person, those at work, those that ended.

use leptos::prelude::*;
use protocol::{Awaited, ListedRun, RunId, RunStatus, Timestamp};

use crate::{
    base::at,
    components::{
        status::{SignLabel, run_sign},
        table::Empty,
    },
    format,
    live::OldSince,
    pages::runs::{
        Outcome,
        elapsed::{elapsed, use_clock},
        list::RunList,
    },
};

/// Results that are listed.
const RESULTS: usize = 8;

/// The ids of the runs that `wanted` chooses, newest first.
fn chosen(list: RwSignal<RunList>, wanted: fn(&ListedRun) -> bool, most: usize) -> Memo<Vec<RunId>> {
    Memo::new(move |_| {
        list.with(|list| {
            list.newest_first().filter(|run| wanted(run)).map(|run| run.run).take(most).collect()
        })
    })
}

fn summary_of(list: RwSignal<RunList>, run: RunId) -> Memo<Option<ListedRun>> {
    Memo::new(move |_| list.with(|list| list.get(run).cloned()))
}

/// A queued run's place among those that are queued; they are served in the order of their ids.
fn place_of(list: RwSignal<RunList>, run: RunId) -> Memo<Option<usize>> {
    Memo::new(move |_| {
        list.with(|list| {
            let is_queued = |run: &&ListedRun| run.status == RunStatus::Queued;
            list.get(run).filter(is_queued)?;
            Some(list.newest_first().filter(is_queued).filter(|other| other.run <= run).count())
        })
    })
}

/// Runs that wait for an answer.
#[component]
pub fn WaitingCards(list: RwSignal<RunList>) -> impl IntoView {
    let ids = chosen(list, |run| run.status == RunStatus::Waiting, usize::MAX);
    let clock = use_clock();
    view! {
        <section class="card needs-you" class:has-some=move || !ids.with(Vec::is_empty) aria-labelledby="waiting-heading">
            <header class="card-head">
                <h2 id="waiting-heading">"Needs you"</h2>
                <Count ids />
            </header>
            <Show when=move || ids.with(Vec::is_empty)>
                <p class="quiet">"Nothing waits for you. A run that asks for an answer or an approval stands here."</p>
            </Show>
            <ul class="run-cards" role="list">
                <For each=move || ids.get() key=|run| *run let:run>
                    <RunCard run=summary_of(list, run) place=None clock />
                </For>
            </ul>
        </section>
    }
}

/// Runs at work.
#[component]
pub fn RunningCards(list: RwSignal<RunList>) -> impl IntoView {
    let at_work = |run: &ListedRun| matches!(run.status, RunStatus::Running | RunStatus::Queued);
    let ids = chosen(list, at_work, usize::MAX);
    let clock = use_clock();
    let (is_old, old_heading) = (OldSince::is_old(), OldSince::word("Running".to_owned()));
    view! {
        <section class="card" aria-labelledby="running-heading">
            <header class="card-head">
                <h2 id="running-heading">{move || if is_old() { old_heading() } else { "Running now".to_owned() }}</h2>
                <Count ids />
            </header>
            <Show when=move || ids.with(Vec::is_empty)>
                <Empty title="Nothing runs">
                    <p>"Each run at work stands here with its phase, its progress and what it costs so far."</p>
                    <p><a class="button primary" href=at("/start")>"Start a run"</a></p>
                </Empty>
            </Show>
            <ul class="run-cards" role="list">
                <For each=move || ids.get() key=|run| *run let:run>
                    <RunCard run=summary_of(list, run) place=place_of(list, run) clock />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Count(ids: Memo<Vec<RunId>>) -> impl IntoView {
    let count = move || ids.with(Vec::len);
    view! { <span class="dim digits">{move || (count() > 0).then(count)}</span> }
}

#[component]
fn RunCard(
    run: Memo<Option<ListedRun>>,
    /// Its place among the queued runs.
    #[prop(into)]
    place: Signal<Option<usize>>,
    clock: ReadSignal<Option<Timestamp>>,
) -> impl IntoView {
    move || {
        run.get().map(|run| {
            let cost = format::cost(&run.used());
            let phase = run.phase.clone().unwrap_or_else(|| "waiting to begin".into());
            let class = if run.awaited.is_empty() { "run-card" } else { "run-card waits" };
            let place = place.get().map(|place| view! { <span>{format!(" · {}", format::place(place))}</span> });
            let asks = run.awaited.iter().map(|awaited| view! { <Ask awaited=awaited.clone() clock /> }).collect_view();
            let progress = format!("{} of {} nodes", run.nodes_done, run.nodes);
            let tokens = format::short_count(run.used().tokens());
            view! {
                <li class=class>
                    <div class="run-card-head">
                        <a class="row-link" href=at(format!("/runs/{}", run.run))>{run.title.clone()}</a>
                        <SignLabel sign=run_sign(run.status) />
                    </div>
                    <p class="dim">{phase}{place}</p>
                    {asks}
                    <progress class="thin" max=run.nodes.max(1) value=run.nodes_done aria-label=format!("Progress: {progress}")></progress>
                    <dl class="run-figures">
                        <div><dt>"Nodes"</dt><dd>{format!("{} / {}", run.nodes_done, run.nodes)}</dd></div>
                        <div><dt>"Elapsed"</dt><dd>{move || elapsed(&run, clock)}</dd></div>
                        <div><dt>"Tokens"</dt><dd>{tokens}</dd></div>
                        <div><dt>"Cost"</dt><dd title=cost.gap>{cost.known}</dd></div>
                    </dl>
                </li>
            }
        })
    }
}

/// What a run waits for: the question, and until when.
#[component]
fn Ask(awaited: Awaited, clock: ReadSignal<Option<Timestamp>>) -> impl IntoView {
    let Awaited { prompt, deadline, .. } = awaited;
    view! {
        <div class="awaited">
            <p>{prompt}</p>
            {deadline.map(|deadline| view! { <p class="dim digits">{move || format::time_left(deadline, clock.get())}</p> })}
        </div>
    }
}

/// The runs that ended last.
#[component]
pub fn RecentResults(list: RwSignal<RunList>) -> impl IntoView {
    let ids = chosen(list, |run| run.status.is_over(), RESULTS);
    view! {
        <section class="card" aria-labelledby="results-heading">
            <header class="card-head">
                <h2 id="results-heading">"Recent results"</h2>
                <a href=at("/runs")>"All runs"</a>
            </header>
            <Show when=move || ids.with(Vec::is_empty)>
                <Empty title="No results yet">
                    <p>"What a run comes to stands here when it is done."</p>
                </Empty>
            </Show>
            <ul class="results" role="list">
                <For each=move || ids.get() key=|run| *run let:run>
                    <Result run=summary_of(list, run) />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Result(run: Memo<Option<ListedRun>>) -> impl IntoView {
    move || {
        run.get().map(|run| {
            let ended = run.finished_at.unwrap_or(run.created_at);
            view! {
                <li class="result-row">
                    <SignLabel sign=run_sign(run.status) />
                    <a class="row-link" href=at(format!("/runs/{}", run.run))>{run.title.clone()}</a>
                    <Outcome run=run />
                    <time class="dim digits" datetime=ended.to_string()>{format::moment(ended)} " UTC"</time>
                </li>
            }
        })
    }
}
