//! What is known of one node.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{
    CallId, CallView, Decimal, Figure, NodeId, NodeView, Report, RunView, TurnContent, Usage, checked_cost,
};

use super::{prompt::Prompt, tools::ToolRow};
use crate::{
    components::{
        icon::{Icon, IconName},
        long_text::{LongText, Reading},
        status::{Tone, node_sign, sign_word},
    },
    format::{self, Cost},
    pages::run::{
        beside::{Attempts, CutOff, Thoughts},
        clock::worked_ms,
        events_of::NodeEvents,
        fork::NodeForks,
        graph::card::icon_of,
        screen::{Screen, visit_of},
        sub_runs::SubRuns,
        transcript::Writing,
        whole::Whole,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Answer,
    Prompt,
    Tools,
    State,
    Events,
}

/// The node with this index: of one visit, the calls and what came of them.
#[component]
pub fn NodeInspector(screen: Screen, node: usize) -> impl IntoView {
    let page = RwSignal::new(Page::Answer);
    let node = screen.node(node);
    let plan = node.get_untracked().map(|node| node.plan.clone());
    plan.map(|plan| {
        let id = plan.id.clone();
        let last = Memo::new(move |_| node.with(|node| node.as_ref().and_then(|node| node.visits.last().map(|visit| visit.number))));
        // What was chosen, or the last.
        let visit = Memo::new(move |_| screen.visit().filter(|visit| Some(*visit) <= last.get()).or_else(|| last.get()));
        let calls = Memo::new({
            let id = id.clone();
            move |_| screen.view.with(|view| calls_of(view, &id, visit.get()))
        });
        let tools = Memo::new({
            let id = id.clone();
            move |_| screen.view.with(|view| tools_of(view, &id, visit.get()))
        });
        let subtitle = {
            let planned = plan.planned_visits;
            move || node.with(|node| node.as_ref().map(|node| subtitle(node, visit.get(), planned)))
        };
        let tab = move |of: Page, label: &'static str| {
            let count = move || {
                let count = if of == Page::Tools { tools.with(Vec::len) } else { 0 };
                (count > 0).then(|| view! { <span class="tab-count">{count}</span> })
            };
            view! {
                <button
                    type="button"
                    class="tab"
                    role="tab"
                    aria-selected=move || (page.get() == of).to_string()
                    on:click=move |_| page.set(of)
                >
                    <span class="tab-word" data-word=label>{label}</span>
                    {count}
                </button>
            }
        };
        let body = move || {
            let id = id.clone();
            match page.get() {
                Page::Answer => view! { <Answer screen id calls /> }.into_any(),
                Page::Prompt => view! { <Prompts screen calls /> }.into_any(),
                Page::Tools => view! { <Tools screen tools /> }.into_any(),
                Page::State => view! { <State screen id /> }.into_any(),
                Page::Events => view! { <NodeEvents screen id /> }.into_any(),
            }
        };
        view! {
            <header class="inspector-head">
                <div class="inspector-title">
                    <Icon name=icon_of(&plan.role, plan.kind) />
                    <h2>{plan.label}</h2>
                    {move || {
                        node.get().map(|node| {
                            let sign = node_sign(&node);
                            view! {
                                <span class=format!("pill {}", sign.tone.class())>
                                    <Icon name=sign.icon />
                                    {sign_word(sign)}
                                </span>
                            }
                        })
                    }}
                    <button type="button" class="icon-button close" aria-label="Close the inspector" on:click=move |_| screen.select(None)>
                        <Icon name=IconName::Close />
                    </button>
                </div>
                <p class="dim">{subtitle}</p>
                <Visits screen node visit />
                <NodeForks screen node visit />
                <Facts screen node calls />
                <div class="tabs inspector-tabs" role="tablist" aria-label="About the node">
                    {tab(Page::Answer, "Answer")}
                    {tab(Page::Prompt, "Prompt")}
                    {tab(Page::Tools, "Tools")}
                    {tab(Page::State, "State")}
                    {tab(Page::Events, "Events")}
                </div>
            </header>
            <div class="inspector-body" role="tabpanel">
                <Whole screen>{body.clone()}</Whole>
            </div>
        }
    })
}

