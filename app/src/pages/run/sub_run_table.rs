//! The runs that a run has started, side by side: how far each is, what it came to and what it cost. They stand below the
//! phases of the nodes that started them.

use std::{iter, ops::Range};

use leptos::{html, prelude::*};
use protocol::{
    ListedRun, ListedRuns, RunFilter, RunId, RunStatus, RunView, Timestamp, Totals, view::SubRunView,
};

use super::screen::Screen;
use crate::{
    api,
    base::at,
    browser,
    components::{
        icon::{Icon, IconName},
        notice::InlineProblem,
        status::{SignLabel, run_sign},
        table::Empty,
        window::Rows,
    },
    format,
    pages::runs::list::{RunList, use_list},
};

/// The height of a row, in pixels.
const ROW: i32 = 60;
/// Runs that are loaded at once; of older ones only what their parent knows is shown.
const PAGE: u32 = 200;

/// A row: the head of a phase, or a run, by its place among those that were started.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Entry {
    Phase(String),
    Run(usize, RunId),
}

/// The phase of the node that has started a run.
fn phase_of<'v>(view: &'v RunView, run: &SubRunView) -> &'v str {
    run.node.as_ref().and_then(|node| view.node(node)).map_or("", |node| node.plan.phase.as_str())
}

/// The runs that this run has started, by phase, the phases in the order in which they began.
fn entries(view: &RunView) -> Vec<Entry> {
    let mut phases = Vec::<(&str, Vec<Entry>)>::new();
    for (place, run) in view.sub_runs.iter().enumerate() {
        let (phase, entry) = (phase_of(view, run), Entry::Run(place, run.run));
        match phases.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, runs)) => runs.push(entry),
            None => phases.push((phase, vec![entry])),
        }
    }
    let entries =
        phases.into_iter().map(|(phase, runs)| iter::once(Entry::Phase(phase.to_owned())).chain(runs));
    entries.flatten().collect()
}

/// What is known of a run: by the log of the run that started it, and, while the present is shown, by itself.
struct Known<'v> {
    told: &'v SubRunView,
    itself: Option<&'v ListedRun>,
}

impl<'v> Known<'v> {
    /// What a run was at an earlier moment only the log of the run that started it tells.
    fn of(told: &'v SubRunView, list: &'v RunList, is_past: bool) -> Self {
        Self { told, itself: list.get(told.run).filter(|_| !is_past) }
    }

    fn status(&self) -> RunStatus {
        let outcome = self.told.outcome.as_ref().map(|outcome| outcome.status);
        outcome.or(self.itself.map(|run| run.status)).unwrap_or(RunStatus::Running)
    }

    fn used(&self) -> Option<Totals> {
        let outcome = self.told.outcome.as_ref().map(|outcome| outcome.totals.clone());
        outcome.or_else(|| self.itself.map(ListedRun::used))
    }

    fn row(&self) -> Row {
        let outcome = self.told.outcome.as_ref();
        let asked = self.told.asks.first().map(|_| "It asks you.".to_owned());
        let doing = |run: &ListedRun| match run.status {
            RunStatus::Queued => Some("waits for a place".to_owned()),
            status if status.is_over() => run.result.clone(),
            _ => run.phase.clone(),
        };
        let error = outcome.and_then(|outcome| outcome.error.clone());
        Row {
            status: self.status(),
            words: error.or(asked).or_else(|| self.itself.and_then(doing)),
            steps: self.itself.map(|run| (run.nodes_done, run.nodes)),
            started_at: self.told.started_at,
            ended_at: outcome.map(|outcome| outcome.at).or(self.itself.and_then(|run| run.finished_at)),
            used: self.used(),
        }
    }
}

/// What is shown of a run.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    status: RunStatus,
    /// What it does, came to, waits for or failed by.
    words: Option<String>,
    /// Done and planned nodes, as far as the run itself was heard.
    steps: Option<(u32, u32)>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    used: Option<Totals>,
}

impl Row {
    fn time(&self, now: Option<Timestamp>) -> Option<String> {
        match self.ended_at {
            Some(end) => Some(format::duration(end.since(self.started_at))),
            None => now.map(|now| format::stopwatch(now.since(self.started_at))),
        }
    }
}

/// What the runs of a phase come to together.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sum {
    runs: usize,
    over: usize,
    failed: usize,
    used: Totals,
}

impl Sum {
    fn and(mut self, run: &Known<'_>) -> Self {
        let status = run.status();
        self.runs += 1;
        self.over += usize::from(status.is_over());
        self.failed += usize::from(status == RunStatus::Failed);
        if let Some(used) = run.used() {
            self.used.add(&used);
        }
        self
    }

    fn words(&self) -> String {
        let failed = if self.failed == 0 { String::new() } else { format!(" · {} failed", self.failed) };
        format!("{} of {} over{failed}", self.over, self.runs)
    }
}

