//! The runs that a run has started, side by side: how far each is, what it came to and what it cost. They stand below the
//! phases of the nodes that started them.

use std::{ops::Range, sync::Arc};

use leptos::{html, prelude::*};
use protocol::{
    Decimal, ListedRun, ListedRuns, RunFilter, RunId, RunStatus, RunView, Timestamp, Totals, view::SubRunView,
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

/// The runs that this run has started, by the phase of the node that started each.
fn entries(view: &RunView) -> Vec<Entry> {
    let phase_of = |run: &SubRunView| {
        run.node.as_ref().and_then(|node| view.node(node)).map_or("", |node| node.plan.phase.as_str())
    };
    // In the order in which they began.
    let mut phases = Vec::<&str>::new();
    for run in &view.sub_runs {
        let phase = phase_of(run);
        if !phases.contains(&phase) {
            phases.push(phase);
        }
    }
    let mut entries = Vec::new();
    for phase in phases {
        let runs = view.sub_runs.iter().enumerate().filter(|(_, run)| phase_of(run) == phase);
        let mut runs = runs.map(|(place, run)| Entry::Run(place, run.run)).peekable();
        if runs.peek().is_some() {
            entries.push(Entry::Phase(phase.to_owned()));
            entries.extend(runs);
        }
    }
    entries
}

/// What is known of a run: by its parent's log, and, while the present is shown, by itself.
#[derive(Clone, Debug, PartialEq)]
struct Lane {
    title: String,
    status: RunStatus,
    /// What it does, came to, waits for or failed by.
    words: Option<String>,
    /// Done and planned nodes, as far as the run itself was heard.
    steps: Option<(u32, u32)>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    totals: Option<Totals>,
}

impl Lane {
    fn of(told: &SubRunView, own: Option<&ListedRun>) -> Self {
        let outcome = told.outcome.as_ref();
        let status = match (outcome, own) {
            (Some(outcome), _) => outcome.status,
            (None, Some(own)) => own.status,
            (None, None) => RunStatus::Running,
        };
        let asked = told.asks.first().map(|_| "It asks you.".to_owned());
        let doing = |own: &ListedRun| match own.status {
            RunStatus::Queued => Some("waits for a place".to_owned()),
            status if status.is_over() => own.result.clone(),
            _ => own.phase.clone(),
        };
        Self {
            title: told.title.clone(),
            status,
            words: outcome
                .and_then(|outcome| outcome.error.clone())
                .or(asked)
                .or_else(|| own.and_then(doing)),
            steps: own.map(|own| (own.nodes_done, own.nodes)),
            started_at: told.started_at,
            ended_at: outcome.map(|outcome| outcome.at).or(own.and_then(|own| own.finished_at)),
            totals: outcome.map(|outcome| outcome.totals.clone()).or(own.map(ListedRun::used)),
        }
    }

    fn time(&self, now: Option<Timestamp>) -> Option<String> {
        match self.ended_at {
            Some(end) => Some(format::duration(end.since(self.started_at))),
            None => now.map(|now| format::stopwatch(now.since(self.started_at))),
        }
    }
}

/// The runs of their own.
#[component]
pub fn Lanes(screen: Screen) -> impl IntoView {
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
        <div class="lanes" node_ref=frame on:scroll=move |_| rows.look() on:keydown=walk>
            <svg class="spacer" width="1" height=move || rows.above() aria-hidden="true"></svg>
            <ul class="lane-rows" aria-label="Runs that this run has started">
                <For each=move || drawn(rows.range()) key=Clone::clone let:entry>
                    {match entry {
                        Entry::Phase(phase) => view! { <PhaseRow screen list phase /> }.into_any(),
                        Entry::Run(place, run) => view! { <LaneRow screen list place run /> }.into_any(),
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
        "ArrowDown" => browser::focus_next(".lane-name"),
        "ArrowUp" => browser::focus_previous(".lane-name"),
        _ => return,
    }
    event.prevent_default();
}

fn lane_of(screen: Screen, list: RwSignal<RunList>, told: &SubRunView) -> Lane {
    // What a run was at an earlier moment of its parent, only the parent's log tells.
    match screen.travel.is_past() {
        true => Lane::of(told, None),
        false => list.with(|list| Lane::of(told, list.get(told.run))),
    }
}

/// The sums of a phase's runs.
#[component]
fn PhaseRow(screen: Screen, list: RwSignal<RunList>, phase: String) -> impl IntoView {
    let lanes = Memo::new({
        let phase = phase.clone();
        move |_| {
            let is_of = |view: &RunView, run: &SubRunView| {
                run.node
                    .as_ref()
                    .and_then(|node| view.node(node))
                    .is_some_and(|node| node.plan.phase == phase)
            };
            let told: Vec<Arc<SubRunView>> = screen
                .view
                .with(|view| view.sub_runs.iter().filter(|run| is_of(view, run)).cloned().collect());
            told.iter().map(|told| lane_of(screen, list, told)).collect::<Vec<_>>()
        }
    });
    let words = move || {
        lanes.with(|lanes| {
            let number = |is: fn(RunStatus) -> bool| lanes.iter().filter(|lane| is(lane.status)).count();
            let (over, failed) = (number(RunStatus::is_over), number(|status| status == RunStatus::Failed));
            let failed = if failed == 0 { String::new() } else { format!(" · {failed} failed") };
            format!("{over} of {} over{failed}", lanes.len())
        })
    };
    let totals = move || {
        lanes.with(|lanes| {
            let known = lanes.iter().filter_map(|lane| lane.totals.as_ref());
            known.fold((0_u64, Decimal::ZERO, 0_u32), |(tokens, cost, unknown), totals| {
                (
                    tokens.saturating_add(totals.tokens()),
                    cost.saturating_add(totals.cost),
                    unknown.saturating_add(totals.calls_of_unknown_cost),
                )
            })
        })
    };
    let cost = move || {
        let (_, cost, unknown) = totals();
        format::cost_of(cost, unknown).known
    };
    view! {
        <li class="lane lane-head">
            <h3>{phase}</h3>
            <span class="lane-words dim">{words}</span>
            <span class="lane-time"></span>
            <span class="lane-tokens mono">{move || tokens(totals().0)}</span>
            <span class="lane-cost mono">{cost}</span>
        </li>
    }
}

/// A run.
#[component]
fn LaneRow(screen: Screen, list: RwSignal<RunList>, place: usize, run: RunId) -> impl IntoView {
    let told = Memo::new(move |_| screen.view.with(|view| view.sub_runs.get(place).cloned()));
    let lane = Memo::new(move |_| told.with(|told| told.as_ref().map(|told| lane_of(screen, list, told))));
    let title = told.with_untracked(|told| told.as_ref().map(|told| told.title.clone()));
    let status =
        Memo::new(move |_| lane.with(|lane| lane.as_ref().map_or(RunStatus::Running, |lane| lane.status)));
    let steps = Memo::new(move |_| lane.with(|lane| lane.as_ref().and_then(|lane| lane.steps)));
    let of_lane =
        move |part: fn(&Lane) -> Option<String>| move || lane.with(|lane| lane.as_ref().and_then(part));
    let time = move || lane.with(|lane| lane.as_ref().and_then(|lane| lane.time(screen.now.get())));
    view! {
        <li class="lane">
            <a class="lane-name" href=at(format!("/runs/{run}"))>{title}</a>
            <span class="lane-sign">{move || view! { <SignLabel sign=run_sign(status.get()) /> }}</span>
            <span class="lane-words">{of_lane(|lane| lane.words.clone())}</span>
            {move || steps.get().filter(|(_, all)| *all > 0).map(|steps| view! { <Steps steps /> })}
            <span class="lane-time mono">{time}</span>
            <span class="lane-tokens mono">
                {of_lane(|lane| lane.totals.as_ref().map(|it| tokens(it.tokens())))}
            </span>
            <span class="lane-cost mono">{of_lane(|lane| lane.totals.as_ref().map(|totals| format::cost(totals).known))}</span>
            <span class="lane-open"><Icon name=IconName::Chevron /></span>
        </li>
    }
}

/// How many of a run's nodes are done, as a bar and in words.
#[component]
fn Steps(steps: (u32, u32)) -> impl IntoView {
    let (done, all) = steps;
    view! {
        <span class="lane-steps">
            <progress class="thin" max=all.to_string() value=done.to_string() aria-hidden="true"></progress>
            <span class="dim">{format!("{done} of {all} nodes")}</span>
        </span>
    }
}

fn tokens(number: u64) -> String {
    if number == 0 { "\u{2013}".to_owned() } else { format!("{} tokens", format::short_count(number)) }
}