fn subtitle(node: &NodeView, visit: Option<u32>, planned: u32) -> String {
    let round = match visit {
        Some(visit) if planned > 1 => Some(format!("Round {visit} of {planned}")),
        Some(_) => None,
        None => Some("Not reached yet".to_owned()),
    };
    let tier = node.plan.tier.map(|tier| tier.label());
    let model = match (&node.model, tier) {
        (Some(model), Some(tier)) => Some(format!("{model} ({tier} tier)")),
        (Some(model), None) => Some(model.clone()),
        (None, Some(tier)) => Some(format!("{tier} tier")),
        (None, None) => Some("no model, code alone".to_owned()),
    };
    let shown = node.visits.iter().find(|it| Some(it.number) == visit);
    let taken_over =
        shown.is_some_and(|visit| visit.inherited).then(|| "taken over from the run before".to_owned());
    let parts = [Some(node.plan.phase.clone()), node.plan.scope.clone(), round, model, taken_over];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn calls_of(view: &RunView, node: &NodeId, visit: Option<u32>) -> Vec<Arc<CallView>> {
    view.calls.of_node(node).filter(|call| visit_of(&call.id) == visit).cloned().collect()
}

fn tools_of(view: &RunView, node: &NodeId, visit: Option<u32>) -> Vec<CallId> {
    let tools = view.tools.of_node(node);
    tools.filter(|tool| visit_of(&tool.id) == visit).map(|tool| tool.id.clone()).collect()
}

#[component]
fn Visits(screen: Screen, node: Memo<Option<Arc<NodeView>>>, visit: Memo<Option<u32>>) -> impl IntoView {
    let numbers = Memo::new(move |_| {
        node.with(|node| {
            let visits =
                node.as_ref().map(|node| node.visits.iter().map(|visit| visit.number).collect::<Vec<_>>());
            visits.filter(|visits| visits.len() > 1).unwrap_or_default()
        })
    });
    move || {
        let numbers = numbers.get();
        (!numbers.is_empty()).then(|| {
            let buttons = numbers.into_iter().map(|number| {
                view! {
                    <button
                        type="button"
                        class="visit"
                        aria-pressed=move || (visit.get() == Some(number)).to_string()
                        on:click=move |_| screen.choose_visit(number)
                    >
                        {number}
                    </button>
                }
            });
            view! {
                <div class="visits" role="group" aria-label="Visit">
                    <span class="dim">"Visit"</span>
                    {buttons.collect_view()}
                </div>
            }
        })
    }
}

fn costs(cost: Cost) -> impl IntoView {
    view! {
        {cost.known}
        {cost.gap.map(|gap| view! { " " <small class="dim">{gap}</small> })}
    }
}

#[component]
fn Facts(
    screen: Screen,
    node: Memo<Option<Arc<NodeView>>>,
    calls: Memo<Vec<Arc<CallView>>>,
) -> impl IntoView {
    let time = move || {
        node.with(|node| {
            let node = node.as_ref().filter(|node| !node.visits.is_empty())?;
            let now = node.working_since().and_then(|_| screen.now.get());
            Some(format::duration(worked_ms(node, now)))
        })
        .unwrap_or_else(|| "not begun".to_owned())
    };
    let used = move || calls.with(|calls| Used::of(calls));
    // With calls that were begun anew, which belong to no visit that can be seen.
    let all_visits = move || {
        let (cost, unknown) =
            node.with(|node| node.as_ref().map(|node| (node.cost, node.calls_of_unknown_cost)))?;
        let in_visit = used().map_or(0, |used| used.unknown_cost);
        (unknown > in_visit).then(|| costs(format::cost_of(cost.unwrap_or_default(), unknown)))
    };
    view! {
        <dl class="facts">
            <div>
                <dt>"Time, all visits"</dt>
                <dd>{time}</dd>
            </div>
            {move || {
                used().map(|used| {
                    view! {
                        <div>
                            <dt>"In"</dt>
                            <dd>{used.tokens_in.shown()}</dd>
                        </div>
                        <div>
                            <dt>"Out"</dt>
                            <dd>{used.tokens_out.shown()}</dd>
                        </div>
                        <div>
                            <dt>"Cost"</dt>
                            <dd>{costs(format::cost_of(used.cost, used.unknown_cost))}</dd>
                        </div>
                    }
                })
            }}
            {move || all_visits().map(|cost| view! {
                <div>
                    <dt>"Cost, all visits"</dt>
                    <dd>{cost}</dd>
                </div>
            })}
        </dl>
    }
}

/// What the calls of a visit used, with attempts that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used {
    tokens_in: Sum,
    tokens_out: Sum,
    cost: Decimal,
    unknown_cost: u32,
}

/// A sum of which a part may not be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    known: u64,
    has_gap: bool,
}