/// The runs of their own.
#[component]
pub fn SubRunTable(screen: Screen) -> impl IntoView {
    let filter = RunFilter { parent: Some(screen.id), limit: Some(PAGE), ..RunFilter::default() };
    let list = use_list(filter.clone(), ListedRuns::default());
    let load = Action::new(move |filter: &RunFilter| api::listed_runs(filter.clone()));
    Effect::new(move |_| drop(load.dispatch(filter.clone())));
    Effect::new(move |_| {
        if let Some(Ok(page)) = load.value().get() {
            list.try_update(|list| list.extend(page));
        }
    });
    let refused =
        move || load.value().with(|answer| answer.as_ref()?.as_ref().err().map(ToString::to_string));
    let started = Memo::new(move |_| screen.view.with(|view| view.sub_runs.len()));
    let entries = Memo::new(move |_| {
        started.get();
        screen.view.with_untracked(entries)
    });
    let count = Memo::new(move |_| entries.with(Vec::len));
    let frame = NodeRef::<html::Div>::new();
    let rows = Rows::new(frame, ROW, count.into());
    let drawn = move |range: Range<usize>| {
        entries.with(|entries| entries.get(range).map(<[_]>::to_vec).unwrap_or_default())
    };
    view! {
        {move || refused().map(|text| view! { <InlineProblem text /> })}
        <Show when=move || { count.get() == 0 }>
            <Empty title="It has started no other run yet">
                <p>"Runs that it starts stand here, each with how far it is and what it costs."</p>
            </Empty>
        </Show>
        <div class="sub-run-table" node_ref=frame on:scroll=move |_| rows.look() on:keydown=walk>
            <svg class="spacer" width="1" height=move || rows.above() aria-hidden="true"></svg>
            <ul class="sub-run-rows" aria-label="Runs that this run has started">
                <For each=move || drawn(rows.range()) key=Clone::clone let:entry>
                    {match entry {
                        Entry::Phase(phase) => view! { <PhaseRow screen list phase /> }.into_any(),
                        Entry::Run(place, run) => view! { <RunRow screen list place run /> }.into_any(),
                    }}
                </For>
            </ul>
            <svg class="spacer" width="1" height=move || rows.below() aria-hidden="true"></svg>
        </div>
    }
}

/// Arrow keys go from run to run.
fn walk(event: leptos::ev::KeyboardEvent) {
    match event.key().as_str() {
        "ArrowDown" => browser::focus_next(".sub-run-title"),
        "ArrowUp" => browser::focus_previous(".sub-run-title"),
        _ => return,
    }
    event.prevent_default();
}

/// The sums of a phase's runs.
#[component]
fn PhaseRow(screen: Screen, list: RwSignal<RunList>, phase: String) -> impl IntoView {
    let sum = Memo::new({
        let phase = phase.clone();
        move |_| {
            let is_past = screen.travel.is_past();
            screen.view.with(|view| {
                list.with(|list| {
                    let runs = view.sub_runs.iter().filter(|run| phase_of(view, run) == phase);
                    runs.fold(Sum::default(), |sum, told| sum.and(&Known::of(told, list, is_past)))
                })
            })
        }
    });
    view! {
        <li class="sub-run-row sub-run-phase">
            <h3>{phase}</h3>
            <span class="sub-run-words dim">{move || sum.with(Sum::words)}</span>
            <span class="sub-run-time"></span>
            <span class="sub-run-tokens mono">{move || sum.with(|sum| tokens(&sum.used))}</span>
            <span class="sub-run-cost mono">{move || sum.with(|sum| format::cost(&sum.used).known)}</span>
        </li>
    }
}

/// A run.
#[component]
fn RunRow(screen: Screen, list: RwSignal<RunList>, place: usize, run: RunId) -> impl IntoView {
    let told = Memo::new(move |_| screen.view.with(|view| view.sub_runs.get(place).cloned()));
    let row = Memo::new(move |_| {
        let is_past = screen.travel.is_past();
        told.with(|told| list.with(|list| told.as_ref().map(|told| Known::of(told, list, is_past).row())))
    });
    let title = told.with_untracked(|told| told.as_ref().map(|told| told.title.clone()));
    let status =
        Memo::new(move |_| row.with(|row| row.as_ref().map_or(RunStatus::Running, |row| row.status)));
    let steps = Memo::new(move |_| row.with(|row| row.as_ref().and_then(|row| row.steps)));
    let of_row = move |part: fn(&Row) -> Option<String>| move || row.with(|row| row.as_ref().and_then(part));
    let time = move || row.with(|row| row.as_ref().and_then(|row| row.time(screen.now.get())));
    view! {
        <li class="sub-run-row">
            <a class="sub-run-title" href=at(format!("/runs/{run}"))>{title}</a>
            <span class="sub-run-sign">{move || view! { <SignLabel sign=run_sign(status.get()) /> }}</span>
            <span class="sub-run-words">{of_row(|row| row.words.clone())}</span>
            {move || steps.get().filter(|(_, all)| *all > 0).map(|steps| view! { <Steps steps /> })}
            <span class="sub-run-time mono">{time}</span>
            <span class="sub-run-tokens mono">{of_row(|row| row.used.as_ref().map(tokens))}</span>
            <span class="sub-run-cost mono">{of_row(|row| row.used.as_ref().map(|used| format::cost(used).known))}</span>
            <span class="sub-run-open"><Icon name=IconName::Chevron /></span>
        </li>
    }
}

/// How many of a run's nodes are done, as a bar and in words.
#[component]
fn Steps(steps: (u32, u32)) -> impl IntoView {
    let (done, all) = steps;
    view! {
        <span class="sub-run-steps">
            <progress class="thin" max=all.to_string() value=done.to_string() aria-hidden="true"></progress>
            <span class="dim">{format!("{done} of {all} nodes")}</span>
        </span>
    }
}

fn tokens(used: &Totals) -> String {
    match used.tokens() {
        0 => "\u{2013}".to_owned(),
        number => format!("{} tokens", format::short_count(number)),
    }
}