impl Sum {
    fn add(&mut self, part: Option<u64>) {
        self.known = self.known.saturating_add(part.unwrap_or_default());
        self.has_gap |= part.is_none();
    }

    fn shown(self) -> String {
        match self {
            Self { known: 0, has_gap: true } => "unknown".to_owned(),
            Self { known, has_gap: true } => format!("at least {}", format::count(known)),
            Self { known, has_gap: false } => format::count(known),
        }
    }
}

impl Used {
    /// `None` while no call has ended.
    fn of(calls: &[Arc<CallView>]) -> Option<Self> {
        let mut ended = calls.iter().filter_map(|call| call.outcome.as_ref()).peekable();
        ended.peek()?;
        let mut used = Self::default();
        for outcome in ended {
            used.add(outcome.usage, outcome.cost);
            outcome.attempts.iter().for_each(|attempt| used.add(attempt.usage, attempt.cost));
        }
        Some(used)
    }

    fn add(&mut self, usage: Usage, cost: Option<Decimal>) {
        let cost = cost.and_then(checked_cost);
        // What cost nothing and reported nothing was refused before it began.
        if cost != Some(Decimal::ZERO) || usage != Usage::default() {
            let usage = usage.checked();
            self.tokens_in.add(usage.tokens_in);
            self.tokens_out.add(usage.tokens_out);
        }
        match cost.and_then(|cost| self.cost.checked_add(cost)) {
            Some(sum) => self.cost = sum,
            None => self.unknown_cost = self.unknown_cost.saturating_add(1),
        }
    }
}

/// The answer that is being written or was given, and the figures that it rests on.
#[component]
fn Answer(screen: Screen, id: NodeId, calls: Memo<Vec<Arc<CallView>>>) -> impl IntoView {
    let node = {
        let id = id.clone();
        Memo::new(move |_| screen.view.with(|view| view.node(&id).cloned()))
    };
    let remarks = move || {
        let node = node.get()?;
        let remark = |tone: Tone, text: String| {
            view! {
                <p class=format!("turn-problem {}", tone.class())>
                    <Icon name=IconName::Alert />
                    {text}
                </p>
            }
        };
        let reason = node.reason.clone().map(|reason| remark(node_sign(&node).tone, reason));
        let degraded =
            node.degraded.clone().map(|gap| remark(Tone::Attention, format!("Had to do without: {gap}")));
        let fallback = node.fallback.clone().map(|note| remark(Tone::Attention, note));
        Some((reason, degraded, fallback))
    };
    let reports = {
        let id = id.clone();
        Memo::new(move |_| screen.view.with(|view| reports_of(view, &id)))
    };
    let said = Memo::new({
        let id = id.clone();
        move |_| screen.view.with(|view| messages_of(view, &id))
    });
    let answers = move || {
        let calls = calls.get();
        calls.iter().rev().find_map(|call| match &call.outcome {
            None => Some(view! { <Writing screen call=call.id.clone() /> }.into_any()),
            Some(outcome) if outcome.answer.bytes() > 0 => Some(
                view! {
                    <Thoughts run=screen.id text=outcome.thoughts.clone() />
                    <LongText run=screen.id text=outcome.answer.clone() reading=Reading::Prose />
                }
                .into_any(),
            ),
            Some(outcome) => outcome.error.clone().map(|error| {
                view! {
                    <p class="turn-problem tone-failed">{format!("No answer: {error}")}</p>
                    <CutOff run=screen.id text=outcome.cut_off.clone() />
                }
                .into_any()
            }),
        })
    };
    let attempts = move || {
        let calls = calls.get();
        let several = calls.len() > 1;
        let failed = calls.iter().enumerate().filter_map(|(index, call)| {
            let outcome = call.outcome.as_ref().filter(|outcome| !outcome.attempts.is_empty())?;
            let number = several.then(|| view! { <p class="dim">{format!("Call {}", index + 1)}</p> });
            let (failed, succeeded) = (outcome.attempts.clone(), outcome.error.is_none());
            Some(view! { {number} <Attempts failed succeeded /> })
        });
        failed.collect_view()
    };
    let others = move || {
        // A model's answer says it all; code speaks through reports and messages.
        let has_calls = calls.with(|calls| !calls.is_empty());
        let reports = reports.get().into_iter().filter(|_| !has_calls).map(|report| {
            view! {
                <h3>{report.title.clone()}</h3>
                <LongText run=screen.id text=report.markdown.clone() reading=Reading::Prose />
            }
        });
        let said = said.get().into_iter().filter(|_| !has_calls);
        let said = said.map(|text| view! { <LongText run=screen.id text reading=Reading::Prose /> });
        (reports.collect_view(), said.collect_view())
    };
    let figures = move || {
        let figures: Vec<Figure> = reports
            .with(|reports| reports.iter().flat_map(|report| report.figures.iter().cloned()).collect());
        (!figures.is_empty()).then(|| view! { <Figures figures /> })
    };
    let is_empty = move || {
        calls.with(Vec::is_empty)
            && reports.with(Vec::is_empty)
            && said.with(Vec::is_empty)
            && node.with(|node| {
                node.as_ref().is_none_or(|node| node.reason.is_none() && node.degraded.is_none())
            })
    };
    view! {
        {remarks}
        <SubRuns screen node=id />
        {answers}
        {attempts}
        {others}
        {figures}
        {move || is_empty().then(|| view! { <p class="dim">"This node has said nothing yet."</p> })}
    }
}

#[component]
fn Figures(figures: Vec<Figure>) -> impl IntoView {
    let rows = figures.into_iter().map(|figure| {
        view! {
            <div class="figure-row">
                <dt>
                    {figure.label}
                    <small class="dim">{figure.source}</small>
                </dt>
                <dd class="mono">{figure.value}</dd>
            </div>
        }
    });
    view! {
        <h3>"Figures used"</h3>
        <dl class="figures">{rows.collect_view()}</dl>
    }
}

/// Reports whose key in the state this node wrote.
fn reports_of(view: &RunView, node: &NodeId) -> Vec<Arc<Report>> {
    let wrote = |key: &str| {
        view.state
            .get(key)
            .is_some_and(|entries| entries.iter().any(|entry| entry.node.as_ref() == Some(node)))
    };
    view.reports.iter().filter(|report| wrote(&report.name)).cloned().collect()
}

fn messages_of(view: &RunView, node: &NodeId) -> Vec<protocol::Text> {
    view.turns
        .of_node(node)
        .filter_map(|turn| match &turn.content {
            TurnContent::Message(said) => Some(said.content.clone()),
            TurnContent::Log(line) => Some(line.message.as_str().into()),
            _ => None,
        })
        .collect()
}

#[component]
fn Prompts(screen: Screen, calls: Memo<Vec<Arc<CallView>>>) -> impl IntoView {
    move || {
        let calls = calls.get();
        if calls.is_empty() {
            return view! { <p class="dim">"No model was asked in this visit."</p> }.into_any();
        }
        let several = calls.len() > 1;
        let prompts = calls.into_iter().enumerate().map(|(index, call)| {
            let tools = (!call.tools.is_empty()).then(|| format!("Tools offered: {}", call.tools.join(", ")));
            view! {
                {several.then(|| view! { <h3>{format!("Call {}", index + 1)}</h3> })}
                {tools.map(|tools| view! { <p class="dim">{tools}</p> })}
                <Prompt screen call=call.id.clone() />
            }
        });
        prompts.collect_view().into_any()
    }
}

#[component]
fn Tools(screen: Screen, tools: Memo<Vec<CallId>>) -> impl IntoView {
    view! {
        <For each=move || tools.get() key=|tool| tool.clone() let:tool>
            <ToolRow screen tool />
        </For>
        {move || tools.with(Vec::is_empty).then(|| view! { <p class="dim">"No tool was called in this visit."</p> })}
    }
}

/// What the node wrote into the run's state.
#[component]
fn State(screen: Screen, id: NodeId) -> impl IntoView {
    let entries = Memo::new(move |_| {
        screen.view.with(|view| {
            let entries =
                view.state.iter().flat_map(|(key, entries)| entries.iter().map(move |it| (key, it)));
            let wrote = entries.filter(|(_, entry)| entry.node.as_ref() == Some(&id));
            wrote.map(|(key, entry)| (key.clone(), entry.clone())).collect::<Vec<_>>()
        })
    });
    move || {
        let entries = entries.get();
        if entries.is_empty() {
            return view! { <p class="dim">"This node has not changed the run's state."</p> }.into_any();
        }
        let rows = entries.into_iter().map(|(key, entry)| {
            view! {
                <h3 class="mono">{key}</h3>
                <p class="dim">{format!("{} by event {}", if entry.appended { "added" } else { "set" }, entry.seq)}</p>
                <LongText run=screen.id text=entry.value.clone() reading=Reading::Verbatim />
            }
        });
        rows.collect_view().into_any()
    }
}
